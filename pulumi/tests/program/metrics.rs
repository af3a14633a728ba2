//! Four sides speak of the custom metrics: the functions report them (the tests of `local` see to that), alarms watch
//! them, the dashboard charts them, the runbook lists them. All mean those of the catalogue in `domain`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use domain::contract::Service;
use domain::contract::metrics::{self, Metric, NAMESPACE, SERVICE_DIMENSION};
use serde_json::Value;

use crate::common::{assert_committed, default_program, repository};
use crate::dashboard::charted;
use crate::policy::watched;
use crate::runbook;

/// A metric, as one service reports it.
type Series = (String, String);

/// Metrics that no alarm watches, and why not.
const UNWATCHED: &[(&Metric, &str)] = &[
    (metrics::MOVIES_RANKED, "a run that does not get so far is late, and the ranker fails"),
    (metrics::MOVIES_ENRICHED, "a run that does not get so far is late"),
    (metrics::ENRICHMENT_FAILURES, "the queue tries again; what fails for good is a dead letter"),
    (metrics::RUN_DURATION, "a run that takes too long is late"),
    (metrics::OMDB_REQUESTS, "a quota that is used up has a metric of its own"),
    (metrics::OMDB_DURATION, "an OMDb that is too slow shows in the enricher's duration"),
];

const BEGIN: &str = "<!-- from here on what the catalogue says; BLESS=1 cargo test -p pulumi renews it -->";
const END: &str = "<!-- to here -->";

fn catalogue() -> BTreeSet<Series> {
    let of = |metric: &'static Metric| metric.services.iter().map(move |service| series(metric, *service));
    metrics::ALL.iter().copied().flat_map(of).collect()
}

fn series(metric: &Metric, service: Service) -> Series {
    (metric.name.to_owned(), service.name().to_owned())
}

/// The series of ours that a metric of an alarm or chart is.
fn own(metric: &Value) -> Option<Series> {
    let service = metric["dimensions"][SERVICE_DIMENSION].as_str()?;
    (metric["namespace"] == NAMESPACE).then(|| (metric["metricName"].as_str().unwrap().to_owned(), service.to_owned()))
}

/// Who speaks of each series: alarms by the ends of their names, charts by their titles.
fn alarms(program: &Value) -> BTreeMap<Series, BTreeSet<String>> {
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    let resources = program["resources"].as_object().unwrap().values();
    for alarm in resources.filter(|resource| resource["type"] == "aws:cloudwatch:MetricAlarm") {
        let description = alarm["properties"]["alarmDescription"].as_str().unwrap();
        let name = description.rsplit_once('#').unwrap().1;
        for series in watched(&alarm["properties"]).iter().filter_map(|(metric, _)| own(metric)) {
            found.entry(series).or_default().insert(name.to_owned());
        }
    }
    found
}

fn charts(program: &Value) -> BTreeMap<Series, BTreeSet<String>> {
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    for charted in charted(program) {
        if let Some(series) = own(&charted.metric) {
            found.entry(series).or_default().insert(charted.title);
        }
    }
    found
}

/// What one side has and another lacks.
fn odd(sides: &[(&str, &BTreeSet<Series>)]) -> Vec<String> {
    let all: BTreeSet<_> = sides.iter().flat_map(|(_, series)| series.iter()).collect();
    let lacking =
        |series: &Series| sides.iter().filter(|(_, has)| !has.contains(series)).map(|(side, _)| *side).collect();
    let lacking =
        all.iter().map(|series| (series, lacking(series))).filter(|(_, sides): &(_, Vec<_>)| !sides.is_empty());
    lacking.map(|((name, service), sides)| format!("{name} of the {service} is not in: {}", sides.join(", "))).collect()
}

/// The rows of the runbook's table.
fn listed(text: &str) -> BTreeSet<Series> {
    let table = text.split(BEGIN).nth(1).unwrap_or_default();
    let cells = table.lines().filter_map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        Some((cells.get(1)?.trim_matches('`').to_owned(), (*cells.get(2)?).to_owned()))
    });
    cells.skip(2).collect()
}

/// The alarms' side: what is watched, and what need not be.
fn watched_or_not(program: &Value) -> Result<BTreeSet<Series>, String> {
    let mut seen: BTreeSet<_> = alarms(program).into_keys().collect();
    for (metric, reason) in UNWATCHED {
        for service in metric.services {
            if !seen.insert(series(metric, *service)) {
                return Err(format!("{} is watched, so it needs no reason: {reason}", metric.name));
            }
        }
    }
    Ok(seen)
}

fn faults(program: &Value, text: &str) -> Vec<String> {
    let watched = match watched_or_not(program) {
        Ok(watched) => watched,
        Err(fault) => return vec![fault],
    };
    let (catalogue, charted) = (catalogue(), charts(program).into_keys().collect());
    let listed = listed(text);
    odd(&[
        ("the catalogue", &catalogue),
        ("the alarms", &watched),
        ("the dashboard", &charted),
        ("the runbook", &listed),
    ])
}

fn table(program: &Value) -> String {
    let (alarms, charts) = (alarms(program), charts(program));
    let mut rows = vec![
        "| Metric | Service | Unit | What it says | Alarms | Charts |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    for metric in metrics::ALL {
        for service in metric.services {
            let series = series(metric, *service);
            let links = alarms.get(&series).into_iter().flatten().map(|alarm| format!("[{alarm}](#{alarm})"));
            let links = links.collect::<Vec<_>>().join(", ");
            let titles = charts.get(&series).into_iter().flatten().cloned().collect::<Vec<_>>().join("; ");
            let unit = metric.unit.cloudwatch();
            rows.push(format!("| `{}` | {} | {unit} | {} | {links} | {titles} |", series.0, series.1, metric.meaning));
        }
    }
    rows.join("\n")
}

#[test]
fn catalogue_alarms_dashboard_and_runbook_speak_of_the_same_metrics() {
    let program = default_program().to_json();
    let path = repository(runbook::PATH);
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    assert_committed(&path, &format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", table(&program)));
    let faults = faults(&program, &std::fs::read_to_string(&path).unwrap());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_side_that_lacks_a_metric_or_has_one_too_many_is_named() {
    let (program, text) = (default_program().to_json(), std::fs::read_to_string(repository(runbook::PATH)).unwrap());
    let with = |change: fn(&mut Value)| {
        let mut program = program.clone();
        change(&mut program["resources"]);
        faults(&program, &text)
    };
    let unwatched = with(|resources| resources["runLateAlarm"]["properties"]["metricName"] = "RunCompleted".into());
    let everyone_else = "the catalogue, the dashboard, the runbook";
    assert_eq!(
        unwatched,
        [
            format!("RunCompleted of the enricher is not in: {everyone_else}"),
            "RunsCompleted of the enricher is not in: the alarms".to_owned()
        ]
    );
    let uncharted = with(|resources| {
        let body = &mut resources["dashboard"]["properties"]["dashboardBody"]["fn::toJSON"];
        let mut widgets = body["widgets"].as_array_mut().unwrap().iter_mut();
        let dropped = widgets.find(|widget| widget["properties"]["title"] == "Telemetry dropped").unwrap();
        dropped["properties"]["metrics"].as_array_mut().unwrap().remove(0);
    });
    assert_eq!(uncharted, ["TelemetryDropped of the ranker is not in: the dashboard"]);
    let unlisted = faults(&program, &text.replace("| `OmdbDuration` | enricher", "| `OmdbTime` | enricher"));
    assert_eq!(
        unlisted,
        [
            "OmdbDuration of the enricher is not in: the runbook",
            "OmdbTime of the enricher is not in: the catalogue, the alarms, the dashboard"
        ]
    );
    let needless = with(|resources| resources["runLateAlarm"]["properties"]["metricName"] = "OmdbRequests".into());
    assert!(needless[0].starts_with("OmdbRequests is watched, so it needs no reason"), "{needless:?}");
}

/// The sources of everything that ships or provisions. Tests may say what they expect.
fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !["target", "tests"].iter().any(|name| path.ends_with(name)) {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_source_but_the_catalogue_names_a_metric() {
    let mut files = Vec::new();
    sources(&repository("services"), &mut files);
    sources(&repository("pulumi"), &mut files);
    assert!(files.len() > 50, "only {} sources found", files.len());
    for path in files.iter().filter(|path| !path.ends_with("contract/metrics.rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let named = metrics::ALL.iter().find(|metric| code.contains(&format!("\"{}\"", metric.name)));
        assert!(named.is_none(), "{} names {} by itself", path.display(), named.unwrap().name);
    }
}
