//! Nobody is heard on clients and origins but whom the settings trust.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::Scheme;
use http::{Request, request::Parts};
use nextbnb_gateway::downstream::front::Front;
use nextbnb_gateway::downstream::origin::Origin;
use nextbnb_gateway::downstream::peer::Source;
use nextbnb_gateway::proxy::forwarding::Forwarding;
use nextbnb_gateway::proxy::own_fields::OwnFields;
use nextbnb_gateway::proxy::target::host_and_port;

use super::{choice, fields};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PEERS: [&str; 4] = ["10.0.0.1", "203.0.113.7", "::ffff:10.1.2.3", "2001:db8::1"];

/// `bytes` are a choice of a peer, and a header's lines.
pub fn check(bytes: &[u8]) {
    let (choice, lines) = choice(bytes);
    let mut headers = fields(lines);
    headers.entry(HOST).or_insert(HeaderValue::from_static("inner"));
    let mut front = Front::default();
    front.trusted.add("private").unwrap();
    let peer = front.trusted.peer(Source::Tcp(PEERS[choice % PEERS.len()].parse().unwrap()));
    let client = front.client(&headers, peer);
    assert_eq!(client, client.to_canonical());
    let is_trusted = |address: IpAddr| front.trusted.hold(address);
    let read = read_by_whole_list(&headers, peer.address, is_trusted);
    assert_eq!(client, if peer.is_trusted { read } else { peer.address }, "{headers:?}");
    check_forged_beginning(&front, &headers, client, is_trusted(client));

    let scheme = if choice % 2 == 0 { Scheme::HTTP } else { Scheme::HTTPS };
    let received = |headers: &HeaderMap| {
        let mut head = head_of(headers.clone());
        front.receive(&mut head, peer, &scheme, None)
    };
    let Ok(origin) = received(&headers) else { return };
    check_origin(&origin, &headers);
    if !peer.is_trusted {
        let mut bare = headers.clone();
        for told in ["x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"] {
            bare.remove(told);
        }
        assert_eq!(received(&bare).ok(), Some(origin.clone()), "a client was heard");
        assert_eq!(origin.known_scheme().is_some(), scheme == Scheme::HTTPS);
    }
    check_told(&origin, client);
}

/// What stands further left than whom the client is taken for changes nothing.
fn check_forged_beginning(front: &Front, headers: &HeaderMap, client: IpAddr, is_trusted: bool) {
    if is_trusted || !headers.contains_key(X_FORWARDED_FOR) {
        return;
    }
    let mut forged = HeaderMap::new();
    forged.append(X_FORWARDED_FOR, "6.6.6.6, 10.6.6.6".parse().unwrap());
    for line in headers.get_all(X_FORWARDED_FOR) {
        forged.append(X_FORWARDED_FOR, line.clone());
    }
    let peer = front.trusted.peer(Source::Tcp([10, 0, 0, 1].into()));
    if front.client(headers, peer) == client {
        assert_eq!(front.client(&forged, peer), client, "{forged:?}");
    }
}

/// The list taken whole, its addresses read by the standard library.
fn read_by_whole_list(
    headers: &HeaderMap,
    peer: IpAddr,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> IpAddr {
    let lines = headers.get_all(X_FORWARDED_FOR).iter();
    let list = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    let list = list.collect::<Vec<_>>().join(",");
    let blank = [' ', '\t'];
    let hops: Vec<&str> =
        list.split(',').map(|hop| hop.trim_matches(blank)).filter(|hop| !hop.is_empty()).collect();
    let mut client = peer;
    for hop in hops.iter().rev() {
        let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
        let address = match bare {
            Some(bare) => bare.parse().map(IpAddr::V6).ok(),
            None => hop.parse().ok().or_else(|| hop.parse().map(|a: SocketAddr| a.ip()).ok()),
        };
        match address.filter(|_| !hop.contains('%')) {
            Some(address) => client = address.to_canonical(),
            None => return client,
        }
        if !is_trusted(client) {
            return client;
        }
    }
    client
}

/// An origin is a well-formed one that somebody wrote.
fn check_origin(origin: &Origin, headers: &HeaderMap) {
    assert!(host_and_port(origin.host()).is_some(), "{origin:?}");
    let is_written = |name: &str| {
        headers.get_all(name).iter().any(|value| {
            let value = value.to_str().unwrap_or_default();
            value.rsplit(',').next().is_some_and(|last| last.trim() == origin.host())
        })
    };
    assert!(is_written("host") || is_written("x-forwarded-host"), "{origin:?}");
}

/// What the upstream is told is this, once, and fit for a header.
fn check_told(origin: &Origin, client: IpAddr) {
    let mut told = OwnFields::new();
    let (host, scheme, port) = (origin.host(), origin.scheme(), origin.port());
    Forwarding { client, host, scheme, port, prefix: None }.add_to(&mut told);
    let told = told.to_map();
    let value = |name: &str| told.get(name).and_then(|value| value.to_str().ok());
    assert_eq!(value("x-forwarded-for"), Some(&*client.to_string()));
    assert_eq!(value("x-forwarded-host"), Some(host));
    assert_eq!(value("x-forwarded-proto"), Some(scheme.as_str()));
    assert_eq!(value("x-forwarded-port"), Some(&*port.to_string()));
    assert_eq!(told.len(), 4);
}

fn head_of(headers: HeaderMap) -> Parts {
    let mut head = Request::get("/").body(()).unwrap().into_parts().0;
    head.headers = headers;
    head
}
