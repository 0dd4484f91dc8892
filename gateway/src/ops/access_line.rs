//! What the line of a request looks like: byte for byte what `tracing-subscriber` makes of it, for a
//! sixth of its price.

use std::net::IpAddr;
use std::time::SystemTime;

use http::{Method, StatusCode};
use tracing::{Level, debug, error, info, warn};

use super::log_stamp;
use super::log_text::{
    put, put_address, put_escaped, put_member, put_number, put_quoted, put_shown,
};
use super::logs::LogShape;
use super::request_id::RequestId;
use crate::entity::user_id::UserId;

/// What `RUST_LOG` knows these lines by.
pub(super) const TARGET: &str = "nextbnb_gateway::ops::access_log";

/// What is told of a request.
#[derive(Debug)]
pub(super) struct AccessLine<'a> {
    pub(super) level: Level,
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) request_id: RequestId,
    pub(super) client: IpAddr,
    pub(super) status: Option<StatusCode>,
    pub(super) duration_ms: u64,
    pub(super) bytes: u64,
    /// Which HTTP it came by, where that is not HTTP/1.
    pub(super) protocol: Option<&'static str>,
    pub(super) user_id: Option<&'a UserId>,
    pub(super) end: Option<&'static str>,
    pub(super) cause: Option<&'a str>,
}

/// Writes a line at a level, which `tracing` wants to know when it is compiled.
macro_rules! traced {
    ($level:ident, $line:expr) => {{
        let AccessLine { method, path, request_id, client, duration_ms, bytes, protocol, end, cause, .. } =
            $line;
        $level!(
            target: TARGET,
            %request_id, client.address = %client, status = $line.status_code(), duration_ms, bytes,
            protocol, user.id = $line.user_id.map(UserId::as_value), end, cause,
            "{method} {path} -> {}", $line.outcome()
        );
    }};
}

impl AccessLine<'_> {
    /// Writes it by way of `tracing`, where that has colours or is all there is.
    pub(super) fn trace(&self) {
        match self.level {
            Level::ERROR => traced!(error, self),
            Level::WARN => traced!(warn, self),
            Level::INFO => traced!(info, self),
            _ => traced!(debug, self),
        }
    }

    /// Writes it at the end of `out`, without colours.
    pub(super) fn write(&self, shape: LogShape, now: SystemTime, out: &mut Vec<u8>) {
        match shape {
            LogShape::Pretty => self.write_pretty(now, out),
            LogShape::Json => self.write_json(now, out),
        }
        out.push(b'\n');
    }

    fn status_code(&self) -> Option<u16> {
        self.status.map(|status| status.as_u16())
    }

    fn outcome(&self) -> &str {
        self.status.as_ref().map(StatusCode::as_str).or(self.end).unwrap_or_default()
    }

    fn write_pretty(&self, now: SystemTime, out: &mut Vec<u8>) {
        log_stamp::write(out, now);
        let level = self.level.as_str();
        out.extend_from_slice(if level.len() == 4 { b"  " } else { b" " });
        put(out, level);
        out.push(b' ');
        put(out, self.method.as_str());
        out.push(b' ');
        put_shown(out, self.path);
        put(out, " -> ");
        put(out, self.outcome());
        put(out, " request_id=");
        put(out, self.request_id.as_str());
        put(out, " client.address=");
        put_address(out, self.client);
        if let Some(status) = &self.status {
            put(out, " status=");
            put(out, status.as_str());
        }
        put(out, " duration_ms=");
        put_number(out, self.duration_ms);
        put(out, " bytes=");
        put_number(out, self.bytes);
        if let Some(protocol) = self.protocol {
            put_quoted(out, " protocol=", protocol);
        }
        match self.user_id {
            Some(UserId::Number(id) | UserId::Big(id)) => {
                put(out, " user.id=");
                put_number(out, *id);
            }
            Some(UserId::Text(id)) => put_quoted(out, " user.id=", id),
            None => {}
        }
        for (name, text) in [(" end=", self.end), (" cause=", self.cause)] {
            if let Some(text) = text {
                put_quoted(out, name, text);
            }
        }
    }

    fn write_json(&self, now: SystemTime, out: &mut Vec<u8>) {
        put(out, "{\"timestamp\":\"");
        log_stamp::write(out, now);
        put(out, "\",\"level\":\"");
        put(out, self.level.as_str());
        put(out, "\",\"message\":\"");
        put(out, self.method.as_str());
        out.push(b' ');
        put_escaped(out, self.path);
        put(out, " -> ");
        put(out, self.outcome());
        put(out, "\",\"request_id\":\"");
        put(out, self.request_id.as_str());
        put(out, "\",\"client.address\":\"");
        put_address(out, self.client);
        out.push(b'"');
        if let Some(status) = &self.status {
            put(out, ",\"status\":");
            put(out, status.as_str());
        }
        put(out, ",\"duration_ms\":");
        put_number(out, self.duration_ms);
        put(out, ",\"bytes\":");
        put_number(out, self.bytes);
        if let Some(protocol) = self.protocol {
            put_member(out, ",\"protocol\":\"", protocol);
        }
        match self.user_id {
            Some(UserId::Number(id) | UserId::Big(id)) => {
                put(out, ",\"user.id\":");
                put_number(out, *id);
            }
            Some(UserId::Text(id)) => put_member(out, ",\"user.id\":\"", id),
            None => {}
        }
        for (name, text) in [(",\"end\":\"", self.end), (",\"cause\":\"", self.cause)] {
            if let Some(text) = text {
                put_member(out, name, text);
            }
        }
        put_member(out, ",\"target\":\"", TARGET);
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::format::Writer;
    use tracing_subscriber::fmt::time::FormatTime;

    use super::*;

    /// A clock that stands still.
    struct Still(SystemTime);

    impl FormatTime for Still {
        fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
            let mut out = Vec::new();
            log_stamp::write(&mut out, self.0);
            writer.write_str(&String::from_utf8(out).unwrap())
        }
    }

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What `tracing-subscriber` writes, set up as the gateway sets it up.
    fn stock(line: &AccessLine<'_>, shape: LogShape, now: SystemTime) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let builder = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_timer(Still(now))
            .with_writer(move || writer.clone());
        match shape {
            LogShape::Pretty => {
                let subscriber = builder.with_target(false).with_ansi(false).compact().finish();
                tracing::subscriber::with_default(subscriber, || line.trace());
            }
            LogShape::Json => {
                let json = builder.json().flatten_event(true).with_span_list(false).finish();
                tracing::subscriber::with_default(json, || line.trace());
            }
        }
        let written = sink.0.lock().unwrap().clone();
        String::from_utf8(written).unwrap()
    }

    #[track_caller]
    fn check(line: &AccessLine<'_>) {
        let now = SystemTime::now();
        for shape in [LogShape::Pretty, LogShape::Json] {
            let mut own = Vec::new();
            line.write(shape, now, &mut own);
            let stock = stock(line, shape, now);
            assert!(stock.ends_with('\n'), "{stock}");
            assert_eq!(String::from_utf8(own).unwrap(), stock);
        }
    }

    const PLAIN: AccessLine<'_> = AccessLine {
        level: Level::INFO,
        method: &Method::GET,
        path: "/trips",
        request_id: RequestId::written(*b"0123456789abcdef0123456789abcdef"),
        client: IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7)),
        status: Some(StatusCode::OK),
        duration_ms: 12,
        bytes: 34_567,
        protocol: None,
        user_id: None,
        end: None,
        cause: None,
    };

    #[test]
    fn a_line_is_what_tracing_subscriber_writes() {
        check(&PLAIN);
        for level in [Level::ERROR, Level::WARN, Level::DEBUG] {
            check(&AccessLine { level, ..PLAIN });
        }
        let post = Method::from_bytes(b"M-SEARCH").unwrap();
        check(&AccessLine { method: &post, bytes: u64::MAX, duration_ms: 0, ..PLAIN });
        check(&AccessLine { client: "2001:db8::7".parse().unwrap(), ..PLAIN });
        check(&AccessLine { client: "::ffff:203.0.113.7".parse().unwrap(), ..PLAIN });
        check(&AccessLine { request_id: RequestId::of(0), ..PLAIN });
        check(&AccessLine { status: StatusCode::from_u16(999).ok(), ..PLAIN });
    }

    #[test]
    fn a_line_tells_who_and_how_it_ended() {
        for id in [UserId::Number(7), UserId::Big(i64::MIN), UserId::Text("a \"b\" é".to_owned())]
        {
            check(&AccessLine { user_id: Some(&id), ..PLAIN });
        }
        check(&AccessLine { end: Some("cut by the upstream"), ..PLAIN });
        check(&AccessLine { protocol: Some("HTTP/2.0"), ..PLAIN });
        check(&AccessLine { status: None, end: Some("client gone"), ..PLAIN });
        check(&AccessLine { status: None, ..PLAIN });
        check(&AccessLine { cause: Some("\"a\"\n\t\u{1b}[31m\\ é \u{85}\0"), ..PLAIN });
    }

    #[test]
    fn no_path_breaks_a_line_or_reaches_the_terminal() {
        for path in
            ["/a\"b\\c", "/\u{7f}", "/é\u{9b}31m\u{80}", "/{}%0a", "*", "", "/a\u{1b}[0m\u{7}"]
        {
            check(&AccessLine { path, ..PLAIN });
        }
        for code in 0..=0x1ff {
            let path = format!("/{}", char::from_u32(code).unwrap());
            check(&AccessLine { path: &path, ..PLAIN });
        }
    }
}
