//! When a process was started, by which a recycled process id is told from the old one.

use rustix::process::Pid;

/// The start time of a running process as the system writes it, to compare and not to read;
/// `None` when there is no such process.
#[cfg(target_os = "linux")]
pub(crate) fn process_start(id: Pid) -> Option<String> {
    let line = std::fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero())).ok()?;
    // The second field is the program's name in brackets and may hold spaces and brackets itself.
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // Field 22 of proc(5): clock ticks since the machine started. A zombie has ended already.
    (state != "Z").then(|| fields.nth(18).map(str::to_owned)).flatten()
}

/// The start time of a running process as the system writes it, to compare and not to read;
/// `None` when there is no such process.
#[cfg(not(target_os = "linux"))]
pub(crate) fn process_start(id: Pid) -> Option<String> {
    let id = id.as_raw_nonzero().to_string();
    let output =
        std::process::Command::new("ps").args(["-o", "lstart=", "-p", &id]).output().ok()?;
    let started = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!started.is_empty()).then_some(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_process_stays_and_ends_with_it() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let id = Pid::from_child(&child);
        let started = process_start(id);
        assert!(started.is_some());
        assert_eq!(process_start(id), started);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(process_start(id), None);
    }
}
