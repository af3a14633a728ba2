//! The runbook has a section for each alarm, and what it tells to type exists.

mod aws;
mod document;
mod pulumi_cli;

use std::collections::BTreeSet;

use domain::contract::metrics::{self, ENVIRONMENT_DIMENSION, MAINTENANCE_METRIC, NAMESPACE, SERVICE_DIMENSION};
use domain::contract::{PROJECT, logs};
use domain::enriched::LATEST_KEY;
use pulumi::alarms::{ALARMS, MAINTENANCE, Severity};
use pulumi::config::settings;

use crate::common::{default_program, repository};
use crate::dashboard::{charted, unknown_fields};
use document::{Document, Section};

pub(crate) const PATH: &str = "dashboards/runbook.md";

const PARTS: [&str; 5] = ["Meaning", "Impact", "Confirm", "Cure", "Prevent"];

/// What else commands leave open, beside outputs and settings.
const LEFT_OPEN: [&str; 10] = ["name", "stack", "profile", "region", "run", "movie", "time", "uuid", "arn", "handle"];

/// Single words in code type that are neither ours nor a setting: what AWS and Lambda put into messages and answers
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html>,
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>,
/// <https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html>), what Pulumi notes of an
/// update, and what is part of a command.
const WORDS_OF_OTHERS: [&str; 20] = [
    "ERROR_CODE",
    "ERROR_MESSAGE",
    "requestPayload",
    "responsePayload",
    "Disabled",
    "DISABLED",
    "StateTransitionReason",
    "git.head",
    "inspect",
    "--all",
    "--json",
    "--cause",
    "--run",
    "--movie",
    "--id",
    "--key-id",
    "'{}'",
    "2026-11-22T12-00-00Z",
    "tt0111161",
    "2026-11-22T12:00:00Z",
];

/// How a secret comes into a command: typed without being shown, and handed on by what is part of the shell.
const READ_KEY: &str = "read -rs key && printf %s \"$key\" | ";

fn text() -> String {
    std::fs::read_to_string(repository(PATH)).unwrap()
}

/// All that is wrong with a runbook.
fn faults(text: &str) -> Vec<String> {
    let document = Document::read(text);
    let mut faults = section_faults(&document);
    faults.extend(link_faults(&document));
    faults.extend(open_name_faults(text));
    faults.extend(document.blocks.iter().flatten().flat_map(|command| command_faults(command)));
    faults.extend(deploy_faults(&document));
    let fields = document.queries.iter().flat_map(|query| unknown_fields(query));
    faults.extend(fields.map(|field| format!("there is no field {field}")));
    faults.extend(word_faults(&document));
    faults.extend(quoted_faults(text));
    faults
}

/// The alarms by the heading they stand under, as their descriptions link to them.
fn sections_wanted() -> Vec<(&'static str, String)> {
    let program = default_program();
    let link = |name: &str| {
        let alarm = program.resources().iter().find(|resource| resource.name == name).unwrap();
        alarm.properties["alarmDescription"].as_str().unwrap().rsplit_once('#').unwrap().1.to_owned()
    };
    let under = |severity| match severity {
        Severity::Page => "Alarms that page",
        Severity::Ticket => "Alarms that open a ticket",
    };
    let metric = ALARMS.iter().map(|alarm| (under(alarm.severity), link(alarm.notice.name)));
    let others = Severity::ALL.map(Severity::notice).into_iter().chain([MAINTENANCE]);
    metric.chain(others.map(|notice| ("Alarms that stand for others", link(notice.name)))).collect()
}

/// Each alarm has its section under the heading of its kind, with all parts, and each section an alarm.
fn section_faults(document: &Document) -> Vec<String> {
    let wanted = sections_wanted();
    let mut faults = Vec::new();
    for (under, section) in &wanted {
        match document.sections.iter().find(|found| found.heading == *section) {
            None => faults.push(format!("the alarm {section} has no section")),
            Some(found) if found.under != *under => faults.push(format!("{section} does not stand under {under}")),
            Some(found) => faults.extend(part_fault(section, &found.body)),
        }
    }
    let strange =
        sections_of_alarms(document).filter(|section| !wanted.iter().any(|(_, name)| *name == section.heading));
    faults.extend(strange.map(|section| format!("{} is no alarm", section.heading)));
    faults
}

fn sections_of_alarms(document: &Document) -> impl Iterator<Item = &Section> {
    document.sections.iter().filter(|section| section.under.starts_with("Alarms that"))
}

fn part_fault(section: &str, body: &str) -> Option<String> {
    let leads = body.lines().filter_map(|line| line.strip_prefix("**")?.split_once(".** "));
    let leads: Vec<_> = leads.filter(|(_, text)| !text.trim().is_empty()).map(|(lead, _)| lead).collect();
    (leads != PARTS).then(|| format!("{section} has the parts {leads:?}"))
}

fn link_faults(document: &Document) -> Vec<String> {
    let dead = document.links.iter().filter(|link| !document.anchors.contains(*link));
    dead.map(|link| format!("there is no heading for the link #{link}")).collect()
}

/// `<name>` is an output, a setting, or told of.
fn open_name_faults(text: &str) -> Vec<String> {
    let program = default_program();
    let names = text.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(name, _)| name);
    let names: BTreeSet<_> = names.filter(|name| !name.starts_with("!--")).collect();
    let is_known = |name: &str| {
        program.outputs().contains_key(name) || settings::find(name).is_some() || LEFT_OPEN.contains(&name)
    };
    let unknown =
        names.iter().filter(|name| !is_known(name)).map(|name| format!("<{name}> is no output and no setting"));
    let told = text.split("### ").find(|part| part.starts_with("What the commands leave open")).unwrap_or_default();
    let untold = LEFT_OPEN.iter().filter(|name| !told.contains(&format!("`<{name}>`")));
    unknown.chain(untold.map(|name| format!("<{name}> is not explained"))).collect()
}

/// Says once for all commands which account and region they ask.
const WHERE: &str = "export AWS_PROFILE=<profile> AWS_REGION=<region>";

fn command_faults(command: &str) -> Vec<String> {
    let mut faults: Vec<_> = aws::calls(command).filter_map(|call| aws::fault(&call)).collect();
    let is_metric = |name: &str| metrics::find(name).is_some() || name == MAINTENANCE_METRIC;
    let ours = format!("{PROJECT}-<stack>-");
    let is_alarm = |name: &str| {
        let thing = name.strip_prefix(&ours);
        thing.is_some_and(|thing| sections_wanted().iter().any(|(_, section)| section == thing))
    };
    let is_right = |option: &str, value: &str| match option {
        "--metric-name" => is_metric(value),
        "--namespace" => value == NAMESPACE,
        "--dimensions" => value == format!("{ENVIRONMENT_DIMENSION}=<stack>"),
        "--alarm-names" => is_alarm(value),
        "--alarm-name-prefix" => value == ours,
        _ => true,
    };
    let words: Vec<_> = command.split_whitespace().collect();
    let wrong = words.windows(2).filter(|pair| !is_right(pair[0], pair[1]));
    faults.extend(wrong.map(|pair| format!("{} {} means nothing here", pair[0], pair[1])));
    faults.extend(command.starts_with("pulumi ").then(|| pulumi_cli::fault(command)).flatten());
    faults.extend(aws::shows_secret(command).then(|| format!("an argument shows the secret in {command}")));
    let is_known = ["aws ", "pulumi ", "cargo local ", READ_KEY, WHERE].iter().any(|start| command.starts_with(start));
    faults.extend((!is_known).then(|| format!("nothing is known of the command {command}")));
    faults
}

/// A cure that deploys brings back what was changed by hand and links to what goes before. What the text, too, says of
/// Pulumi's commands exists.
fn deploy_faults(document: &Document) -> Vec<String> {
    let in_text = document.code.iter().filter(|code| code.starts_with("pulumi "));
    let mut faults: Vec<_> = in_text.filter_map(|code| pulumi_cli::fault(code)).collect();
    let bare = document.blocks.iter().filter(|block| pulumi_cli::restores_nothing(block));
    faults.extend(bare.map(|block| format!("pulumi up without --refresh restores nothing: {block:?}")));
    for Section { heading, body, .. } in sections_of_alarms(document).filter(|cure| cure.body.contains("pulumi up")) {
        let is_bare = body.contains("`pulumi up`");
        faults.extend(is_bare.then(|| format!("pulumi up without --refresh restores nothing: {heading}")));
        let is_linked = body.contains("](#before-pulumi-up)");
        faults.extend((!is_linked).then(|| format!("{heading} does not link to what goes before pulumi up")));
    }
    faults
}

/// Single words in code type mean something here.
fn word_faults(document: &Document) -> Vec<String> {
    let program = default_program();
    let is_known = |word: &str| {
        settings::find(word).is_some()
            || program.outputs().contains_key(word)
            || logs::ALL.iter().any(|field| field.name == word)
            || metrics::find(word).is_some()
            || [LATEST_KEY, NAMESPACE, ENVIRONMENT_DIMENSION, SERVICE_DIMENSION, MAINTENANCE_METRIC].contains(&word)
            || WORDS_OF_OTHERS.contains(&word)
            || (word.starts_with('<') && word.ends_with('>'))
            || (word.contains('/') && repository(word).is_file())
            || word.starts_with(&format!("{PROJECT}-"))
    };
    let words = document.code.iter().filter(|code| !code.contains(' '));
    words.filter(|word| !is_known(word)).map(|word| format!("nothing is called {word}")).collect()
}

/// Charts are called as on the dashboard, reasons as in the log.
fn quoted_faults(text: &str) -> Vec<String> {
    let program = default_program().to_json();
    let titles: BTreeSet<_> = charted(&program).into_iter().map(|charted| charted.title).collect();
    let charts = text.split("chart \"").skip(1).filter_map(|rest| rest.split('"').next());
    let strange = charts.filter(|chart| !titles.contains(*chart)).map(|chart| format!("there is no chart {chart}"));
    let told = reasons_of_the_enricher();
    let table = text.split("| The reason begins with | Do |").nth(1).unwrap_or_default().split("\n\n").next().unwrap();
    let rows = table.lines().skip(2).filter_map(|row| row.split('|').nth(1)).map(str::trim);
    let rows: Vec<_> = rows.collect();
    let unknown = rows.iter().filter(|row| !told.iter().any(|reason| reason.starts_with(**row)));
    let unknown = unknown.map(|row| format!("no reason begins with {row}"));
    let missing = told.iter().filter(|reason| !rows.iter().any(|row| reason.starts_with(row)));
    let missing = missing.map(|reason| format!("there is no row for the reason: {reason}"));
    strange.chain(unknown).chain(missing).collect()
}

/// Why a record can fail, as its errors say it; what begins with a figure has no beginning to look up.
fn reasons_of_the_enricher() -> Vec<String> {
    const SOURCES: [&str; 5] = [
        "services/enricher/src/omdb.rs",
        "services/enricher/src/api_key.rs",
        "services/enricher/src/bucket.rs",
        "services/enricher/src/enrichment.rs",
        "services/domain/src/message.rs",
    ];
    let reasons = |path: &&str| {
        let source = std::fs::read_to_string(repository(path)).unwrap();
        let texts = source.split("#[error(\"").skip(1).filter_map(|rest| rest.split('"').next());
        texts.filter(|text| !text.starts_with('{')).map(str::to_owned).collect::<Vec<_>>()
    };
    let reasons: Vec<_> = SOURCES.iter().flat_map(reasons).collect();
    assert!(reasons.len() > 10, "{reasons:?}");
    reasons
}

#[test]
fn every_alarm_has_its_section_and_every_command_names_what_exists() {
    let faults = faults(&text());
    assert!(faults.is_empty(), "{PATH}:\n{}", faults.join("\n"));
}

/// A text in the place of another must be told, in these words, and nothing else.
#[track_caller]
fn assert_told(told: &str, from: &str, to: &str) {
    let text = text();
    assert!(text.contains(from), "there is no {from}");
    let faults = faults(&text.replacen(from, to, 1));
    assert!(!faults.is_empty() && faults.iter().all(|fault| fault.contains(told)), "{told}: {faults:?}");
}

#[test]
fn a_section_that_is_missing_unknown_incomplete_or_out_of_place_is_caught() {
    let heading = "### source-sours\n";
    assert_told("source-sours", heading, "### source-sours-2\n");
    assert_told("nothing is no alarm", heading, "### nothing\n\n### source-sours\n");
    assert_told("source-sours has the parts [\"Meaning\"", "left out; the run goes on.\n\n**Confirm.** ", "\n\nLook. ");
    let elsewhere = "## Alarms that page\n\n### source-sours\n";
    assert_told("does not stand under Alarms that open a ticket", heading, elsewhere);
    assert_told("no heading for the link #dead-letter", "](#dead-letters)", "](#dead-letter)");
}

#[test]
fn a_command_that_names_what_does_not_exist_is_caught() {
    assert_told("<rankerFunktion> is no output", "<rankerFunction>", "<rankerFunktion>");
    assert_told("<handle> is not explained", "and `<handle>` come", "and such come");
    assert_told(
        "--metric-name Maintenence means nothing here",
        "--metric-name Maintenance",
        "--metric-name Maintenence",
    );
    assert_told("--namespace Movies means nothing here", "--namespace MoviePipeline", "--namespace Movies");
    assert_told("--dimensions Stack=<stack> means nothing here", "--dimensions Environment", "--dimensions Stack");
    assert_told("--alarm-names movie-pipeline-<stack>-pages", "<stack>-page ", "<stack>-pages ");
    assert_told("--alarm-name-prefix <stack>- means nothing", "prefix movie-pipeline-<stack>-", "prefix <stack>-");
    assert_told("aws lambda invoke-function", "aws lambda invoke ", "aws lambda invoke-function ");
    assert_told("--queue-name", "receive-message --queue-url", "receive-message --queue-name");
    assert_told("nothing is known of the command gh", "pulumi config\n", "gh run list\n");
    assert_told("nothing is known of pulumi configure", "pulumi config\n", "pulumi configure\n");
    assert_told("pulumi config takes no sets", "pulumi config\n", "pulumi config sets\n");
    assert_told("pulumi up takes no --yes", "```sh\npulumi up --refresh\n", "```sh\npulumi up --refresh --yes\n");
    assert_told("there is no setting omdbDailyLimits", "set omdbDailyLimit 2000", "set omdbDailyLimits 2000");
    assert_told("there is no setting schedules", "`pulumi config set schedule`", "`pulumi config set schedules`");
}

#[test]
fn a_deployment_that_restores_nothing_or_does_not_say_what_goes_before_is_caught() {
    let told = "pulumi up without --refresh restores nothing";
    assert_told(told, "```sh\npulumi up --refresh\n", "```sh\npulumi up\n");
    let set = "pulumi config set omdbDailyLimit 2000\n";
    assert_told(told, &format!("{set}pulumi up\n"), &format!("pulumi up\n{set}"));
    assert_told(told, "names a permission: `pulumi up --refresh`", "names a permission: `pulumi up`");
    let before = "([what goes before](#before-pulumi-up)). Throttled";
    assert_told("queue-stalls does not link to what goes before pulumi up", before, "(as above). Throttled");
}

#[test]
fn a_command_that_has_the_key_among_its_arguments_is_caught() {
    let shows = "an argument shows the secret";
    assert_told(shows, "--value file:///dev/stdin", "--value \"$(cat)\"");
    let confirms = "aws ssm get-parameter --with-decryption --name <omdbApiKeyParameter>";
    assert_told(shows, confirms, &format!("aws ssm get-parameter --name $({confirms})"));
    assert_told("aws ssm put-parameters", "| aws ssm put-parameter ", "| aws ssm put-parameters ");
}

#[test]
fn a_field_a_setting_a_chart_or_a_reason_that_does_not_exist_is_caught() {
    assert_told("there is no field item", "fields @timestamp, run, item_index", "fields @timestamp, run, item");
    assert_told("nothing is called batchSizes", "`batchSize`", "`batchSizes`");
    assert_told("there is no chart Latency", "chart \"Latency (ms)\"", "chart \"Latency\"");
    assert_told("OMDb re", "| OMDb rejects the API key |", "| OMDb refuses the key |");
}
