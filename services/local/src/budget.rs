//! How large what ships may become. A crate comes in with one line and stays for years, so somebody has to say yes to it.
//!
//! Both budgets stand here. To raise one, change its number and its reason, and renew the list of crates:
//! `BLESS=1 cargo test --workspace --lib budget`. What a zip is made of is told by `cargo local bench size`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, ensure};
use artefacts::Architecture;
use domain::contract::Service;

use crate::package::Package;
use crate::target;

/// Bytes of a function's zip: a larger one takes longer to fetch at each cold start. What it has today on `x86_64`, 4.4 and
/// 4.9 MB, and a little for a change of compiler; no more than the 5 MB that are the goal. On arm64, whose zips CI cannot
/// build, nobody knows yet whether the goal is met: a tenth more, since a budget that was never held against anything must
/// not stop somebody's first deployment.
const fn zip_bytes(service: Service, architecture: Architecture) -> usize {
    let bytes = match service {
        Service::Ranker => 4_700_000,
        Service::Enricher => 5_000_000,
    };
    match architecture {
        Architecture::X86_64 => bytes,
        Architecture::Arm64 => bytes + bytes / 10,
    }
}

/// The crates as they were when the budgets were set, one a line, twice if there are two versions of it.
const KNOWN: &str = include_str!("../shipped-crates.txt");

/// Packages of a size that is not in the budget.
///
/// # Errors
/// The first of them, with the crates that came in since the budget was set.
pub(crate) fn judge(packages: &[Package], architecture: Architecture) -> anyhow::Result<()> {
    for Package { service, zip_bytes, .. } in packages {
        let most = self::zip_bytes(*service, architecture);
        ensure!(
            *zip_bytes <= most,
            "the {}'s zip has {zip_bytes} bytes, more than the {most} that services/local/src/budget.rs allows; {}. \
             `cargo local bench size` tells what takes the room; the zip can be deployed as it is",
            service.name(),
            told(&came_in(&shipped(architecture)?))
        );
    }
    Ok(())
}

/// The crates in the functions, one line each: those that only run while something is compiled are left out.
fn shipped(architecture: Architecture) -> anyhow::Result<Vec<String>> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--no-dedupe"]);
    command.args(["--target", architecture.target()]).current_dir(target::workspace());
    command.args(Service::ALL.iter().flat_map(|service| ["--package", service.name()]));
    target::forget_outer_cargo(&mut command);
    let output = command.output().context("cargo cannot be started")?;
    ensure!(output.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    // `name v1.2.3 (…)`: one line for each version.
    let crates: BTreeSet<_> = String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect();
    let name = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    Ok(crates.iter().map(name).filter(|name| !name.is_empty()).collect())
}

/// Crates that are there more often than they are known.
fn came_in(shipped: &[String]) -> Vec<&str> {
    let mut known = BTreeMap::<_, usize>::new();
    for name in KNOWN.lines() {
        *known.entry(name).or_default() += 1;
    }
    let mut new = Vec::new();
    for name in shipped {
        match known.get_mut(name.as_str()) {
            Some(left) if *left > 0 => *left -= 1,
            _ => new.push(name.as_str()),
        }
    }
    new
}

fn told(new: &[&str]) -> String {
    if new.is_empty() {
        return "no crate came in since the budget was set, so it is one that grew, or our own code".to_owned();
    }
    format!("since the budget was set, these crates came in: {}", new.join(", "))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// How many crates both functions may have together, our own included: today's, and 5 % for what dependencies pull in by
    /// themselves. Each is code that others may change and nobody here reads.
    const CRATES: usize = 215;

    #[test]
    fn what_ships_has_no_more_crates_than_its_budget_allows() {
        let shipped = shipped(Architecture::Arm64).unwrap();
        assert!(shipped.len() > 100, "cargo tree told of {} crates only", shipped.len());
        if std::env::var_os("BLESS").is_some() {
            let list = target::workspace().join("services/local/shipped-crates.txt");
            std::fs::write(list, shipped.join("\n") + "\n").unwrap();
            return;
        }
        let (count, told) = (shipped.len(), told(&came_in(&shipped)));
        assert!(count <= CRATES, "the functions have {count} crates, more than the budget of {CRATES}; {told}");
    }

    #[test]
    fn a_crate_that_came_in_is_named_and_so_is_the_second_version_of_one() {
        let known: Vec<_> = KNOWN.lines().map(str::to_owned).collect();
        assert_eq!(came_in(&known), [""; 0]);
        let mut more = known.clone();
        more.extend(["leftpad".to_owned(), "serde".to_owned()]);
        assert_eq!(came_in(&more), ["leftpad", "serde"]);
    }

    #[test]
    fn a_zip_over_its_budget_is_refused_with_both_figures() {
        let package = |zip_bytes| Package {
            service: Service::Ranker,
            path: PathBuf::new(),
            zip_bytes,
            binary_bytes: 2 * zip_bytes,
        };
        for architecture in [Architecture::X86_64, Architecture::Arm64] {
            let most = zip_bytes(Service::Ranker, architecture);
            assert!(judge(&[package(most)], architecture).is_ok());
            let told = judge(&[package(most + 1)], architecture).unwrap_err().to_string();
            for part in ["the ranker's zip", &most.to_string(), &(most + 1).to_string(), "budget"] {
                assert!(told.contains(part), "{part} is missing in: {told}");
            }
        }
    }
}
