//! Mutated requests to the gateway before Node: as many, beginning and ending in the same places, as
//! another reader finds, as the gateway logged, and as Node saw.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use nextbnb_tests::next::repository;
use nextbnb_tests::properties::reader::{Rest, read};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::gateway::{LoggedGateway, collect, number_of};
use crate::judge::{Exchange, Seen, answers};
use crate::mutate::Mutator;
use crate::{mutations, seed};

/// Longest wait for the gateway to end a connection that has nothing more to give.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections at once.
const AT_ONCE: usize = 8;

/// Behind every stream: answered where nothing before it takes it or ends the connection.
const LAST: &[u8] = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Requests that every server answers.
const SOUND: [&[u8]; 6] = [
    b"GET /a?b=c HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    b"HEAD /h HTTP/1.1\r\nHost: a:80\r\nConnection: keep-alive\r\n\r\n",
    b"POST /sized HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\n\r\n",
    b"PUT /inner HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /trailer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: t\r\n\r\n4\r\n0\r\n\r\r\n0\r\nT: 1\r\n\r\n",
];

#[tokio::test(flavor = "multi_thread")]
async fn node_sees_the_requests_that_the_gateway_read_and_no_others() {
    let (seed, count) = (seed(), mutations());
    let mut node = Node::start();
    let gateway = LoggedGateway::before(node.behind);
    let streams = streams(seed, count);
    let exchanges: Vec<Exchange> = stream::iter(streams.iter().enumerate())
        .map(async |(number, pieces)| {
            let sent = pieces.concat();
            let (read, is_reset) = send(gateway.connect(number).await, pieces).await;
            Exchange { sent, answers: answers(&read), is_reset, ..Exchange::default() }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let asked = node.ask(&streams).await;
    let mut lines = gateway.finish();
    let (mut by_client, direct) = node.finish(&asked);

    let mut complaints = Vec::new();
    let mut met = BTreeMap::<_, usize>::new();
    for (number, mut exchange) in exchanges.into_iter().enumerate() {
        exchange.lines = lines.remove(&number).unwrap_or_default();
        exchange.seen = by_client.remove(&number).unwrap_or_default();
        let passed = exchange.seen.iter().filter(|seen| seen.is_whole).count();
        *met.entry(("passed on by the gateway", passed)).or_default() += 1;
        let kind = match passed.cmp(&direct[number]) {
            std::cmp::Ordering::Less => "stricter than Node",
            std::cmp::Ordering::Equal => "as strict as Node",
            std::cmp::Ordering::Greater => "more lenient than Node",
        };
        *met.entry((kind, 0)).or_default() += 1;
        for complaint in exchange.complaints() {
            complaints.push(format!("{number}: {complaint}\n{}", exchange.sent.escape_ascii()));
        }
    }
    println!("seed {seed}, {count} streams: {met:#?}");
    assert!(
        complaints.is_empty(),
        "seed {seed}: {}\n{}",
        complaints.len(),
        complaints[..complaints.len().min(5)].join("\n\n")
    );
    assert!(by_client.is_empty(), "seed {seed}: requests of nobody: {by_client:?}");
    let several: usize = (2..9).filter_map(|n| met.get(&("passed on by the gateway", n))).sum();
    assert!(several > count / 4, "most streams are refused at once, which says little: {met:#?}");
}

/// Mutated streams in the pieces that they are sent in; the first of all are the seeds as they are.
fn streams(seed: u64, count: usize) -> Vec<Vec<Vec<u8>>> {
    let mut mutator = Mutator::new(seed);
    let seeds = seeds();
    let whole = seeds.iter().map(|seed| vec![[seed, LAST].concat()]);
    let mut streams: Vec<_> = whole.take(count).collect();
    while streams.len() < count {
        let mut bytes = Vec::new();
        for _ in 0..=mutator.below(3) {
            bytes.extend(*mutator.choose(&SOUND));
        }
        if mutator.below(3) == 0 {
            bytes.extend(mutator.choose(&seeds));
        }
        mutator.change(&mut bytes);
        bytes.extend(LAST);
        streams.push(mutator.pieces(&bytes));
    }
    streams
}

/// The corpus of `request_head`, whose first byte is no part of the stream.
fn seeds() -> Vec<Vec<u8>> {
    let folder = std::fs::read_dir(repository().join("fuzz/corpus/request_head")).unwrap();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap().split_off(1)).collect()
}

/// Sends a stream and reads to the connection's end, which the client brings about where the stream
/// ends inside a request; tells, too, whether the connection broke.
async fn send(mut connection: TcpStream, pieces: &[Vec<u8>]) -> (Vec<u8>, bool) {
    let (messages, rest) = read(&pieces.concat());
    let (mut reader, mut writer) = connection.split();
    let mut got = Vec::new();
    let conversation = async {
        for (place, piece) in pieces.iter().enumerate() {
            if place > 0 {
                sleep(Duration::from_millis(1)).await; // So that the pieces come apart.
            }
            if writer.write_all(piece).await.is_err() {
                break; // Refused meanwhile.
            }
        }
        loop {
            let is_waiting = matches!(rest, Rest::Beginning | Rest::Nothing);
            if is_waiting && answers(&got).len() >= messages.len() {
                writer.shutdown().await.ok();
                return reader.read_to_end(&mut got).await.is_err();
            }
            match reader.read_buf(&mut got).await {
                Ok(0) => return false,
                Ok(_) => {}
                Err(_) => return true,
            }
        }
    };
    let ended = timeout(PATIENCE, conversation).await;
    let sent = pieces.concat();
    let is_reset = ended.unwrap_or_else(|_| {
        panic!(
            "{}: {messages:?} {rest:?} and still open: {}",
            sent.escape_ascii(),
            got.escape_ascii()
        )
    });
    (got, is_reset)
}

/// A Node that tells what its parser sees.
struct Node {
    process: Child,
    told: Option<JoinHandle<Vec<String>>>,
    behind: SocketAddr,
    direct: SocketAddr,
}

impl Node {
    fn start() -> Self {
        let mut process = Command::new("node")
            .arg(repository().join("tests/fuzz/node.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node does not start");
        let mut told = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        told.read_line(&mut line).unwrap();
        let ports: Value = serde_json::from_str(&line).unwrap();
        let address = |name: &str| {
            ([127, 0, 0, 1], u16::try_from(ports[name].as_u64().unwrap()).unwrap()).into()
        };
        Self {
            process,
            told: Some(collect(told)),
            behind: address("behind"),
            direct: address("direct"),
        }
    }

    /// Sends the streams to Node itself; tells from which ports.
    async fn ask(&self, streams: &[Vec<Vec<u8>>]) -> Vec<u16> {
        let mut ports = Vec::new();
        for pieces in streams {
            let mut stream = TcpStream::connect(self.direct).await.unwrap();
            ports.push(stream.local_addr().unwrap().port());
            stream.write_all(&pieces.concat()).await.ok();
            stream.shutdown().await.ok();
            timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await.expect("Node waits").ok();
        }
        ports
    }

    /// What came by way of the gateway, by its client's number, and how many requests each stream is
    /// that was sent from one of `ports`.
    fn finish(&mut self, ports: &[u16]) -> (HashMap<usize, Vec<Seen>>, Vec<usize>) {
        drop(self.process.stdin.take());
        let mut seen = HashMap::<_, Vec<_>>::new();
        let mut direct = HashMap::<u64, Vec<usize>>::new();
        for line in self.told.take().unwrap().join().unwrap() {
            let record: Value = serde_json::from_str(&line).unwrap();
            assert!(record["clientError"].is_null(), "Node cannot read what it was sent: {record}");
            if let Some(port) = record["direct"].as_u64() {
                let count = record["requests"].as_array().unwrap().len();
                direct.entry(port).or_default().push(count);
                continue;
            }
            let record = Seen::read(&record);
            let client = record.values("x-forwarded-for")[0].parse().unwrap();
            seen.entry(number_of(client)).or_default().push(record);
        }
        for counts in direct.values_mut() {
            counts.reverse();
        }
        let count = |port: &u16| direct.get_mut(&u64::from(*port)).and_then(Vec::pop).unwrap();
        (seen, ports.iter().map(count).collect())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
