//! Becomes another program, and leaves behind when that was: whoever starts a process and looks at a clock after it has
//! done so may have been asleep while the process was already at work.
//!
//! ```text
//! timed-start FILE PROGRAM      # FILE then holds nanoseconds since 1970 and those of this process's processor time
//! ```

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, SystemTime};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(file), Some(program)) = (arguments.next(), arguments.next()) else {
        return Err("a file and a program are wanted".into());
    };
    let (mut file, mut program) = (File::create(file)?, Command::new(program));
    // What a process used so far is told once it has slept.
    std::thread::sleep(Duration::from_millis(1));
    // Its first field (https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat).
    let used = std::fs::read_to_string("/proc/self/schedstat")?;
    let used = used.split(' ').next().unwrap_or_default();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
    file.write_all(format!("{now} {used}").as_bytes())?;
    // It comes back only when there is no such program.
    Err(program.exec().into())
}
