//! Prints the Pulumi program of a stack on stdout, or with `--cloudformation` the same as a CloudFormation template.
//!
//! Pulumi's YAML runtime runs it as its compiler. It sets `PULUMI_STACK` and `PULUMI_CONFIG` when it deploys, and
//! neither when it only asks which packages the program needs; the answer is a full program both times.
//!
//! With `--check-artefacts` it first looks into the functions' zips, where Pulumi would take them from, and refuses to
//! print a program whose functions would not start; it tells of them together with what is wrong with the configuration.
//! Nothing is deployed when no stack is named, so then it does not look.

use std::env::VarError;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use pulumi::{Config, ConfigFaults, Program, program, template};

/// The stack whose program is printed when Pulumi names none.
const STACK_WHEN_NONE_IS_NAMED: &str = "dev";

const USAGE: &str = "usage: pulumi [--check-artefacts | --cloudformation]";

fn main() -> ExitCode {
    match print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn print() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let document = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => program(&read_config()??).to_json(),
        ["--check-artefacts"] => program(&read_config_beside_artefacts()?).to_json(),
        ["--cloudformation"] => cloudformation(&program(&read_config()??))?,
        _ => return Err(USAGE.into()),
    };
    writeln!(std::io::stdout().lock(), "{document:#}")?;
    Ok(())
}

fn read_config() -> Result<Result<Config, ConfigFaults>, String> {
    let stack = variable("PULUMI_STACK")?.unwrap_or_else(|| STACK_WHEN_NONE_IS_NAMED.to_owned());
    Ok(Config::read(&stack, variable("PULUMI_CONFIG")?.as_deref()))
}

/// The configuration, if the artefacts go with it. What is wrong with either is told in one go.
fn read_config_beside_artefacts() -> Result<Config, Box<dyn std::error::Error>> {
    let config = read_config()?;
    let architecture = config.as_ref().map_or_else(|faults| faults.architecture, |config| Some(config.architecture));
    let is_deployed = variable("PULUMI_STACK")?.is_some();
    // Pulumi runs this program in its folder and takes the archives from there.
    let check = |architecture| artefacts::gate::check(Path::new(".."), architecture);
    match (config, architecture.filter(|_| is_deployed).map_or(Ok(()), check)) {
        (config, Ok(())) => Ok(config?),
        (Ok(_), Err(artefacts)) => Err(artefacts.into()),
        (Err(faults), Err(artefacts)) => Err(format!("{faults}\n{artefacts}").into()),
    }
}

/// The value is kept out of the error: `PULUMI_CONFIG` carries secrets.
fn variable(name: &str) -> Result<Option<String>, String> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("the environment variable {name} is not UTF-8")),
    }
}

fn cloudformation(program: &Program) -> Result<serde_json::Value, template::TranslateError> {
    let template = template::cloudformation(program)?;
    for parameter in &template.secure_parameters {
        eprintln!(
            "CloudFormation cannot create the SecureString {0}; once the stack stands, run\n  {1}",
            parameter.name,
            parameter.command()
        );
    }
    Ok(template.body)
}
