//! What page and ticket say. Nobody is told by another alarm, so theirs is the text of the mail: it has the command that
//! lists everything that is red, and the first step for each alarm that they stand for, from that alarm's own notice.

use domain::contract::PROJECT;

use super::notices::DESCRIPTION_BYTES;
use super::{ALARMS, Severity};
use crate::config::Config;
use crate::resource::literal;

/// What stands for the words that had no room.
const CUT: &str = "...";

/// The description of a composite alarm.
pub(super) fn description(config: &Config, severity: Severity) -> String {
    let (notice, command) = (severity.notice(), list_all(&config.stack));
    // Without the doubled `$` of a literal, which do not reach AWS.
    let around = notice.with_list(&command, "", &config.runbook_url);
    let list = causes(severity, DESCRIPTION_BYTES.saturating_sub(around.len()));
    notice.with_list(&command, &list, &literal(&config.runbook_url))
}

/// Lists the alarms on metrics that are red, of either severity: without `--alarm-types`, composite ones are left out
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>).
fn list_all(stack: &str) -> String {
    format!("aws cloudwatch describe-alarms --state-value ALARM --alarm-name-prefix {PROJECT}-{stack}-")
}

/// A line for each alarm, `dead-letters: Read the reason in the enricher's log`. The steps are cut where all of them have
/// no room, the longest first: with a long address of the runbook.
fn causes(severity: Severity, room_bytes: usize) -> String {
    let notices: Vec<_> = ALARMS.iter().filter(|alarm| alarm.severity == severity).map(|alarm| alarm.notice).collect();
    let list = |step_bytes: usize| -> String {
        notices.iter().map(|notice| [notice.thing, ": ", &cut(notice.step(), step_bytes), "\n"].concat()).collect()
    };
    let longest = notices.iter().map(|notice| notice.step().len()).max().unwrap_or_default();
    (0..=longest).rev().map(list).find(|list| list.len() <= room_bytes).unwrap_or_default()
}

/// As many whole words as have room.
fn cut(step: &str, most_bytes: usize) -> String {
    if step.len() <= most_bytes {
        return step.to_owned();
    }
    let ends = step.match_indices(' ').map(|(at, _)| at);
    let end = ends.take_while(|at| at + CUT.len() <= most_bytes).last();
    end.and_then(|end| step.get(..end)).map_or_else(String::new, |words| format!("{words}{CUT}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn description_with(address: &str, severity: Severity) -> String {
        let values = json!({"movie-pipeline:runbookUrl": address}).to_string();
        description(&Config::read("dev", Some(&values)).unwrap(), severity)
    }

    fn lines(severity: Severity) -> impl Iterator<Item = (&'static str, &'static str)> {
        let alarms = ALARMS.iter().filter(move |alarm| alarm.severity == severity);
        alarms.map(|alarm| (alarm.notice.thing, alarm.notice.step()))
    }

    #[test]
    fn the_mail_has_the_whole_first_step_of_each_cause_with_an_address_of_100_characters() {
        let address = format!("https://{}", "a".repeat(92));
        for severity in Severity::ALL {
            let text = description_with(&address, severity);
            assert!(text.len() <= DESCRIPTION_BYTES, "{}: {text}", text.len());
            for (thing, step) in lines(severity) {
                assert!(text.contains(&format!("\n{thing}: {step}\n")), "{thing}: {text}");
            }
        }
    }

    #[test]
    fn the_mail_has_the_command_that_lists_everything_red_since_a_second_cause_sends_none() {
        for severity in Severity::ALL {
            let text = description_with("runbook.md", severity);
            let (before, after) = text.split_once('\n').unwrap();
            assert!(before.ends_with(" List all that is red, as later causes send no mail:"), "{text}");
            let command =
                "aws cloudwatch describe-alarms --state-value ALARM --alarm-name-prefix movie-pipeline-dev-\n";
            assert!(after.starts_with(command), "{text}");
        }
    }

    #[test]
    fn the_mail_has_the_beginning_of_each_first_step_with_the_longest_address() {
        let address = format!("https://{}", "a".repeat(292));
        for severity in Severity::ALL {
            let text = description_with(&address, severity);
            assert!(text.len() <= DESCRIPTION_BYTES, "{}: {text}", text.len());
            assert!(text.ends_with(&format!("{address}#{}", severity.notice().thing)));
            for (thing, step) in lines(severity) {
                let line = text.lines().find_map(|line| line.strip_prefix(&format!("{thing}: ")));
                let told = line.unwrap_or_default().trim_end_matches(CUT);
                assert!(!told.is_empty() && step.starts_with(told), "{thing}: {text}");
            }
        }
        let dollars = description_with(&"$".repeat(300), Severity::Page).replace("$$", "$");
        assert!(dollars.len() <= DESCRIPTION_BYTES && dollars.contains("\nomdb-quota: "), "{dollars}");
    }

    #[test]
    fn a_step_is_cut_between_words() {
        assert_eq!(cut("Read the log", 12), "Read the log");
        assert_eq!(cut("Read the log", 11), "Read the...");
        assert_eq!(cut("Read the log", 10), "Read...");
        assert_eq!(cut("Read the log", 6), "");
    }
}
