//! Mutated answers of an upstream: each client reads as many as the gateway logged, whole where it
//! logged them whole, and never a byte of somebody else's.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use nextbnb_tests::next::repository;
use nextbnb_tests::upstream::RawUpstream;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::gateway::{LogLine, LoggedGateway, address_of};
use crate::mutate::Mutator;
use crate::{mutations, seed};

/// Requests of a client on one connection.
const TURNS: usize = 3;

/// Clients at once.
const AT_ONCE: usize = 4;

/// How long the upstream waits for another request on a connection.
const REST: Duration = Duration::from_millis(30);

/// Answers that are sound, or that gateways took for sound; `@` is replaced by the three bytes that tell
/// whose it is.
const SEEDS: [&str; 14] = [
    "HTTP/1.1 200 OK\r\nX-Of: @\r\nContent-Length: 56\r\n\r\n[@@@@@@@@@@@@@@@@@@]",
    "HTTP/1.1 200 OK\r\nX-Of: @\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n[@@@]\r\n5;a=b\r\n[@]\r\n0\r\nT: @\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-Of: @\r\nConnection: close\r\n\r\n[@@@]",
    "HTTP/1.0 200 OK\r\nX-Of: @\r\nContent-Length: 5\r\n\r\n[@]",
    "HTTP/1.1 204 No Content\r\nX-Of: @\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nX-Of: @\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nX-Of: @\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: <@>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[@]",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[@]",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[@]\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n[@]",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\n[@]\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[@]HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[@]",
    "HTTP/1.1 200 OK\r\nX-Of: @\r\nKeep-Alive: timeout=5\r\nContent-Length: 5\r\n\r\n[@]",
];

/// What a client read of an answer.
#[derive(Debug, Clone, Default)]
struct Got {
    status: Option<u64>,
    id: Option<String>,
    head: String,
    body: String,
    is_cut: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_hyper_reads_the_answers_that_the_gateway_logged() {
    check(async |gateway, count| {
        stream::iter(0..count).map(|number| ask(gateway, number)).buffered(AT_ONCE).collect().await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_node_reads_the_answers_that_the_gateway_logged() {
    check(async |gateway, count| {
        let port = gateway.address().port();
        tokio::task::spawn_blocking(move || ask_by_node(port, count)).await.unwrap()
    })
    .await;
}

async fn check(clients: impl AsyncFnOnce(&LoggedGateway, usize) -> Vec<Vec<Got>>) {
    let (seed, count) = (seed(), mutations() / TURNS);
    let sent = Arc::<Mutex<HashMap<String, Vec<u8>>>>::default();
    let upstream = upstream(seed, sent.clone()).await;
    let gateway = LoggedGateway::before(upstream.address());
    let got = clients(&gateway, count).await;
    let lines = gateway.finish();
    let sent = sent.lock().unwrap();
    let mut complaints = Vec::new();
    let mut met = BTreeMap::<_, usize>::new();
    for (number, got) in got.iter().enumerate() {
        for (turn, got) in got.iter().enumerate() {
            let path = format!("/{number}/{turn}");
            let line = lines.get(&number).and_then(|all| all.iter().find(|line| line.path == path));
            *met.entry((got.status, got.is_cut)).or_default() += 1;
            if let Some(complaint) = complaint(number, turn, got, line) {
                let sent = sent.get(&path).map(|sent| sent.escape_ascii().to_string());
                complaints
                    .push(format!("{number}/{turn}: {complaint}: {got:?} {line:?}\n{sent:?}"));
            }
        }
        assert_eq!(lines.get(&number).map_or(0, Vec::len), TURNS, "{number}: {got:?}");
    }
    println!("seed {seed}, {count} clients: {met:#?}");
    assert!(
        complaints.is_empty(),
        "seed {seed}: {}\n{}",
        complaints.len(),
        complaints[..complaints.len().min(5)].join("\n\n")
    );
    let sound = met.iter().filter(|((status, is_cut), _)| *status == Some(200) && !is_cut);
    let sound: usize = sound.map(|(_, count)| count).sum();
    assert!(sound > count * TURNS / 4, "most answers are refused, which says little: {met:#?}");
}

/// What does not fit together of an answer as its client read it and as the gateway logged it.
fn complaint(
    number: usize,
    turn: usize,
    got: &Got,
    line: Option<&LogLine>,
) -> Option<&'static str> {
    let Some(line) = line else { return Some("nothing is logged") };
    if got.status != line.status || got.id.as_ref().is_some_and(|id| *id != line.id) {
        return Some("another answer");
    }
    if got.is_cut == line.is_whole {
        return Some("cut on one side only");
    }
    if line.is_whole && got.body.chars().count() as u64 != line.bytes {
        return Some("another length");
    }
    let own = mark(number, turn);
    let is_foreign = |c: char| ('\u{e000}'..='\u{f8ff}').contains(&c) && c != own;
    marks(&got.head).chain(marks(&got.body)).any(is_foreign).then_some("somebody else's answer")
}

/// Tells whose an answer is, wherever it is cut: a letter of the private use area, of which no other
/// request at that time has the same.
fn mark(number: usize, turn: usize) -> char {
    let place = (number * TURNS + turn) % 6000;
    char::from_u32(0xe000 + u32::try_from(place).unwrap()).unwrap()
}

/// The whole marks in Latin-1 text, which is UTF-8.
fn marks(text: &str) -> impl Iterator<Item = char> {
    let bytes: Vec<u8> = text.chars().filter_map(|c| u8::try_from(c).ok()).collect();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.chars().collect::<Vec<_>>().into_iter()
}

/// Answers each request with what `seed` and its path make of an answer, and notes it in `sent`.
async fn upstream(seed: u64, sent: Arc<Mutex<HashMap<String, Vec<u8>>>>) -> RawUpstream {
    RawUpstream::start(move |mut stream, _| {
        let sent = sent.clone();
        async move {
            while let Ok(Some(path)) = timeout(REST, next_path(&mut stream)).await {
                let (pieces, closes) = answer(seed, &path);
                sent.lock().unwrap().insert(path, pieces.concat());
                for piece in pieces {
                    if stream.write_all(&piece).await.is_err() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
                if closes {
                    return;
                }
            }
        }
    })
    .await
}

async fn next_path(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
            return None;
        }
    }
    String::from_utf8(head).unwrap().split(' ').nth(1).map(ToOwned::to_owned)
}

/// The answer in the pieces that it is sent in, and whether the connection ends behind it.
fn answer(seed: u64, path: &str) -> (Vec<Vec<u8>>, bool) {
    let mut words = path.split('/').skip(1).map(|word| word.parse::<usize>().unwrap());
    let (number, turn) = (words.next().unwrap(), words.next().unwrap());
    let mut mutator = Mutator::new(seed ^ ((number * TURNS + turn) as u64) << 20);
    let mut bytes = mutator.choose(&SEEDS).as_bytes().to_vec();
    if mutator.below(3) > 0 {
        mutator.change(&mut bytes);
    }
    let text: String = bytes.iter().copied().map(char::from).collect();
    let marked: Vec<u8> = text
        .chars()
        .flat_map(|c| match c {
            '@' => mark(number, turn).to_string().into_bytes(),
            c => vec![c as u8],
        })
        .collect();
    (mutator.pieces(&marked), mutator.below(4) == 0)
}

/// Some requests in turn, by hyper's client; on a new connection where the last one ended.
async fn ask(gateway: &LoggedGateway, number: usize) -> Vec<Got> {
    let mut all = Vec::new();
    let mut kept = None;
    for turn in 0..TURNS {
        let mut sender = match kept.take() {
            Some(sender) => sender,
            None => connect(gateway, number).await,
        };
        let request = Request::get(format!("/{number}/{turn}")).header("host", "a");
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let got = match sender.send_request(request).await {
            Ok(response) => read(response).await,
            Err(_) => Got { is_cut: true, ..Got::default() },
        };
        all.push(got);
        if sender.ready().await.is_ok() {
            kept = Some(sender);
        }
    }
    all
}

async fn connect(gateway: &LoggedGateway, number: usize) -> http1::SendRequest<Empty<Bytes>> {
    let stream = TokioIo::new(gateway.connect(number).await);
    let (sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn read(response: http::Response<hyper::body::Incoming>) -> Got {
    let latin_1 = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
    let (head, mut body) = response.into_parts();
    let fields =
        head.headers.iter().map(|(name, value)| format!("{name}\n{}", latin_1(value.as_bytes())));
    let id = head.headers.get("x-request-id").map(|id| id.to_str().unwrap().to_owned());
    let mut got = Got {
        status: Some(head.status.as_u16().into()),
        id,
        head: fields.collect(),
        ..Got::default()
    };
    while let Some(frame) = body.frame().await {
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => got.body.push_str(&latin_1(&data)),
            Ok(Err(trailers)) => panic!("trailers: {trailers:?}"),
            Err(_) => got.is_cut = true,
        }
    }
    got
}

/// The same by Node's client.
fn ask_by_node(port: u16, count: usize) -> Vec<Vec<Got>> {
    let mut node = Command::new("node")
        .arg(repository().join("tests/fuzz/client.mjs"))
        .args([port.to_string(), TURNS.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node does not start");
    let mut input = node.stdin.take().unwrap();
    let writing = std::thread::spawn(move || {
        for number in 0..count {
            writeln!(input, "{number} {}", address_of(number)).unwrap();
        }
    });
    let output = node.wait_with_output().unwrap();
    writing.join().unwrap();
    let mut all = vec![Vec::new(); count];
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let told: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| told[name].as_str().map(ToOwned::to_owned);
        all[usize::try_from(told["number"].as_u64().unwrap()).unwrap()].push(Got {
            status: told["status"].as_u64(),
            id: text("id"),
            head: text("head").unwrap_or_default(),
            body: text("body").unwrap_or_default(),
            is_cut: told["error"].is_string(),
        });
    }
    all
}
