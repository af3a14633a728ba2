//! `cargo local up`: the pipeline, kept running for a look around.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use super::run::{self, List};
use super::{exit_code_of, until_signal};
use crate::deploy::STACK;
use crate::emulator::{OWNER_CREDENTIAL, REGION};
use crate::endpoint::{Announcement, Names};
use crate::omdb::OmdbFault;
use crate::options::Options;
use crate::pipeline::Pipeline;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    list: List,
    /// Does not fire the schedule.
    #[arg(long)]
    no_run: bool,
    /// Makes OMDb fail for a film, so that its message ends in the dead-letter queue; may be given several times.
    /// FAULT is unknown-id, invalid-key, quota-exhausted, html-page, oversized-body, cut-connection, too-many-requests,
    /// status-NNN (such as status-503) or delay-MS (such as delay-60000, in milliseconds).
    #[arg(long, value_name = "ID=FAULT", value_parser = parse_failure)]
    fail: Vec<(String, OmdbFault)>,
}

fn parse_failure(text: &str) -> Result<(String, OmdbFault), String> {
    let (id, fault) = text.split_once('=').ok_or("ID=FAULT is wanted, such as tt0111161=unknown-id")?;
    if !id.starts_with("tt") {
        return Err(format!("{id} is no IMDb id; one looks like tt0111161"));
    }
    let fault =
        parse_fault(fault).ok_or_else(|| format!("{fault} is no failure of OMDb; see --help for those it has"))?;
    Ok((id.to_owned(), fault))
}

fn parse_fault(text: &str) -> Option<OmdbFault> {
    Some(match text {
        "unknown-id" => OmdbFault::UnknownId,
        "invalid-key" => OmdbFault::InvalidKey,
        "quota-exhausted" => OmdbFault::QuotaExhausted,
        "html-page" => OmdbFault::HtmlPage,
        "oversized-body" => OmdbFault::OversizedBody,
        "cut-connection" => OmdbFault::CutConnection,
        "too-many-requests" => OmdbFault::TooManyRequests { retry_after_s: 1 },
        _ => match text.split_once('-')? {
            ("status", status) => OmdbFault::Status(status.parse().ok().filter(|status| (400..600).contains(status))?),
            ("delay", ms) => OmdbFault::Delay(Duration::from_millis(ms.parse().ok()?)),
            _ => return None,
        },
    })
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let options = run::options(&arguments.list, !arguments.fail.is_empty())?;
    let (pipeline, _announcement) = match until_signal(Box::pin(start(options, &arguments))).await? {
        Ok(started) => started?,
        Err(signal) => return Ok(exit_code_of(signal)),
    };
    tell_where(&pipeline, "")?;
    if let Some(omdb) = pipeline.omdb().filter(|_| !arguments.fail.is_empty()) {
        eprintln!("  curl -X DELETE {}faults   # from then on OMDb is well", omdb.base_url());
    }
    stay(&pipeline).await?;
    Ok(ExitCode::SUCCESS)
}

async fn start(options: Options, arguments: &Arguments) -> anyhow::Result<(Pipeline, Announcement)> {
    let pipeline = Pipeline::start(options).await?;
    for (id, fault) in &arguments.fail {
        pipeline.omdb().context("the stand-in of OMDb does not run")?.fail(id, *fault);
    }
    // From now on, other commands find this pipeline without being told where it is.
    let announcement = Announcement::make(&pipeline.emulator().endpoint(), REGION, STACK)?;
    if !arguments.no_run {
        let report = run::fire_and_report(&pipeline, arguments.list.top).await?;
        eprintln!("{report}");
    }
    Ok((pipeline, announcement))
}

/// Stays up until a signal, which is how staying up is meant to end, or until the local AWS ends by itself.
pub(super) async fn stay(pipeline: &Pipeline) -> anyhow::Result<()> {
    match until_signal(end_of_the_local_aws(pipeline)).await? {
        Ok(log) => bail!("the local AWS has ended by itself; its log ends with:\n{log}"),
        Err(_signal) => Ok(()),
    }
}

async fn end_of_the_local_aws(pipeline: &Pipeline) -> String {
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if let Some(log) = pipeline.emulator().log_if_ended() {
            return log;
        }
    }
}

/// Where everything is, and what can be done with it. `options` are those that other commands need to find it.
pub(super) fn tell_where(pipeline: &Pipeline, options: &str) -> anyhow::Result<()> {
    let endpoint = pipeline.emulator().endpoint();
    let deployment = pipeline.deployment();
    let names = Names::of(STACK)?;
    let credentials = format!("AWS_ACCESS_KEY_ID={OWNER_CREDENTIAL} AWS_SECRET_ACCESS_KEY={OWNER_CREDENTIAL}");
    eprintln!("\nStaying up until Ctrl-C.");
    eprintln!("  local AWS  {endpoint}");
    eprintln!("  region     {REGION}");
    eprintln!("  access     {credentials}");
    eprintln!("  stack      {STACK}");
    eprintln!("  bucket     {}", deployment.movies_bucket);
    eprintln!("  queue      {}", names.movies_queue);
    eprintln!("  failures   {}, {}, {}", names.dead_letters, names.undelivered, names.ranker_failures);
    eprintln!("  traces     {}", pipeline.traces().endpoint());
    if let Some(omdb) = pipeline.omdb() {
        eprintln!("  OMDb       {}", omdb.base_url());
    }
    let aws = format!("{credentials} AWS_REGION={REGION} aws --endpoint-url {endpoint}");
    eprintln!("Try, in another terminal:");
    eprintln!("  cargo local explain latest{options}");
    eprintln!("  cargo local dead-letters list{options}");
    eprintln!("  {aws} s3 ls --recursive s3://{}", deployment.movies_bucket);
    eprintln!("  {aws} logs filter-log-events --log-group-name {}", deployment.enricher_log_group);
    eprintln!(
        "  {aws} lambda invoke --function-name {} --payload '{{}}' --cli-binary-format raw-in-base64-out /dev/stdout",
        deployment.ranker_function
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_a_film_and_what_goes_wrong_with_it() {
        let parsed = |text| parse_failure(text).unwrap();
        assert_eq!(parsed("tt0111161=unknown-id"), ("tt0111161".to_owned(), OmdbFault::UnknownId));
        assert_eq!(parsed("tt0111161=status-503").1, OmdbFault::Status(503));
        assert_eq!(parsed("tt0111161=delay-1500").1, OmdbFault::Delay(Duration::from_millis(1500)));
        for (text, told) in [
            ("tt0111161", "ID=FAULT is wanted"),
            ("Shawshank=unknown-id", "is no IMDb id"),
            ("tt0111161=status-200", "is no failure of OMDb"),
            ("tt0111161=sulking", "is no failure of OMDb"),
        ] {
            let fault = parse_failure(text).unwrap_err();
            assert!(fault.contains(told), "{fault}");
        }
    }
}
