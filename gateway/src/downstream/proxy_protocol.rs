//! The PROXY protocol, versions 1 and 2: what a proxy in front of TCP says of its client.
//!
//! After the specification of `HAProxy` (`doc/proxy-protocol.txt`, 2020-03-05). Written here and not
//! taken from a package: those that there are parse a header that is there whole, and where it ends
//! on a stream is the greater part.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncReadExt};

/// What begins a header of version 2 (section 2.2).
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// A header of version 2 that says `LOCAL`: the connection is the sender's own.
pub const LOCAL_HEADER: [u8; 16] = *b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

/// Longest header of version 1, with its line end (section 2.1).
const LONGEST_LINE_BYTES: usize = 107;

/// Most that a header of version 2 may hold behind its fixed part: addresses take at most 216
/// bytes, and what load balancers add (names of endpoints, of hosts) some hundreds.
const LONGEST_REST_BYTES: usize = 4096;

/// What a header says of the connection behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The proxy's own connection, as of a health check.
    Local,
    /// A client's, whose address is told.
    Client(IpAddr),
    /// Somebody's, who has no address of the internet, or whom the proxy does not know.
    Unknown,
}

/// Reads a header, and not a byte of what follows it.
///
/// Fails with [`ErrorKind::UnexpectedEof`] where the stream ends first, and with
/// [`ErrorKind::InvalidData`] where it begins otherwise.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Header> {
    // No header of either version is shorter than this.
    let mut start = [0; SIGNATURE.len()];
    stream.read_exact(&mut start).await?;
    if start == SIGNATURE {
        read_version_2(stream).await
    } else if start.starts_with(b"PROXY ") {
        read_version_1(stream, &start).await
    } else {
        Err(invalid("no PROXY header"))
    }
}

async fn read_version_1(stream: &mut (impl AsyncRead + Unpin), start: &[u8]) -> io::Result<Header> {
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= LONGEST_LINE_BYTES || line.contains(&b'\n') {
            return Err(invalid("the line of a PROXY header does not end"));
        }
        // A line without its CR lacks two bytes at least, and nothing behind the line is read.
        let missing = if line.ends_with(b"\r") { 1 } else { 2 };
        let mut piece = [0; 2];
        let piece = piece.get_mut(..missing).unwrap_or_default();
        stream.read_exact(piece).await?;
        line.extend_from_slice(piece);
    }
    let line = std::str::from_utf8(&line).map_err(|_| invalid("a PROXY header of no text"))?;
    let fields: Vec<&str> = line.trim_end_matches("\r\n").split(' ').collect();
    match *fields.as_slice() {
        ["PROXY", "UNKNOWN", ..] => Ok(Header::Unknown),
        ["PROXY", "TCP4", source, target, from, to] => {
            client::<Ipv4Addr>([source, target], [from, to])
        }
        ["PROXY", "TCP6", source, target, from, to] => {
            client::<Ipv6Addr>([source, target], [from, to])
        }
        _ => Err(invalid("a PROXY header of an unknown kind")),
    }
}

fn client<A: FromStr + Into<IpAddr>>(
    [source, target]: [&str; 2],
    ports: [&str; 2],
) -> io::Result<Header> {
    let is_port = |port: &str| !port.starts_with('+') && port.parse::<u16>().is_ok();
    match (source.parse::<A>(), target.parse::<A>()) {
        (Ok(source), Ok(_)) if ports.into_iter().all(is_port) => Ok(Header::Client(source.into())),
        _ => Err(invalid("a PROXY header without addresses and ports")),
    }
}

async fn read_version_2(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Header> {
    let [version_and_command, kind] = [stream.read_u8().await?, stream.read_u8().await?];
    let length = usize::from(stream.read_u16().await?);
    if length > LONGEST_REST_BYTES {
        return Err(invalid("a PROXY header that is too long"));
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match (version_and_command, kind) {
        (0x20, _) => Ok(Header::Local),
        (0x21, 0x11) => source::<4, 12>(&rest),
        (0x21, 0x21) => source::<16, 36>(&rest),
        (0x21, 0x00 | 0x12 | 0x22 | 0x31 | 0x32) => Ok(Header::Unknown),
        _ => Err(invalid("a PROXY header of an unknown version or kind")),
    }
}

/// The source in a block of addresses, `SIZE` bytes of `BLOCK`; what follows says other things.
fn source<const SIZE: usize, const BLOCK: usize>(rest: &[u8]) -> io::Result<Header>
where
    IpAddr: From<[u8; SIZE]>,
{
    let block = rest.first_chunk::<BLOCK>();
    let source = block.and_then(|block| block.first_chunk::<SIZE>());
    source
        .map(|source| Header::Client(IpAddr::from(*source)))
        .ok_or_else(|| invalid("a PROXY header that is too short for its addresses"))
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a header from bytes; what is left must be what came behind it.
    async fn read_all(bytes: &[u8]) -> io::Result<(Header, Vec<u8>)> {
        let mut stream = bytes;
        let header = read(&mut stream).await?;
        Ok((header, stream.to_vec()))
    }

    fn version_2(command: u8, kind: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, kind], &length, rest].concat()
    }

    fn ipv4() -> Vec<u8> {
        [&[203, 0, 113, 7][..], &[10, 0, 0, 1], &[1, 2], &[0, 80]].concat()
    }

    fn ipv6() -> Vec<u8> {
        let source: Ipv6Addr = "2001:db8::7".parse().unwrap();
        [&source.octets()[..], &[0; 16], &[1, 2], &[0, 80]].concat()
    }

    fn known(address: &str) -> Header {
        Header::Client(address.parse().unwrap())
    }

    /// Every kind of header that is taken, and what it says.
    fn good() -> Vec<(Vec<u8>, Header)> {
        let with_tlvs = |addresses: Vec<u8>| [addresses, vec![4, 0, 3, 0, 0, 0]].concat();
        let line = |line: &str| format!("{line}\r\n").into_bytes();
        vec![
            (line("PROXY TCP4 203.0.113.7 10.0.0.1 65535 443"), known("203.0.113.7")),
            (line("PROXY TCP6 2001:db8::7 ::1 1 443"), known("2001:db8::7")),
            (line("PROXY UNKNOWN"), Header::Unknown),
            (line("PROXY UNKNOWN ffff::1 ffff::2 1 2"), Header::Unknown),
            (version_2(0x21, 0x11, &ipv4()), known("203.0.113.7")),
            (version_2(0x21, 0x11, &with_tlvs(ipv4())), known("203.0.113.7")),
            (version_2(0x21, 0x21, &ipv6()), known("2001:db8::7")),
            (version_2(0x21, 0x21, &with_tlvs(ipv6())), known("2001:db8::7")),
            (version_2(0x21, 0x31, &[0; 216]), Header::Unknown),
            (version_2(0x21, 0x00, &[]), Header::Unknown),
            (version_2(0x20, 0x00, &[]), Header::Local),
            (version_2(0x20, 0x11, &ipv4()), Header::Local),
            (LOCAL_HEADER.to_vec(), Header::Local),
            (version_2(0x21, 0x11, &[ipv4(), vec![0; 4084]].concat()), known("203.0.113.7")),
        ]
    }

    #[tokio::test]
    async fn a_header_is_read_and_nothing_behind_it() {
        for (bytes, expected) in good() {
            for behind in [&b""[..], b"G", b"GET / HTTP/1.1\r\n", b"\r\n", b"PROXY "] {
                let (header, left) = read_all(&[&bytes, behind].concat()).await.unwrap();
                assert_eq!((header, &*left), (expected, behind), "{bytes:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_header_may_come_in_any_two_pieces() {
        for (bytes, expected) in good() {
            for at in 0..bytes.len().min(250) {
                let (first, second) = bytes.split_at(at);
                let mut stream = first.chain(second);
                assert_eq!(read(&mut stream).await.unwrap(), expected, "{bytes:?} at {at}");
            }
        }
    }

    #[tokio::test]
    async fn every_header_that_is_cut_is_none() {
        for (bytes, _) in good() {
            for end in 0..bytes.len() {
                let error = read_all(&bytes[..end]).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{bytes:?} to {end}");
            }
        }
    }

    #[tokio::test]
    async fn a_signature_with_any_other_byte_is_none() {
        for (bytes, _) in good() {
            let signature = if bytes.starts_with(b"PROXY") { 6 } else { SIGNATURE.len() };
            for at in 0..signature {
                let mut wrong = bytes.clone();
                wrong[at] ^= 0x20;
                let error = read_all(&wrong).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidData, "{wrong:?}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        let lines = [
            "GET / HTTP/1.1",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536",
            "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2",
            "PROXY TCP4 ::1 ::1 1 2",
            "PROXY TCP6 1.2.3.4 1.2.3.4 1 2",
            "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2",
            "PROXY TCP5 1.2.3.4 1.2.3.4 1 2",
            "PROXY TCP4 1.2.3 1.2.3.4 1 2",
            "proxy TCP4 1.2.3.4 1.2.3.4 1 2",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\nGET / HTTP/1.1",
            "PROXY TCP6 fe80::1%1 ::1 1 2",
        ];
        let mut wrong: Vec<_> =
            lines.iter().map(|line| format!("{line}\r\n\r\n").into_bytes()).collect();
        wrong.push(format!("PROXY UNKNOWN {}\r\n", "x".repeat(100)).into_bytes());
        wrong.push(b"PROXY UNKNOWN \xff\r\n".to_vec());
        wrong.push(version_2(0x11, 0x11, &ipv4()));
        wrong.push(version_2(0x31, 0x11, &ipv4()));
        wrong.push(version_2(0x22, 0x11, &ipv4()));
        wrong.push(version_2(0x21, 0x13, &ipv4()));
        wrong.push(version_2(0x21, 0x41, &ipv4()));
        wrong.push(version_2(0x21, 0x11, &ipv4()[..11]));
        wrong.push(version_2(0x21, 0x21, &ipv4()));
        wrong.push(version_2(0x20, 0x00, &[0; 4097]));
        for bytes in wrong {
            let error = read_all(&bytes).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData, "{bytes:?}");
        }
    }
}
