//! WebSockets made by hand (RFC 6455 §5.2), on both sides of the gateway.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame as BodyFrame;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::upstream::{StubUpstream, text};
use crate::visitor::Visitor;

/// A frame of text.
pub const TEXT: u8 = 1;
/// A frame of bytes.
pub const BINARY: u8 = 2;
/// The last frame.
pub const CLOSE: u8 = 8;

/// What [`socket_upstream`] answers with a frame of which most is missing.
pub const HALF_A_FRAME: &str = "half a frame, please";

/// Longest wait for a frame.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who masks what it sends.
const KEY: [u8; 4] = [0x5a, 0x01, 0xfe, 0x88];

/// One frame, unmasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub opcode: u8,
    /// What is in it.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A close frame's code.
    pub fn close_code(&self) -> Option<u16> {
        let code = self.payload.get(..2).filter(|_| self.opcode == CLOSE)?;
        Some(u16::from_be_bytes(code.try_into().unwrap()))
    }

    fn to_bytes(&self, key: Option<[u8; 4]>) -> Vec<u8> {
        let mask = if key.is_some() { 0x80 } else { 0 };
        let mut bytes = vec![0x80 | self.opcode];
        match self.payload.len() {
            length @ 0..=125 => bytes.push(mask | u8::try_from(length).unwrap()),
            length @ 126..=0xffff => {
                bytes.push(mask | 0x7e);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                bytes.push(mask | 0x7f);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        let key = key.unwrap_or_default();
        bytes.extend(if mask == 0 { &[][..] } else { &key });
        bytes.extend(self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }
}

/// The next frame; `None` where the connection ends before one begins.
async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
    let Ok(first) = stream.read_u8().await else { return Ok(None) };
    let second = stream.read_u8().await?;
    let length = match second & 0x7f {
        126 => u64::from(stream.read_u16().await?),
        127 => stream.read_u64().await?,
        short => u64::from(short),
    };
    let mut key = [0; 4];
    if second & 0x80 != 0 {
        stream.read_exact(&mut key).await?;
    }
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).await?;
    payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    Ok(Some(Frame { opcode: first & 0x0f, payload }))
}

/// A browser's side of a WebSocket.
pub struct WebSocket {
    stream: TokioIo<Upgraded>,
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebSocket")
    }
}

impl WebSocket {
    /// Opens one as `visitor`.
    pub async fn open(visitor: &Visitor, path: &str) -> Self {
        let request = Request::get(path)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .body(Full::default());
        let response = visitor.start(request.unwrap()).await;
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS, "{path}");
        Self { stream: TokioIo::new(hyper::upgrade::on(response).await.unwrap()) }
    }

    /// Opens one on `stream`, on which nothing was sent yet, by this request.
    pub async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: http::request::Builder,
    ) -> Self {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection.with_upgrades());
        let request = request.header("connection", "Upgrade").header("upgrade", "websocket");
        let response = sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await;
        let response = response.expect("the gateway did not answer");
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        Self { stream: TokioIo::new(hyper::upgrade::on(response).await.unwrap()) }
    }

    /// Sends a text.
    pub async fn send(&mut self, text: &str) {
        let frame = Frame { opcode: TEXT, payload: text.into() };
        self.stream.write_all(&frame.to_bytes(Some(KEY))).await.unwrap();
    }

    /// Whether a text comes back from an upstream that echoes.
    pub async fn is_open(&mut self) -> bool {
        self.send("are you there?").await;
        self.read().await.is_some_and(|frame| frame.payload == b"are you there?")
    }

    /// The next frame; `None` at the end, however it comes.
    pub async fn read(&mut self) -> Option<Frame> {
        let read = timeout(PATIENCE, read_frame(&mut self.stream));
        read.await.expect("the socket stays open").ok().flatten()
    }

    /// Reads on to the close frame, answers it and waits for the end; the code. `None` where the
    /// connection ends without.
    pub async fn closed(&mut self) -> Option<u16> {
        let code = loop {
            let frame = self.read().await?;
            if frame.opcode == CLOSE {
                break frame.close_code();
            }
        };
        let answer = Frame { opcode: CLOSE, payload: code.unwrap_or(1005).to_be_bytes().into() };
        self.stream.write_all(&answer.to_bytes(Some(KEY))).await.unwrap();
        assert_eq!(self.read().await, None, "nothing comes behind a close frame");
        code
    }

    /// Reads as many bytes, frames or not.
    pub async fn read_exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let read = timeout(PATIENCE, self.stream.read_exact(&mut bytes)).await;
        read.expect("nothing comes").unwrap();
        bytes
    }

    /// Reads what comes, frames or not, until the connection fails or ends.
    pub async fn read_to_end(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut all = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut all)).await;
        (all, read.expect("the socket stays open").map(drop))
    }
}

/// An upstream whose WebSockets echo texts and tell how they end: the close frame's code, `None`
/// where there was none. `/events` is an event stream that goes on, anything else a short text.
pub async fn socket_upstream() -> (StubUpstream, mpsc::UnboundedReceiver<Option<u16>>) {
    let (tell, told) = mpsc::unbounded_channel();
    let upstream = StubUpstream::answering(move |mut request| {
        let tell = tell.clone();
        async move {
            if request.uri().path() == "/events" {
                return events();
            }
            if !request.headers().contains_key("upgrade") {
                return text("no socket");
            }
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let code = echo(TokioIo::new(upgrade.await.unwrap())).await.ok().flatten();
                tell.send(code).ok();
            });
            let builder = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
            let builder = builder.header("connection", "Upgrade").header("upgrade", "websocket");
            builder.body(Full::default().boxed_unsync()).unwrap()
        }
    });
    (upstream.await, told)
}

fn events() -> crate::upstream::StubResponse {
    let pieces = stream::unfold(true, async |is_first| {
        if !is_first {
            std::future::pending::<()>().await;
        }
        Some((Ok(BodyFrame::data("data: one\n\n".into())), false))
    });
    let body = StreamBody::new(pieces).boxed_unsync();
    Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
}

async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<Option<u16>> {
    while let Some(frame) = read_frame(&mut stream).await? {
        if frame.payload == HALF_A_FRAME.as_bytes() {
            stream.write_all(b"\x82\x7e\xff\xffhalf").await?;
            continue;
        }
        stream.write_all(&frame.to_bytes(None)).await?;
        if frame.opcode == CLOSE {
            return Ok(frame.close_code());
        }
    }
    Ok(None)
}
