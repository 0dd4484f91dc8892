//! What the process is and uses, by the names that every exporter of Prometheus has for it.

use std::fs;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};

use super::families;
use super::samples::Samples;

/// In which Linux tells the time of processes, on every architecture (`man 5 proc_pid_stat`).
const TICKS_PER_SECOND: f64 = 100.0;

const BYTES_PER_KIB: u64 = 1024;

/// When this was first asked for: as the process starts.
static STARTED: LazyLock<f64> = LazyLock::new(|| {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
});

/// Adds what the system tells; where there is no `/proc`, that is less.
pub(super) fn add(samples: &mut Samples) {
    samples.count(&families::BUILD, &[env!("CARGO_PKG_VERSION")], 1);
    samples.number(&families::STARTED, &[], *STARTED);
    if let Some(most) = getrlimit(Resource::Nofile).current {
        samples.count(&families::DESCRIPTOR_LIMIT, &[], most);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        let open = open.count().saturating_sub(1); // One is the folder that is read.
        samples.count(&families::DESCRIPTORS, &[], open as u64);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kib) = resident(&status) {
        samples.count(&families::MEMORY, &[], kib * BYTES_PER_KIB);
    }
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some(ticks) = cpu_ticks(&stat) {
        samples.number(&families::CPU, &[], ticks / TICKS_PER_SECOND);
    }
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// User and system time, the 14th and 15th field; the second, in brackets, may hold anything.
fn cpu_ticks(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    Some(fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?)
}

/// Notes that the process starts.
pub(super) fn started() {
    LazyLock::force(&STARTED);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_tells_is_read_whatever_the_process_is_called() {
        let stat = "7 (a) b ) S 1 7 7 0 -1 4194560 1 2 3 4 150 25 0 0 20 0 3 0 9 10 11";
        assert_eq!(cpu_ticks(stat), Some(175.0));
        assert_eq!(cpu_ticks("7"), None);
        assert_eq!(resident("Name:\ta\nVmRSS:\t    1536 kB\nThreads: 1\n"), Some(1536));
        assert_eq!(resident(""), None);
    }
}
