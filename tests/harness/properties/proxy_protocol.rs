//! A PROXY header ends where its specification ends it.

use std::io::ErrorKind;
use std::net::IpAddr;

use futures_util::FutureExt as _;
use nextbnb_gateway::downstream::proxy_protocol::{Header, read};
use tokio::io::AsyncReadExt as _;

/// `bytes` are what a connection begins with.
///
/// What is behind a header is left, every shorter beginning of it is none, and it may come in any two
/// pieces; where it ends and whom it names is what a reading of the whole says.
pub fn check(bytes: &[u8]) {
    let Some((header, length)) = read_all(bytes) else { return };
    assert_eq!(reading(&bytes[..length]), Some(header), "the whole is read otherwise");
    for end in 0..length {
        let cut = read(&mut &bytes[..end]).now_or_never().unwrap();
        assert_eq!(cut.unwrap_err().kind(), ErrorKind::UnexpectedEof, "cut at {end}");
        let (first, second) = bytes.split_at(end);
        let mut stream = first.chain(second);
        let pieces = read(&mut stream).now_or_never().unwrap();
        assert_eq!(pieces.unwrap(), header, "in pieces at {end}");
    }
    let longer = [&bytes[..length], b"\r\nPROXY "].concat();
    assert_eq!(read_all(&longer), Some((header, length)), "more is read than the header");
}

/// The header, and how many bytes it took.
fn read_all(bytes: &[u8]) -> Option<(Header, usize)> {
    let mut stream = bytes;
    let header = read(&mut stream).now_or_never().unwrap().ok()?;
    Some((header, bytes.len() - stream.len()))
}

/// What a header says that is there whole.
fn reading(header: &[u8]) -> Option<Header> {
    if let Some(line) = header.strip_prefix(b"PROXY ") {
        let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
        let mut words = line.split(' ');
        return match words.next()? {
            "UNKNOWN" => Some(Header::Unknown),
            kind => {
                let source: IpAddr = words.next()?.parse().ok()?;
                (source.is_ipv4() == (kind == "TCP4")).then_some(Header::Client(source))
            }
        };
    }
    let rest = header.strip_prefix(b"\r\n\r\n\0\r\nQUIT\n")?;
    let [command, kind, high, low, block @ ..] = rest else { return None };
    if block.len() != usize::from(u16::from_be_bytes([*high, *low])) {
        return None;
    }
    match (command, kind) {
        (0x20, _) => Some(Header::Local),
        (_, 0x11) => Some(Header::Client(IpAddr::from(*block.first_chunk::<4>()?))),
        (_, 0x21) => Some(Header::Client(IpAddr::from(*block.first_chunk::<16>()?))),
        _ => Some(Header::Unknown),
    }
}
