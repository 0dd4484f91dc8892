//! File descriptors: how many there may be, and how many connections that makes.

use std::fs::File;

use futures_util::FutureExt;
use http::uri::Scheme;
use rustix::process::{Resource, getrlimit, setrlimit};

use super::listener::Listener;
use super::turned_away::TurnedAway;

/// Descriptors that nobody needs more of unasked: 32,000 connections. Container runtimes allow up to
/// a billion, over which some programs loop.
const ENOUGH: u64 = 65_536;

/// What macOS allows a process unless told otherwise, whatever the hard limit says.
const MODEST: u64 = 10_240;

/// Descriptors for all that is no connection: listeners, the database, files, clients that are told
/// to go. A quarter of all where there are few.
const RESERVE: u64 = 256;

/// Descriptors of one connection: its own, and its upstream's.
const EACH: u64 = 2;

/// What the log says when there are none left.
pub(super) const CURE_OF_SHORTAGE: &str = ": lower --max-connections, or raise the limit of file \
     descriptors (`ulimit -n`, LimitNOFILE= of systemd)";

/// Lets the process have as many descriptors as `connections` need, else `ENOUGH`, if the system
/// grants that many; never fewer than now.
pub fn raise_limit(connections: Option<usize>) {
    let limits = getrlimit(Resource::Nofile);
    let Some(soft) = limits.current else { return };
    let wanted = connections.map_or(ENOUGH, |connections| {
        (connections as u64).saturating_mul(EACH).saturating_add(RESERVE).max(ENOUGH)
    });
    let granted = limits.maximum.map_or(wanted, |hard| hard.min(wanted));
    for target in [granted, granted.min(MODEST)] {
        let raised = rustix::process::Rlimit { current: Some(target), ..limits };
        if target <= soft || setrlimit(Resource::Nofile, raised).is_ok() {
            break;
        }
    }
}

/// What the descriptors of this process are enough for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) descriptors: u64,
    pub(crate) connections: usize,
}

impl Room {
    pub(crate) fn of_process() -> Self {
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(ENOUGH);
        Self { descriptors, connections: enough_for(descriptors) }
    }
}

/// Connections that there is room for after [`raise_limit`]; `None` is no limit.
pub fn connections_within(soft: Option<u64>, hard: Option<u64>) -> usize {
    let Some(soft) = soft else { return enough_for(ENOUGH) };
    enough_for(soft.max(hard.map_or(ENOUGH, |hard| hard.min(ENOUGH))))
}

fn enough_for(descriptors: u64) -> usize {
    let reserve = RESERVE.min(descriptors / 4);
    usize::try_from((descriptors - reserve) / EACH).unwrap_or(usize::MAX).max(1)
}

/// Descriptors that a worker holds back: another worker may be faster at one that is given up.
const SPARES: usize = 8;

/// Descriptors held back for the day when there are no others, so that clients can be told then.
#[derive(Debug)]
pub(super) struct Spare(Vec<File>);

impl Spare {
    pub(super) fn new() -> Self {
        let mut spare = Self(Vec::with_capacity(SPARES));
        spare.refill();
        spare
    }

    fn refill(&mut self) {
        while self.0.len() < SPARES
            && let Ok(file) = File::open("/dev/null")
        {
            self.0.push(file);
        }
    }

    /// Turns away who waits at `listener`, one after the other.
    pub(super) fn turn_away(&mut self, listener: &Listener, scheme: &Scheme) {
        self.refill();
        while self.0.pop().is_some() {
            let waiting = listener.accept().now_or_never();
            let is_done = !matches!(waiting, Some(Ok(_)));
            if let Some(Ok((socket, _))) = waiting {
                TurnedAway::tell_at_once(socket, scheme);
            }
            self.refill();
            if is_done {
                break;
            }
        }
    }
}

/// Whether the process, or the system, is out of descriptors.
pub(super) fn is_short(error: &std::io::Error) -> bool {
    let short = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE];
    short.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_descriptors_are_for_clients_but_for_a_reserve() {
        for (descriptors, connections) in
            [(65_536, 32_640), (1024, 384), (256, 96), (8, 3), (1, 1), (0, 1)]
        {
            assert_eq!(enough_for(descriptors), connections, "{descriptors}");
        }
    }
}
