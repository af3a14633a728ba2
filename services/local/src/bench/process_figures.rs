//! What Linux tells of a process: the CPU time it used, its memory.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

/// What a process used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Figures {
    /// User and system time of all its threads, to the nanosecond. Of threads that have ended nothing is told; the
    /// functions run on one that does not.
    pub(super) cpu: Duration,
    pub(super) resident_bytes: u64,
    pub(super) peak_resident_bytes: u64,
}

/// The figures of a process
/// (<https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat>,
/// <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
pub(super) fn figures(process: u32) -> anyhow::Result<Figures> {
    let folder = Path::new("/proc").join(process.to_string());
    let status = fs::read_to_string(folder.join("status")).with_context(|| format!("reading {}", folder.display()))?;
    let mut cpu = Duration::ZERO;
    for thread in fs::read_dir(folder.join("task"))? {
        // A thread may end meanwhile.
        let Ok(told) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        cpu += Duration::from_nanos(told.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or_default());
    }
    Ok(Figures { cpu, resident_bytes: bytes(&status, "VmRSS:"), peak_resident_bytes: bytes(&status, "VmHWM:") })
}

/// Whether this system tells all of it.
pub(super) fn are_told() -> bool {
    figures(std::process::id()).is_ok_and(|figures| figures.cpu > Duration::ZERO && figures.resident_bytes > 0)
}

/// The processes of a group that Lambda's variables name as this function.
pub(super) fn of_function(group: u32, function: &str) -> anyhow::Result<Vec<u32>> {
    let (group, named) = (group.to_string(), format!("AWS_LAMBDA_FUNCTION_NAME={function}"));
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Other processes end meanwhile, and other users' cannot be read.
        let of = |file: &str| fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
        let is_in_group = group_of(&String::from_utf8_lossy(&of("stat"))) == Some(group.as_str());
        if is_in_group && of("environ").split(|byte| *byte == 0).any(|variable| variable == named.as_bytes()) {
            found.push(process);
        }
    }
    Ok(found)
}

/// The third field after the name, which stands in brackets and may have any character
/// (<https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>).
fn group_of(stat: &str) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(2)
}

/// The kilobytes behind a name, as bytes: `VmRSS: 2176 kB`.
fn bytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    #[test]
    fn memory_is_read_from_what_linux_writes() {
        let status = "Name:\tranker\nVmHWM:\t    9216 kB\nVmRSS:\t    2176 kB\n";
        assert_eq!((bytes(status, "VmRSS:"), bytes(status, "VmHWM:")), (2_176 * 1_024, 9_216 * 1_024));
        assert_eq!(bytes("", "VmRSS:"), 0);
    }

    #[test]
    fn the_group_of_a_process_is_found_whatever_its_name_is() {
        assert_eq!(group_of("7 (boot) strap) S 1 42 42 0 -1"), Some("42"));
        assert_eq!(group_of(""), None);
    }

    #[test]
    fn work_shows_in_the_figures_of_a_process() {
        // Of one thread: those of this process come and go with other tests.
        let mut working = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let before = figures(working.id()).unwrap();
        let patience = Instant::now() + Duration::from_secs(30);
        // The time of a running thread is told up to the last tick of the clock.
        let after = std::iter::repeat_with(|| figures(working.id()).unwrap())
            .find(|after| after.cpu > before.cpu || Instant::now() > patience)
            .unwrap();
        working.kill().and_then(|()| working.wait()).unwrap();
        assert!(after.cpu > before.cpu && after.peak_resident_bytes >= after.resident_bytes, "{before:?} {after:?}");
        assert_eq!(figures(working.id()).map_err(|error| error.to_string().contains("reading /proc/")), Err(true));
    }
}
