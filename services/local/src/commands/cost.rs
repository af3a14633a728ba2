//! `cargo local cost`: what the default stack costs.

use std::process::ExitCode;

use clap::Args;

use crate::cost::Estimate;
use crate::deploy::Configuration;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Sets a value of the stack's configuration, such as topN=100; may be given several times.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// Prints one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let estimate = Estimate::of(&Configuration::from_iter(arguments.settings))?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&estimate)?);
    } else {
        print!("{estimate}");
    }
    Ok(ExitCode::SUCCESS)
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a setting looks like topN=100")?;
    Ok((name.to_owned(), value.to_owned()))
}
