use pulumi::config::settings;
use serde_json::json;

use super::*;

fn estimate(configuration: &[(&str, &str)]) -> Estimate {
    let configuration = configuration.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Estimate::of(&configuration).unwrap()
}

/// The line that is paid at a price.
fn line(estimate: &Estimate, price: Price) -> Option<Line> {
    estimate.lines.iter().find(|line| line.price == price).cloned()
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-9 * expected.abs().max(1.0)
}

#[test]
fn a_line_is_use_times_price_and_the_sum_is_that_of_the_lines() {
    let estimate = estimate(&[]);
    for line in &estimate.lines {
        for amount in [line.month, line.million_movies] {
            assert!(close(amount.usd, amount.quantity / line.price.per * line.price.usd), "{line:?}");
        }
    }
    let month: f64 = estimate.lines.iter().map(|line| line.month.usd).sum();
    assert!(close(estimate.month_usd, month) && estimate.million_movies_usd > 0.0);
}

#[test]
fn what_the_stack_costs_in_any_case_does_not_grow_with_its_movies() {
    let estimate = estimate(&[]);
    for price in [prices::KMS_KEYS, prices::ALARM_METRICS, prices::CUSTOM_METRICS, prices::DASHBOARDS] {
        assert!(close(line(&estimate, price).unwrap().million_movies.quantity, 0.0));
    }
    let key = line(&estimate, prices::KMS_KEYS).unwrap();
    assert!(close(key.month.usd, 1.0));
    let sqs = line(&estimate, prices::SQS_REQUESTS).unwrap();
    // 5 pollers, 20 s each, 730 hours; a run of ten is sent one by one, received and deleted at once.
    assert!(close(sqs.month.quantity, 657_000.0 + 12.0 * RUNS_PER_MONTH), "{sqs:?}");
    assert!(close(sqs.million_movies.quantity, 1_200_000.0), "{sqs:?}");
}

#[test]
fn the_estimate_follows_the_configuration() {
    let larger = estimate(&[
        (settings::TOP_N.name, "100"),
        (settings::BATCH_SIZE.name, "5"),
        (settings::RANKER_MEMORY_MB.name, "1024"),
        (settings::ARCHITECTURE.name, "x86_64"),
        (settings::RUN_RETENTION_DAYS.name, "730"),
    ]);
    let run = RunUse::of(&larger.facts);
    assert!(close(run.enricher_invocations, 20.0) && close(run.sns_requests, 10.0) && close(run.s3_writes, 142.0));
    // Two enrichers at once, so two starts.
    assert!(close(run.ssm_requests, 2.0) && close(run.kms_requests, 14.0), "{run:?}");
    assert!(close(run.lambda_gb_seconds, 1.0 + 20.0 * 2.0 * 0.25));
    assert!(line(&larger, prices::LAMBDA_X86_64).is_some() && line(&larger, prices::LAMBDA_ARM64).is_none());
    assert_eq!(larger.facts.run_retention_days, 730);
}

#[test]
fn spans_are_paid_for_only_where_they_go_to_xray() {
    assert_eq!(line(&estimate(&[]), prices::SPANS_INGESTED), None);
    let elsewhere = estimate(&[(settings::OTLP_ENDPOINT.name, "https://collector.example")]);
    assert_eq!(line(&elsewhere, prices::SPANS_INGESTED), None);
    let with_xray = estimate(&[(settings::OTLP_ENDPOINT.name, "xray")]);
    assert!(line(&with_xray, prices::SPANS_INGESTED).unwrap().million_movies.usd > 0.0);
}

#[test]
fn alarms_and_metrics_are_counted_from_the_program_and_the_contract() {
    let program = program(&Configuration::new()).unwrap();
    let facts = Facts::of(&program).unwrap();
    let alarms = program.resources().iter().filter(|resource| resource.kind == "aws:cloudwatch:MetricAlarm");
    assert!(facts.alarm_metrics >= alarms.count() && facts.alarm_metrics >= 3);
    assert_eq!(facts.custom_metrics, domain::contract::metrics::ALL.len() + 1, "one is sent by both services");
}

#[test]
fn every_metric_that_an_alarm_computes_with_is_counted_and_the_computation_is_not() {
    let mut program = program(&Configuration::new()).unwrap().resources().to_vec();
    let alarm = program.iter_mut().find(|resource| resource.kind == "aws:cloudwatch:MetricAlarm").unwrap();
    alarm.properties.remove("period");
    let metric = |period: u32| json!({"metric": {"metricName": "Errors", "period": period}});
    alarm.properties.insert("metricQueries".to_owned(), json!([metric(300), metric(10), {"expression": "a + b"}]));
    assert_eq!(facts::periods(alarm), [Some(300), Some(10)]);
}

#[test]
fn quantities_and_prices_are_shown_with_the_digits_that_matter() {
    let text = estimate(&[]).to_string();
    for part in
        ["| 0.0000133334 a GB-second", "| 0.40 a million requests", "| 0.0004 for 1,000 GET", " 657 k |", "**sum**"]
    {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let widths: std::collections::BTreeSet<_> =
        text.lines().filter(|line| line.starts_with('|')).map(|line| line.chars().count()).collect();
    assert_eq!(widths.len(), 1, "the columns are not aligned:\n{text}");
}
