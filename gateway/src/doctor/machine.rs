//! What this machine allows a gateway, and a `next dev` beside it.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::Finding;
use crate::server::descriptors::connections_within;

/// Connections below which a site with a little traffic turns visitors away.
const FEW_CONNECTIONS: usize = 1_000;

/// Folders that an application with its packages has easily.
const FEW_WATCHES: u64 = 10_000;

/// Instances that an editor, a desktop and `next dev` use up between them.
const FEW_INSTANCES: u64 = 64;

/// What kernels of Linux allow a user to watch.
#[derive(Debug, Clone, Copy)]
struct Inotify {
    watches: u64,
    instances: u64,
}

/// Looks at all of it; files are watched by `next dev` alone.
pub(super) fn look(develops: Develops) -> Vec<Finding> {
    let mut findings = vec![cores(), descriptors_of_process()];
    if let (Develops::Here, Some(inotify)) = (develops, inotify()) {
        findings.push(file_watching(inotify));
    }
    findings
}

/// Whether `next dev` may be run on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Develops {
    Here,
    Elsewhere,
}

fn cores() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let what = format!("{}, a worker each", super::counted(cores as u64, "core"));
    Finding::ok("cores", what).fact("cores", cores)
}

fn descriptors_of_process() -> Finding {
    let limits = getrlimit(Resource::Nofile);
    descriptors(limits.current, limits.maximum)
}

/// `None` is no limit. `serve` raises the soft limit by itself, as far as the hard one goes.
fn descriptors(soft: Option<u64>, hard: Option<u64>) -> Finding {
    let connections = connections_within(soft, hard);
    let told = |limit: Option<u64>| limit.map_or("unlimited".to_owned(), |limit| limit.to_string());
    let what = format!(
        "{} file descriptors, {} if asked for: `serve` takes {connections} connections at a time",
        told(soft),
        told(hard)
    );
    let finding = if connections < FEW_CONNECTIONS {
        Finding::warning("descriptors", what)
            .why("clients beyond that are told 503")
            .cure("raise the hard limit: `ulimit -Hn`, LimitNOFILE= of systemd, --ulimit of Docker")
    } else {
        Finding::ok("descriptors", what)
    };
    finding.fact("soft", soft).fact("hard", hard).fact("connections", connections)
}

fn inotify() -> Option<Inotify> {
    let read = |name: &str| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
        text.trim().parse().ok()
    };
    Some(Inotify { watches: read("max_user_watches")?, instances: read("max_user_instances")? })
}

fn file_watching(allowed: Inotify) -> Finding {
    let Inotify { watches, instances } = allowed;
    let what = format!("{watches} files and folders by {instances} programs of a user's");
    let finding = if watches < FEW_WATCHES || instances < FEW_INSTANCES {
        Finding::warning("file-watching", what)
            .why("`next dev` does not see every edit, or ends with ENOSPC or EMFILE")
            .cure("sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512")
    } else {
        Finding::ok("file-watching", what)
    };
    finding.fact("watches", watches).fact("instances", instances)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn descriptors_count_up_to_the_hard_limit() {
        let check = |soft, hard, level, connections: u64| {
            let finding = descriptors(soft, hard);
            assert_eq!(finding.level, level, "{finding:?}");
            assert_eq!(finding.facts.get("connections"), Some(&connections.into()));
        };
        check(Some(1024), Some(1_048_576), Level::Ok, 32_640);
        check(Some(1024), None, Level::Ok, 32_640);
        check(Some(1024), Some(1024), Level::Warning, 384);
        check(Some(2256), Some(2256), Level::Ok, 1000);
        check(Some(2254), Some(2254), Level::Warning, 999);
        check(None, None, Level::Ok, 32_640);
        check(Some(500_000), Some(500_000), Level::Ok, 249_872);
    }

    #[test]
    fn few_watches_or_few_instances_are_too_few() {
        let level = |watches, instances| file_watching(Inotify { watches, instances }).level;
        assert_eq!(level(10_000, 64), Level::Ok);
        assert_eq!(level(9_999, 64), Level::Warning);
        assert_eq!(level(8_192, 128), Level::Warning);
        assert_eq!(level(524_288, 63), Level::Warning);
    }

    #[test]
    fn files_are_watched_where_somebody_develops() {
        let has = |findings: &[Finding]| findings.iter().any(|found| found.id == "file-watching");
        assert!(!has(&look(Develops::Elsewhere)));
        assert_eq!(has(&look(Develops::Here)), cfg!(target_os = "linux"));
    }
}
