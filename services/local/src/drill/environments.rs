//! The functions' processes.

use anyhow::{Context, bail, ensure};
use domain::contract::Service;
use rustix::process::{Pid, Signal, kill_process};

use crate::pipeline::Pipeline;

/// Sends a signal to every process that runs this function.
pub(super) fn signal(pipeline: &Pipeline, service: Service, signal: Signal) -> anyhow::Result<()> {
    let processes = processes_of(pipeline, service)?;
    ensure!(!processes.is_empty(), "no process runs the {}", service.name());
    for process in processes {
        kill_process(process, signal).with_context(|| format!("sending {signal:?} to the {}", service.name()))?;
    }
    Ok(())
}

/// The processes of the pipeline's own group whose environment names the function.
pub(crate) fn processes_of(pipeline: &Pipeline, service: Service) -> anyhow::Result<Vec<Pid>> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        bail!("this drill finds processes in /proc, which only Linux has")
    };
    let function = format!("AWS_LAMBDA_FUNCTION_NAME={}", pipeline.deployment().function(service));
    let group = pipeline.emulator().process_group().to_string();
    let mut processes = Vec::new();
    for entry in entries.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // A process that ends meanwhile has nothing to be read any more.
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let runs_it = environment.split(|byte| *byte == 0).any(|variable| variable == function.as_bytes());
        if runs_it && group_of(&stat) == Some(&group) {
            processes.extend(Pid::from_raw(id));
        }
    }
    Ok(processes)
}

/// `<pid> (<name>) <state> <parent> <group> …` (`proc_pid_stat(5)`); the name may hold anything.
fn group_of(stat: &str) -> Option<&str> {
    stat.rsplit_once(") ")?.1.split(' ').nth(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_read_whatever_the_name_holds() {
        assert_eq!(group_of("18383 (boot) strap) S 18367 18360 1 0"), Some("18360"));
        assert_eq!(group_of(""), None);
    }
}
