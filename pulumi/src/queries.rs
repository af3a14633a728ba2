//! Saved queries of CloudWatch Logs Insights: questions that somebody asks again, kept where they are asked
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_Insights-Saving-Queries.html>). They cost nothing until
//! they are run.

use serde_json::json;

use crate::functions::FunctionParts;
use crate::program::Stack;
use crate::resource::QueryDefinition;

/// How fast the functions are on AWS: starts, durations and memory by Lambda's own reports, invocations that found no
/// environment apart from the others. A duration goes on until the next event is asked for, so telemetry is in it. The
/// reports are JSON as the functions' log format is
/// (<https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report>).
const HOW_FAST: &str = "\
filter type = \"platform.report\"
| fields ispresent(record.metrics.initDurationMs) as is_cold
| stats count(*) as invocations,
    pct(record.metrics.initDurationMs, 50) as init_p50_ms,
    max(record.metrics.initDurationMs) as init_max_ms,
    pct(record.metrics.durationMs, 50) as duration_p50_ms,
    pct(record.metrics.durationMs, 95) as duration_p95_ms,
    max(record.metrics.durationMs) as duration_max_ms,
    sum(record.metrics.billedDurationMs) as billed_ms,
    max(record.metrics.maxMemoryUsedMB) as peak_memory_mb,
    max(record.metrics.memorySizeMB) as memory_mb
    by @log, is_cold";

pub(crate) fn add(stack: &mut Stack, functions: [&FunctionParts; 2]) {
    let properties = json!({
        "name": stack.name("how-fast"),
        "queryString": HOW_FAST,
        "logGroupNames": functions.map(|function| function.logs.name()),
    });
    let _ = stack.resources.add::<QueryDefinition>("howFastQuery", properties);
}
