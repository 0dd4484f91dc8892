//! So many requests a second, whether or not the answers keep up.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::connection::Connection;

const CONNECTIONS: usize = 64;

/// How long the last of them may take.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

/// One connection and the moment of its request, in nanoseconds since the start.
struct Lane {
    stream: TcpStream,
    asked: Arc<AtomicU64>,
}

/// Sends the requests in turn, at even distances, and prints how long the answers took.
///
/// A request that finds no free connection waits for one, and its time runs from the moment at which
/// it was due. Every other runs from when it was sent, so that what a busy machine does to this program
/// is not laid to the server's charge.
pub(crate) fn run(port: u16, requests: &[Vec<u8>], rate: f64, seconds: f64) {
    let start = Instant::now();
    let (is_free, free) = channel();
    let (lanes, readers): (Vec<_>, Vec<_>) =
        (0..CONNECTIONS).map(|lane| open(port, lane, start, is_free.clone())).unzip();
    let mut nanos = send(&lanes, &free, requests, start, rate, seconds);
    let late = nanos.len();
    for reader in readers {
        nanos.extend(reader.join().unwrap());
    }
    nanos.sort_unstable();
    let at = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let index = (share * (nanos.len() - 1) as f64) as usize;
        nanos.get(index).expect("an answer") / 1000
    };
    println!(
        r#"{{"answered":{},"late":{late},"p50":{},"p90":{},"p99":{},"p999":{}}}"#,
        nanos.len() - late,
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999)
    );
}

fn open(
    port: u16,
    lane: usize,
    start: Instant,
    is_free: Sender<usize>,
) -> (Lane, thread::JoinHandle<Vec<u64>>) {
    let mut connection = Connection::open(port);
    let (stream, asked) = (connection.writer(), Arc::new(AtomicU64::new(0)));
    let asked_at = Arc::clone(&asked);
    let reader = thread::spawn(move || {
        let mut taken = Vec::new();
        is_free.send(lane).unwrap();
        while let Some(status) = connection.read_answer() {
            assert_eq!(status, 200);
            taken.push(since(start) - asked_at.load(Ordering::Acquire));
            is_free.send(lane).unwrap();
        }
        taken
    });
    (Lane { stream, asked }, reader)
}

/// How long those waited that were never sent, or never answered, because the server did not keep up.
fn send(
    lanes: &[Lane],
    free: &Receiver<usize>,
    requests: &[Vec<u8>],
    start: Instant,
    rate: f64,
    seconds: f64,
) -> Vec<u64> {
    let (gap, lasts) = (Duration::from_secs_f64(1.0 / rate), Duration::from_secs_f64(seconds));
    let (begun, gap) = (since(start), usize::try_from(gap.as_nanos()).unwrap());
    let end = begun + u64::try_from(lasts.as_nanos()).unwrap();
    let mut waited = Vec::new();
    for (due, request) in (begun..end).step_by(gap).zip(requests.iter().cycle()) {
        thread::sleep(Duration::from_nanos(due.saturating_sub(since(start))));
        let asked = if let Ok(lane) = free.try_recv() {
            Some((lane, since(start)))
        } else {
            let left = Duration::from_nanos(end.saturating_sub(since(start)));
            free.recv_timeout(left).ok().map(|lane| (lane, due))
        };
        let Some((lane, asked)) = asked else {
            waited.push(end - due);
            continue;
        };
        let lane = lanes.get(lane).unwrap();
        lane.asked.store(asked, Ordering::Release);
        (&lane.stream).write_all(request).unwrap();
    }
    let mut unanswered: Vec<_> = lanes.iter().map(Some).collect();
    for _ in lanes {
        let Ok(lane) = free.recv_timeout(LAST_ANSWERS) else { break };
        *unanswered.get_mut(lane).unwrap() = None;
    }
    let asked = unanswered.into_iter().flatten().map(|lane| lane.asked.load(Ordering::Acquire));
    waited.extend(asked.map(|asked| since(start) - asked));
    for lane in lanes {
        lane.stream.shutdown(Shutdown::Both).unwrap();
    }
    waited
}

fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap()
}
