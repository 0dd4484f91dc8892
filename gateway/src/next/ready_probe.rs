//! Finding out whether Next.js answers.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Answered by `next dev` itself with a 400 for want of a file name: nothing is compiled, no
/// `proxy.ts` runs and nothing is logged (16.4.5). A release that does not know it renders its
/// page for 404, which takes longer and is an answer as well.
const REQUEST: &[u8] =
    b"GET /__nextjs_source-map HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Longest wait for one answer. Next.js opens its port seconds before it answers, so this is not
/// short; a request that was lost in a restart must not be waited for for ever, so it is there.
const ATTEMPT: Duration = Duration::from_secs(30);

const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(25);

/// Waits for the first HTTP answer from `address`, of any status.
///
/// An open port is not enough: requests wait there while Next.js reads its settings, and a mistake
/// in those ends it.
pub(crate) async fn first_answer(address: SocketAddr) {
    while !answers_within(address, ATTEMPT).await {
        sleep(BETWEEN_ATTEMPTS).await;
    }
}

/// Whether `address` answers within `limit`.
pub(crate) async fn answers_within(address: SocketAddr, limit: Duration) -> bool {
    matches!(timeout(limit, answers(address)).await, Ok(Ok(true)))
}

async fn answers(address: SocketAddr) -> io::Result<bool> {
    const START: &[u8] = b"HTTP/1.1 ";
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(REQUEST).await?;
    let mut start = [0; START.len()];
    stream.read_exact(&mut start).await?;
    Ok(start == *START)
}
