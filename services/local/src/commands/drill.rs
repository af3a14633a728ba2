//! `cargo local drill`: what the person on call gets when something is wrong.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::{exit_code_of, until_signal};
use crate::drill::{self, DRILLS, Drill, Finding, Matrix};
use crate::fault::Fault;
use crate::progress::Progress;

const ALL: &str = "all";

#[derive(Debug, Args)]
#[command(after_help = help())]
pub(super) struct Arguments {
    /// The drill, or `all` for each of them and the matrix of faults and alarms.
    name: String,
    /// Prints one JSON object instead of the text.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let drills = find(&arguments.name)?;
    let done = |finding: &Finding| {
        Progress::Shown.say(&format!("· {}: {} ({} s)", finding.name, finding.verdict(), finding.duration_s));
    };
    let findings = match until_signal(Box::pin(drill::run(&drills, done))).await? {
        Ok(findings) => findings?,
        Err(signal) => return Ok(exit_code_of(signal)),
    };
    let matrix = Matrix { drills: findings };
    print(&text_of(&matrix, &arguments)?)?;
    Ok(ExitCode::from(u8::from(!matrix.is_as_expected())))
}

fn find(name: &str) -> Result<Vec<&'static Drill>, Fault> {
    if name == ALL {
        return Ok(DRILLS.iter().collect());
    }
    let unknown = || Fault::Usage(format!("there is no drill {name}.\n\n{}", list()));
    Drill::find(name).map(|drill| vec![drill]).ok_or_else(unknown)
}

fn help() -> String {
    format!(
        "Each drill starts a pipeline of its own, with a stand-in of OMDb, puts its fault into that one and stops it: it \
         touches neither AWS nor a pipeline that `cargo local up` keeps running. Exits with 0 when all is as expected, \
         and with 1 when anything is not or a drill could not be carried out.\n\n{}",
        list()
    )
}

fn list() -> String {
    let width = DRILLS.iter().map(|drill| drill.name.len()).max().unwrap_or_default();
    let line = |name: &str, what: &str| format!("\n  {name:width$}  {what}");
    let lines = DRILLS.iter().map(|drill| line(drill.name, drill.what));
    format!(
        "Drills:{}{}",
        lines.collect::<String>(),
        line(ALL, "Each of them; prints the matrix of faults and alarms.")
    )
}

fn text_of(matrix: &Matrix, arguments: &Arguments) -> anyhow::Result<String> {
    Ok(match (&matrix.drills[..], arguments.name == ALL, arguments.json) {
        ([finding], false, true) => serde_json::to_string(finding)?,
        ([finding], false, false) => finding.to_string(),
        (_, _, true) => serde_json::to_string(matrix)?,
        (_, _, false) => matrix.to_string(),
    })
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    std::io::Write::write_all(&mut stdout, format!("{text}\n").as_bytes()).context("printing what was found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_drill_is_told_with_those_that_exist() {
        let fault = find("sharknado").unwrap_err().to_string();
        assert!(fault.starts_with("there is no drill sharknado."), "{fault}");
        for drill in DRILLS {
            assert!(fault.contains(drill.name) && fault.contains(drill.what), "{fault}");
        }
        assert_eq!(find("omdb-down").unwrap().len(), 1);
        assert_eq!(find(ALL).unwrap().len(), DRILLS.len());
    }
}
