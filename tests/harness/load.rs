//! Many clients at once, in rounds with rests between them, while Next.js is restarted.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::next_app::NextApp;

/// Longest wait for one answer; then the client gives up, which counts as a failure.
const PATIENCE: Duration = Duration::from_mins(2);

/// Sizes of the bodies that are posted: none, less than a packet, more than one, more than a
/// socket's buffer.
const SIZES: [usize; 4] = [0, 100, 20_000, 300_000];

/// How far apart the clients of one round begin, at most; both sides of Node's 5 s are met so.
const SPREAD: Duration = Duration::from_millis(100);

/// What is asked, and what happens meanwhile.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many clients there are, each on one connection.
    pub clients: usize,
    /// How many requests each sends in a round, one after the other.
    pub burst: usize,
    /// How long everybody rests before each round.
    pub rests: Vec<Duration>,
    /// In which rounds Next.js is restarted, and how.
    pub restarts: HashMap<usize, Restart>,
}

/// How Next.js ends before it is started again.
#[derive(Debug, Clone, Copy)]
pub enum Restart {
    /// By SIGTERM.
    Terminated,
    /// By SIGKILL.
    Killed,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many requests were sent.
    pub sent: usize,
    /// Those that were not answered with 200 although Next.js accepted all the time, and those that
    /// were never answered at all.
    pub failed: Vec<String>,
    /// How requests ended that met a moment in which Next.js was down, by status.
    pub during_restarts: BTreeMap<u16, usize>,
    /// Those of them that were not answered with 200: whether Next.js still ran when they were sent, so
    /// that it may have had them.
    pub unserved: BTreeMap<&'static str, usize>,
    /// Answers that had begun when Next.js was killed, and so have no end.
    pub cut: usize,
    /// 503 and its like without `Retry-After`.
    pub without_retry_after: usize,
    /// Orders that were carried out more than once.
    pub doubled: Vec<String>,
    /// Orders that were answered with 200 and not carried out.
    pub lost: Vec<String>,
    /// How long Next.js was down, each time.
    pub gaps: Vec<Duration>,
}

struct Sent {
    id: String,
    is_order: bool,
    begun: Instant,
    ended: Instant,
    answer: Answer,
}

/// The status and whether it came with `Retry-After`; or what went wrong.
type Answer = Result<(StatusCode, bool), Fault>;

#[derive(Debug)]
enum Fault {
    /// There was no answer.
    Unanswered(String),
    /// The answer has no end.
    Cut(String),
}

/// A moment in which Next.js was down.
struct Gap {
    restart: Restart,
    from: Instant,
    /// When its process had ended.
    gone: Instant,
    until: Instant,
}

impl Gap {
    fn meets(&self, request: &Sent) -> bool {
        request.begun <= self.until && request.ended >= self.from
    }

    /// What Next.js did when a request was sent.
    fn phase_of(&self, request: &Sent) -> &'static str {
        match (request.begun <= self.gone, self.restart, request.is_order) {
            (false, _, _) => "sent when it was gone",
            (true, Restart::Killed, true) => "an order it had when it was killed",
            (true, Restart::Killed, false) => "a question it had when it was killed",
            (true, Restart::Terminated, true) => "an order sent while it ended",
            (true, Restart::Terminated, false) => "a question sent while it ended",
        }
    }

    /// Whether it ended in the middle of a request.
    fn kills(&self, request: &Sent) -> bool {
        matches!(self.restart, Restart::Killed) && self.meets(request) && request.begun <= self.from
    }
}

/// Sends everything that `plan` says to the gateway before `next`.
pub async fn run(plan: &Plan, gateway: SocketAddr, next: &mut NextApp) -> Outcome {
    let ids = Arc::new(AtomicUsize::new(1));
    let mut connections: Vec<Option<Sender>> = (0..plan.clients).map(|_| None).collect();
    let (mut sent, mut gaps) = (Vec::new(), Vec::new());
    for (round, rest) in plan.rests.iter().enumerate() {
        sleep(*rest).await;
        let mut clients = JoinSet::new();
        for connection in connections.drain(..) {
            clients.spawn(burst(gateway, connection, plan.burst, ids.clone()));
        }
        if let Some(restart) = plan.restarts.get(&round) {
            gaps.push(bring_back(next, *restart).await);
        }
        for (connection, requests) in clients.join_all().await {
            connections.push(connection);
            sent.extend(requests);
        }
    }
    judge(&sent, &gaps, &next.orders())
}

/// Ends Next.js in the middle of a round and starts it again.
async fn bring_back(next: &mut NextApp, restart: Restart) -> Gap {
    sleep(SPREAD).await;
    let from = Instant::now();
    match restart {
        Restart::Terminated => next.terminate().await,
        Restart::Killed => next.kill(),
    }
    let gone = Instant::now();
    next.restart().await;
    Gap { restart, from, gone, until: Instant::now() }
}

type Sender = SendRequest<Full<Bytes>>;

async fn burst(
    gateway: SocketAddr,
    mut connection: Option<Sender>,
    count: usize,
    ids: Arc<AtomicUsize>,
) -> (Option<Sender>, Vec<Sent>) {
    sleep(SPREAD.mul_f64(rand::random())).await;
    let mut all = Vec::new();
    for _ in 0..count {
        let number = ids.fetch_add(1, Ordering::Relaxed);
        let request = request_of(number);
        let (id, is_order) = (number.to_string(), request.method() == Method::POST);
        let begun = Instant::now();
        let answer = timeout(PATIENCE, send(gateway, &mut connection, request)).await;
        let answer =
            answer.unwrap_or_else(|_| Err(Fault::Unanswered("no answer in time".to_owned())));
        if answer.is_err() {
            connection = None;
        }
        all.push(Sent { id, is_order, begun, ended: Instant::now(), answer });
    }
    (connection, all)
}

/// Every second request is an order, with a body of one of the sizes.
fn request_of(number: usize) -> Request<Full<Bytes>> {
    let size = SIZES[number / 2 % SIZES.len()];
    let (method, body) = match number % 2 {
        0 => (Method::GET, Bytes::new()),
        _ => (Method::POST, Bytes::from(vec![b'x'; size])),
    };
    Request::builder()
        .method(method)
        .uri(format!("/api/orders?id={number}"))
        .header(header::HOST, "shop.example")
        .body(Full::new(body))
        .unwrap()
}

async fn send(
    gateway: SocketAddr,
    connection: &mut Option<Sender>,
    request: Request<Full<Bytes>>,
) -> Answer {
    let unanswered = |error: &dyn std::fmt::Display| Fault::Unanswered(error.to_string());
    if connection.as_ref().is_none_or(SendRequest::is_closed) {
        *connection = Some(connect(gateway).await.map_err(|error| unanswered(&error))?);
    }
    let Some(sender) = connection else { return Err(unanswered(&"not connected")) };
    sender.ready().await.map_err(|error| unanswered(&error))?;
    let answer = sender.send_request(request).await.map_err(|error| unanswered(&error))?;
    let (head, body) = answer.into_parts();
    body.collect().await.map_err(|error| Fault::Cut(error.to_string()))?;
    Ok((head.status, head.headers.contains_key(header::RETRY_AFTER)))
}

async fn connect(gateway: SocketAddr) -> Result<Sender, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(gateway).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

fn judge(sent: &[Sent], gaps: &[Gap], orders: &[String]) -> Outcome {
    let mut outcome = Outcome { sent: sent.len(), ..Outcome::default() };
    outcome.gaps = gaps.iter().map(|gap| gap.until - gap.from).collect();
    let mut carried_out: HashMap<&str, usize> = HashMap::new();
    for order in orders {
        *carried_out.entry(order).or_default() += 1;
    }
    for request in sent {
        let times = carried_out.get(&*request.id).copied().unwrap_or(0);
        let is_fine = matches!(request.answer, Ok((StatusCode::OK, _)));
        if times > 1 {
            outcome.doubled.push(request.id.clone());
        }
        if request.is_order && is_fine && times == 0 {
            outcome.lost.push(request.id.clone());
        }
        match &request.answer {
            Ok((status, has_retry_after))
                if let Some(gap) = gaps.iter().find(|gap| gap.meets(request)) =>
            {
                *outcome.during_restarts.entry(status.as_u16()).or_default() += 1;
                outcome.without_retry_after += usize::from(!is_fine && !has_retry_after);
                if !is_fine {
                    *outcome.unserved.entry(gap.phase_of(request)).or_default() += 1;
                }
            }
            Ok((StatusCode::OK, _)) => {}
            Err(Fault::Cut(_)) if gaps.iter().any(|gap| gap.kills(request)) => outcome.cut += 1,
            Ok((status, _)) => outcome.failed.push(format!("{} {status}", request.id)),
            Err(Fault::Unanswered(why)) => {
                outcome.failed.push(format!("{} unanswered: {why}", request.id));
            }
            Err(Fault::Cut(why)) => outcome.failed.push(format!("{} cut: {why}", request.id)),
        }
    }
    outcome
}
