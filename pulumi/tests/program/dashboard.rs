//! The dashboard is one that CloudWatch takes, and shows what there is: metrics that somebody reports, every alarm with
//! the line at which it goes off, log fields of the contract.

mod body;
mod charted;
mod legend;
mod lines;

use std::collections::{BTreeMap, BTreeSet};

use domain::contract::{Service, logs};
use serde_json::{Value, json};

use crate::common::{default_program, each_text, programs, references};
use crate::policy::{metric_fault, watched};
use body::{AlarmStatus, Body, Chart, Content, Log, Placed, View};
pub(crate) use charted::Charted;

const METRIC_ALARM: &str = "aws:cloudwatch:MetricAlarm";
const COMPOSITE_ALARM: &str = "aws:cloudwatch:CompositeAlarm";

/// The grid is this wide.
const COLUMNS: u32 = 24;
/// The most widgets of a dashboard, and the most metrics of a widget.
const MOST: usize = 500;
/// The most alarms of a widget.
const MOST_ALARMS: usize = 100;

/// What Logs Insights itself makes of a line, and what Lambda logs of an invocation that ended badly
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html>,
/// <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>).
const FIELDS_OF_AWS: [&str; 2] = ["@timestamp", "record.status"];

/// The words of queries that are no fields
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html>).
const QUERY_WORDS: [&str; 16] = [
    "fields",
    "filter",
    "sort",
    "limit",
    "stats",
    "by",
    "as",
    "in",
    "or",
    "and",
    "desc",
    "count",
    "latest",
    "ispresent",
    "sum",
    "bin",
];

fn body_of(program: &Value) -> &Value {
    &program["resources"]["dashboard"]["properties"]["dashboardBody"]["fn::toJSON"]
}

fn of_kind<'a>(program: &'a Value, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let resources = program["resources"].as_object().unwrap().iter();
    resources
        .filter(move |(_, resource)| resource["type"] == kind)
        .map(|(name, found)| (name.as_str(), &found["properties"]))
}

/// Every metric that the dashboard charts.
pub(crate) fn charted(program: &Value) -> Vec<Charted> {
    let widgets = body_of(program)["widgets"].as_array().unwrap().iter().map(|widget| Placed::read(widget).unwrap());
    let charts = widgets.filter_map(|widget| match widget.content().unwrap() {
        Content::Metric(chart) => Some(chart),
        _ => None,
    });
    charts.flat_map(|chart| charted::metrics(&chart).unwrap()).collect()
}

/// All that is wrong with a program's dashboard.
fn faults(program: &Value) -> Vec<String> {
    let read = Body::read(body_of(program)).and_then(|body| {
        let widgets = body.widgets.iter().map(|widget| {
            let widget = Placed::read(widget)?;
            let content = widget.content()?;
            Ok((widget, content))
        });
        widgets.collect::<Result<Vec<_>, String>>()
    });
    let widgets = match read {
        Ok(widgets) => widgets,
        Err(fault) => return vec![fault],
    };
    let mut faults = layout_faults(&widgets.iter().map(|(widget, _)| widget).collect::<Vec<_>>());
    let mut shown = Vec::new();
    let mut charts = Vec::new();
    for (widget, content) in &widgets {
        match content {
            Content::Text(text) => faults.extend(link_faults(program, &text.markdown)),
            Content::Alarm(AlarmStatus { alarms, .. }) if !(1..=MOST_ALARMS).contains(&alarms.len()) => {
                return vec![format!("{}: {} alarms", widget.title(), alarms.len())];
            }
            Content::Alarm(AlarmStatus { alarms, .. }) => shown.extend(alarms.iter().cloned()),
            Content::Metric(chart) => {
                faults.extend(chart_faults(program, chart));
                charts.push(&**chart);
            }
            Content::Log(log) => faults.extend(log_faults(program, log)),
        }
    }
    faults.extend(alarm_faults(program, shown));
    faults.extend(unwatchable(program, &charts));
    faults.extend(legend::faults(program, &charts));
    faults.extend(dangling(program));
    faults
}

/// Within the grid, none above another, each with a title of its own.
fn layout_faults(widgets: &[&Placed]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut taken = BTreeMap::new();
    let mut titles = BTreeSet::new();
    if widgets.len() > MOST {
        faults.push(format!("{} widgets", widgets.len()));
    }
    for widget in widgets {
        let title = widget.title();
        if !titles.insert(title) {
            faults.push(format!("{title}: two widgets are called so"));
        }
        if widget.width == 0 || widget.x + widget.width > COLUMNS || !(1..=1_000).contains(&widget.height) {
            faults.push(format!("{title}: it does not fit into the grid"));
        }
        let cells =
            (widget.y..widget.y + widget.height).flat_map(|y| (widget.x..widget.x + widget.width).map(move |x| (y, x)));
        let covered: BTreeSet<_> = cells.filter_map(|cell| taken.insert(cell, title)).collect();
        faults.extend(covered.iter().map(|other| format!("{title}: it lies above {other}\n{}", drawing(widgets))));
    }
    faults
}

/// The grid with a letter for each widget, one line a row.
fn drawing(widgets: &[&Placed]) -> String {
    let height = widgets.iter().map(|widget| widget.y + widget.height).max().unwrap_or_default();
    let letter = |x: u32, y: u32| {
        let covers = |at: u32, from: u32, length: u32| (from..from + length).contains(&at);
        let at =
            widgets.iter().rposition(|widget| covers(x, widget.x, widget.width) && covers(y, widget.y, widget.height));
        at.map_or('.', |at| char::from(b'A' + u8::try_from(at % 58).unwrap()))
    };
    (0..height).map(|y| (0..COLUMNS).map(|x| letter(x, y)).chain(['\n']).collect::<String>()).collect()
}

fn chart_faults(program: &Value, chart: &Chart) -> Vec<String> {
    let title = &chart.title;
    let mut faults = Vec::new();
    if chart.region != "${region}" || chart.period == 0 || !chart.period.is_multiple_of(60) {
        faults.push(format!("{title}: not this region, or no period in whole minutes"));
    }
    if !(1..=MOST).contains(&chart.metrics.len()) {
        faults.push(format!("{title}: {} metrics", chart.metrics.len()));
    }
    if chart.start.as_ref().is_some_and(|start| !start.starts_with("-P")) {
        faults.push(format!("{title}: its time does not end now"));
    }
    let ends = chart.y_axis.as_ref().and_then(|axes| axes.left.as_ref()).map(|axis| (axis.min, axis.max));
    if chart.view == View::Gauge && !matches!(ends, Some((Some(_), Some(_)))) {
        faults.push(format!("{title}: a gauge needs both ends"));
    }
    faults.extend(charted::expression_fault(chart));
    faults.extend(lines::faults(program, chart));
    match charted::metrics(chart) {
        Ok(metrics) => faults.extend(metrics.iter().filter_map(|charted| {
            let fault = metric_fault(program, &charted.metric, &json!(charted.statistic))?;
            Some(format!("{title}: {fault}"))
        })),
        Err(fault) => faults.push(fault),
    }
    faults
}

/// Exactly the alarms that there are.
fn alarm_faults(program: &Value, shown: Vec<String>) -> Vec<String> {
    let all = [METRIC_ALARM, COMPOSITE_ALARM].into_iter().flat_map(|kind| of_kind(program, kind));
    let all: BTreeSet<_> = all.map(|(name, _)| format!("${{{name}.arn}}")).collect();
    let listed = shown.len();
    let shown: BTreeSet<_> = shown.into_iter().collect();
    let missing = all.difference(&shown).map(|alarm| format!("{alarm} is not shown"));
    let unknown = shown.difference(&all).map(|alarm| format!("{alarm} is no alarm"));
    let twice = (listed > shown.len()).then(|| "an alarm is shown twice".to_owned());
    missing.chain(unknown).chain(twice).collect()
}

/// Whoever is told of an alarm sees its metric, and the line it crossed unless that is one event.
fn unwatchable(program: &Value, charts: &[&Chart]) -> Vec<String> {
    let alarms = of_kind(program, METRIC_ALARM).filter(|(name, _)| *name != "maintenanceAlarm");
    let fault = |(name, alarm): (&str, &Value)| {
        let [metric, ..] = watched(alarm)[..] else { return Some(format!("{name} watches nothing")) };
        let same = |charted: &Charted| {
            ["namespace", "metricName", "dimensions"].iter().all(|part| charted.metric[part] == metric.0[part])
                && charted.statistic == *metric.1
        };
        let showing = charts.iter().filter(|chart| charted::metrics(chart).is_ok_and(|all| all.iter().any(same)));
        let threshold = alarm["threshold"].as_f64().unwrap();
        let mut lines = showing.clone().flat_map(|chart| &chart.annotations.horizontal);
        if showing.count() == 0 {
            return Some(format!("what {name} watches is on no chart"));
        }
        let drawn = lines.any(|line| line.label.starts_with("alarm") && (line.value - threshold).abs() < 0.5);
        (threshold > 1.0 && !drawn).then(|| format!("the threshold of {name}, {threshold}, is on no chart"))
    };
    alarms.filter_map(fault).collect()
}

fn log_faults(program: &Value, log: &Log) -> Vec<String> {
    let title = &log.title;
    let steps = log.query.split('|').map(str::trim);
    let (sources, query): (Vec<_>, Vec<_>) = steps.partition(|step| step.starts_with("SOURCE "));
    let is_group = |source: &&str| {
        let name = source.strip_prefix("SOURCE '${").and_then(|rest| rest.strip_suffix(".name}'"));
        name.is_some_and(|name| of_kind(program, "aws:cloudwatch:LogGroup").any(|(group, _)| group == name))
    };
    let mut faults = Vec::new();
    if log.region != "${region}" || sources.is_empty() || !sources.iter().all(is_group) {
        faults.push(format!("{title}: not this region, or no log group of the stack"));
    }
    let unknown = unknown_fields(&query.join("\n"));
    faults.extend(unknown.into_iter().map(|field| format!("{title}: there is no field {field}")));
    faults
}

/// What a query may look for: levels, services, and how Lambda says that an invocation ended badly
/// (<https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#Status>).
const VALUES: [&str; 7] = ["ERROR", "WARN", "INFO", "DEBUG", "error", "failure", "timeout"];

/// The words of a query that are neither fields nor part of the language, and the values that nothing has.
pub(crate) fn unknown_fields(query: &str) -> Vec<String> {
    let is_value = |text: &&str| {
        VALUES.contains(text) || Service::ALL.iter().any(|service| service.name() == *text) || text.starts_with('<')
    };
    let values = query.split('"').skip(1).step_by(2).filter(|text| !is_value(text)).map(|text| format!("\"{text}\""));
    let mut unknown: Vec<_> = values.collect();
    unknown.extend(unknown_words(query));
    unknown
}

fn unknown_words(query: &str) -> Vec<String> {
    // Every other part stands between quotation marks.
    let unquoted: String = query.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let words = unquoted.split(|letter: char| !letter.is_ascii_alphanumeric() && !"@_.".contains(letter));
    let words: Vec<_> =
        words.filter(|word| word.starts_with(|letter: char| letter.is_alphabetic() || letter == '@')).collect();
    let named: BTreeSet<_> = words.windows(2).filter(|pair| pair[0] == "as").map(|pair| pair[1]).collect();
    let is_known = |word: &str| {
        logs::ALL.iter().any(|field| field.name == word)
            || FIELDS_OF_AWS.contains(&word)
            || QUERY_WORDS.contains(&word)
            || named.contains(word)
    };
    words.into_iter().filter(|word| !is_known(word)).map(str::to_owned).collect()
}

/// A link to a log group says its name, which Pulumi cannot encode for an address: it must be what Lambda's group is
/// called.
fn link_faults(program: &Value, markdown: &str) -> Vec<String> {
    const GROUP: &str = "#logsV2:log-groups/log-group/$$252Faws$$252Flambda$$252F";
    let resources = &program["resources"];
    let is_log_of = |function: &str| {
        let group = of_kind(program, "aws:cloudwatch:LogGroup").find(|(name, _)| *name == format!("{function}Logs"));
        let name = &resources[function]["properties"]["name"];
        group.is_some_and(|(_, group)| group["name"] == format!("/aws/lambda/{}", name.as_str().unwrap_or_default()))
    };
    let functions = markdown.split(GROUP).skip(1).filter_map(|rest| rest.strip_prefix("${")?.split_once(".name})"));
    let wrong = functions.filter(|(function, _)| !is_log_of(function));
    let open = markdown.contains("{{").then(|| "a text has a name left open".to_owned());
    wrong.map(|(function, _)| format!("the link to the log of {function} leads nowhere")).chain(open).collect()
}

fn dangling(program: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    each_text(body_of(program), &mut |text| {
        for reference in references(text) {
            let root = reference.split('.').next().unwrap();
            if program["resources"].get(root).or(program["variables"].get(root)).is_none() {
                faults.push(format!("{reference} means nothing in the program"));
            }
        }
    });
    faults
}

#[test]
fn the_dashboard_is_one_that_cloudwatch_takes_and_shows_what_there_is() {
    for (configuration, program) in programs() {
        let faults = faults(&program);
        assert!(faults.is_empty(), "{configuration}:\n{}", faults.join("\n"));
    }
}

/// What is wrong once a widget of this title is changed.
fn faults_with(title: &str, change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut program = default_program().to_json();
    let body = &mut program["resources"]["dashboard"]["properties"]["dashboardBody"]["fn::toJSON"];
    let mut widgets = body["widgets"].as_array_mut().unwrap().iter_mut();
    change(widgets.find(|widget| widget["properties"]["title"] == title).unwrap());
    faults(&program)
}

/// A change to the body, by the title of a widget, must be told, in these words, and nothing else.
#[track_caller]
fn assert_told(told: &str, title: &str, change: impl FnOnce(&mut Value)) {
    let faults = faults_with(title, change);
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault.contains(told)), "{told}: {faults:?}");
}

const LATENCY: &str = "Latency (ms)";
const ERRORS: &str = "Last errors and warnings";

#[test]
fn a_body_that_aws_does_not_document_is_caught() {
    assert_told("unknown field `colour`", LATENCY, |widget| widget["properties"]["colour"] = json!("red"));
    assert_told("unknown field `hight`", LATENCY, |widget| widget["hight"] = json!(6));
    assert_told("unknown variant `chart`", LATENCY, |widget| widget["type"] = json!("chart"));
    assert_told("unknown variant `line`", LATENCY, |widget| widget["properties"]["view"] = json!("line"));
    assert_told("missing field `region`", LATENCY, |widget| {
        widget["properties"].as_object_mut().unwrap().remove("region").unwrap();
    });
    assert_told("unknown field `colour`", LATENCY, |widget| {
        widget["properties"]["metrics"][0][6]["colour"] = json!("red");
    });
    assert_told("invalid type", LATENCY, |widget| {
        widget["properties"]["annotations"]["horizontal"][0]["value"] = json!("5000");
    });
    assert_told("no period in whole minutes", LATENCY, |widget| widget["properties"]["period"] = json!(90));
    assert_told("a gauge needs both ends", "OMDb requests today", |widget| {
        widget["properties"]["yAxis"]["left"] = json!({"min": 0});
    });
    assert_told("its time does not end now", "Complete runs in 26 h", |widget| {
        widget["properties"]["start"] = json!("PT26H");
    });
    let row = json!(["MoviePipeline", "OmdbDuration", "Environment", "dev", "Service", "enricher"]);
    assert_told("501 metrics", LATENCY, |widget| widget["properties"]["metrics"] = json!(vec![row; 501]));
}

#[test]
fn a_widget_outside_of_the_grid_or_above_another_is_caught() {
    assert_told("Latency (ms): it does not fit into the grid", "Latency (ms)", |widget| {
        widget["x"] = json!(17);
        widget["y"] = json!(900);
    });
    assert_told("Requests a day: it lies above Latency (ms)", LATENCY, |widget| widget["width"] = json!(9));
    assert_told("two widgets are called so", LATENCY, |widget| {
        widget["properties"]["title"] = json!("Requests a day");
    });
}

#[test]
fn a_metric_that_nobody_reports_is_caught() {
    assert_told("the contract has no such metric", LATENCY, |widget| {
        widget["properties"]["metrics"][1][1] = json!("OmdbDurations");
    });
    for (at, value) in [(2, "Stack"), (3, "prod"), (4, "Function"), (5, "ranker")] {
        assert_told("no service reports it under these dimensions", LATENCY, |widget| {
            widget["properties"]["metrics"][0][at] = json!(value);
        });
    }
    assert_told("this says nothing about a metric of its kind", LATENCY, |widget| {
        widget["properties"]["metrics"][0][6] = json!({"label": "sum", "stat": "Sum"});
    });
    assert_told("is no metric, written out", LATENCY, |widget| widget["properties"]["metrics"][1][1] = json!("."));
    assert_told("AWS documents no such metric", "Ranker: invocations", |widget| {
        widget["properties"]["metrics"][0][1] = json!("Invocation");
    });
    assert_told("in another dimension", "Ranker: invocations", |widget| {
        widget["properties"]["metrics"][0][3] = json!("${ranker.arn}");
    });
    assert_told("run is not in both", "Hours since the last complete run", |widget| {
        widget["properties"]["metrics"][1][0]["expression"] = json!("EPOCH(run)");
    });
}

#[test]
fn a_series_that_is_not_what_its_label_says_is_caught() {
    let told = |told: &str, title: &str, row: usize, at: usize, value: Value| {
        assert_told(told, title, |widget| widget["properties"]["metrics"][row][at] = value);
    };
    told("p99 is drawn by p50", LATENCY, 2, 6, json!({"label": "p99", "stat": "p50"}));
    told("p90 is drawn by p50", LATENCY, 1, 6, json!({"label": "p90"}));
    told("mean is drawn by Maximum", "Ranker: duration (ms)", 1, 4, json!({"label": "mean"}));
    told("ranker reads something else", "Ranker: invocations", 0, 3, json!("${enricher.name}"));
    told("records that failed is another series", "Set aside and failed", 1, 1, json!("MoviesEnriched"));
    told(
        "records that failed is another series",
        "Set aside and failed",
        1,
        6,
        json!({"label": "records that failed", "stat": "Maximum"}),
    );
    assert_told("r reads something else", "Telemetry dropped", |widget| {
        for (row, label) in [(0, "enricher"), (1, "ranker")] {
            widget["properties"]["metrics"][row][6]["label"] = json!(label);
        }
    });
    let throttles = faults_with("Enricher: errors", |widget| {
        widget["properties"]["metrics"][1][3] = json!("${ranker.name}");
    });
    let by_the_title = "Enricher: errors: enricher reads something else";
    assert_eq!(throttles, ["what enricherThrottlesAlarm watches is on no chart", by_the_title]);
}

#[test]
fn a_failure_queue_that_the_failed_messages_do_not_count_is_caught() {
    let told = |told: &str, change: fn(&mut Vec<Value>)| {
        assert_told(told, legend::FAILED_MESSAGES, |widget| {
            change(widget["properties"]["metrics"].as_array_mut().unwrap());
        });
    };
    told("Failed messages now: undeliveredQueue is not in it", |rows| drop(rows.remove(1)));
    told("moviesQueue is no queue for failures", |rows| {
        rows.push(json!(["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${moviesQueue.name}", {"label": "movies"}]));
    });
    let swapped = faults_with(legend::FAILED_MESSAGES, |widget| {
        widget["properties"]["metrics"][1][3] = json!("${moviesQueue.name}");
    });
    assert_eq!(
        swapped,
        [
            "Failed messages now: undelivered reads something else",
            "Messages waiting: undelivered is another series on Failed messages now",
            "Failed messages now: undeliveredQueue is not in it",
            "Failed messages now: moviesQueue is no queue for failures"
        ]
    );
    let mut program = default_program().to_json();
    program["resources"]["newQueue"] = json!({"type": "aws:sqs:Queue", "properties": {"name": "new"}});
    assert_eq!(faults(&program), ["Failed messages now: newQueue is not in it"]);
}

#[test]
fn an_alarm_that_is_not_shown_or_does_not_exist_is_caught() {
    const CAUSES: &str = "Causes, the red ones first";
    assert_told("${runLateAlarm.arn} is not shown", CAUSES, |widget| {
        widget["properties"]["alarms"].as_array_mut().unwrap().remove(0);
    });
    assert_told("shown twice", CAUSES, |widget| {
        widget["properties"]["alarms"].as_array_mut().unwrap().push(json!("${runLateAlarm.arn}"));
    });
    assert_told("is no alarm", CAUSES, |widget| {
        widget["properties"]["alarms"].as_array_mut().unwrap().push(json!("${ranker.arn}"));
    });
    assert_told("101 alarms", CAUSES, |widget| {
        widget["properties"]["alarms"] = json!(vec!["${runLateAlarm.arn}"; 101]);
    });
}

#[test]
fn an_alarm_whose_metric_or_threshold_is_on_no_chart_is_caught() {
    assert_told("the threshold of queueStallsAlarm", "Movies queue: oldest message (s), deletions", |widget| {
        widget["properties"]["annotations"]["horizontal"][0]["value"] = json!(901);
    });
    let elsewhere = faults_with("Movies queue: oldest message (s), deletions", |widget| {
        widget["properties"]["metrics"][0][3] = json!("${undeliveredQueue.name}");
    });
    let by_the_title = "Movies queue: oldest message (s), deletions: movies queue reads something else";
    assert_eq!(elsewhere, ["what queueStallsAlarm watches is on no chart", by_the_title]);
}

#[test]
fn a_line_that_is_not_at_what_its_label_says_is_caught() {
    for title in ["Ranker: duration (ms)", "Enricher: duration (ms)", LATENCY, "Requests a day"] {
        let faults = faults_with(title, |widget| {
            let lines = widget["properties"]["annotations"]["horizontal"].as_array_mut().unwrap();
            let line = lines.iter_mut().find(|line| !line["label"].as_str().unwrap().starts_with("alarm")).unwrap();
            line["value"] = json!(7);
        });
        assert!(matches!(&faults[..], [fault] if fault.contains("is drawn at 7")), "{faults:?}");
    }
    assert_told("nothing here is called budget", LATENCY, |widget| {
        widget["properties"]["annotations"]["horizontal"][0]["label"] = json!("budget");
    });
    assert_told("nobody looked at", "Hours since the last complete run", |widget| {
        let rows = widget["properties"]["metrics"].as_array_mut().unwrap();
        let row = rows.iter_mut().find(|row| row[0]["id"] == "hours").unwrap();
        row[0]["expression"] = json!(row[0]["expression"].as_str().unwrap().replace("3600", "360"));
    });
}

#[test]
fn a_log_field_a_log_group_or_a_reference_that_does_not_exist_is_caught() {
    let told = |told: &str, from: &str, to: &str| {
        assert_told(told, ERRORS, |widget| {
            let query = &mut widget["properties"]["query"];
            let changed = query.as_str().unwrap().replace(from, to);
            assert_ne!(*query, changed);
            *query = json!(changed);
        });
    };
    told("there is no field traceId", "trace_id", "traceId");
    told("there is no field show", "fields @timestamp", "show @timestamp");
    told("there is no field \"ERORR\"", "\"ERROR\"", "\"ERORR\"");
    told("no log group of the stack", "${rankerLogs.name}", "${ranker.name}");
    assert_told("rankers.name means nothing in the program", "Ranker: invocations", |widget| {
        widget["properties"]["title"] = json!("${rankers.name}");
    });
}

#[test]
fn a_link_that_leads_nowhere_is_caught() {
    let program = default_program().to_json();
    let text = body_of(&program)["widgets"][0]["properties"]["markdown"].as_str().unwrap();
    assert_eq!(link_faults(&program, text), Vec::<String>::new());
    let text = text.replace("${ranker.name}", "${moviesQueue.name}");
    assert_eq!(link_faults(&program, &text), ["the link to the log of moviesQueue leads nowhere"]);
}
