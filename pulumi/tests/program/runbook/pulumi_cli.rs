//! The Pulumi command line, as far as the runbook uses it.

use pulumi::config::{REGION_KEY, settings};

/// What can be called, with how many arguments it takes at most, and the options that it takes of those that the runbook
/// uses (<https://www.pulumi.com/docs/iac/cli/commands/>).
const CALLS: &[(&str, usize, &[&str])] = &[
    ("config refresh", 0, &[]),
    ("config set", 2, &[]),
    ("config", 0, &[]),
    ("login", 0, &[]),
    ("refresh", 0, &[]),
    ("stack history", 0, &["--json"]),
    ("stack output", 0, &[]),
    ("stack select", 1, &[]),
    ("up", 0, &["--refresh"]),
];

/// What is wrong with a call.
pub(super) fn fault(call: &str) -> Option<String> {
    let words = call.split_whitespace().skip(1);
    let (options, words): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with('-'));
    let is_called = |name: &str| words.iter().copied().take(name.split(' ').count()).eq(name.split(' '));
    let Some((name, most, known)) = CALLS.iter().find(|(name, ..)| is_called(name)) else {
        return Some(format!("nothing is known of {call}"));
    };
    let arguments = &words[name.split(' ').count()..];
    let unknown = options.iter().find(|option| !known.contains(option)).or_else(|| arguments.get(*most));
    if let Some(unknown) = unknown {
        return Some(format!("pulumi {name} takes no {unknown}"));
    }
    let setting = arguments.first().filter(|_| *name == "config set")?;
    let is_known = settings::find(setting).is_some() || *setting == REGION_KEY;
    (!is_known).then(|| format!("there is no setting {setting}"))
}

/// Pulumi compares with its own state, which knows nothing of what was changed by hand: without a refresh only a changed
/// setting makes a difference.
pub(super) fn restores_nothing(block: &[String]) -> bool {
    let up = block.iter().position(|line| line == "pulumi up");
    up.is_some_and(|up| !block[..up].iter().any(|line| line.starts_with("pulumi config set ")))
}
