//! Lines for somebody who develops and looks at a terminal: what happened, in few words and colours.

use std::fmt;
use std::io::Write as _;

use http::StatusCode;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::access_line::AccessLine;
use super::log_text::{put, put_number, put_shown};

/// Whether colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Palette {
    Colours,
    Plain,
}

/// Sequences of ECMA-48 §8.3.117 (SGR).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paint {
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Palette {
    fn begin(self, paint: Paint) -> &'static str {
        match (self, paint) {
            (Self::Plain, _) => "",
            (Self::Colours, Paint::Dim) => "\x1b[2m",
            (Self::Colours, Paint::Red) => "\x1b[31m",
            (Self::Colours, Paint::Green) => "\x1b[32m",
            (Self::Colours, Paint::Yellow) => "\x1b[33m",
            (Self::Colours, Paint::Cyan) => "\x1b[36m",
        }
    }

    fn end(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Colours => "\x1b[0m",
        }
    }
}

/// Writes the line of a request: ` 200 GET /trips 12 ms`.
pub(super) fn write_request(line: &AccessLine<'_>, palette: Palette, out: &mut Vec<u8>) {
    let paint = match line.status {
        None => Paint::Yellow,
        Some(status) if status.is_server_error() => Paint::Red,
        Some(status) if status.is_client_error() => Paint::Yellow,
        Some(status) if status.is_redirection() => Paint::Cyan,
        Some(_) => Paint::Green,
    };
    out.push(b' ');
    put(out, palette.begin(paint));
    put(out, line.status.as_ref().map_or("---", StatusCode::as_str));
    put(out, palette.end());
    out.push(b' ');
    put(out, line.method.as_str());
    out.push(b' ');
    put_shown(out, line.path);
    put(out, palette.begin(Paint::Dim));
    out.push(b' ');
    put_duration(out, line.duration_ms);
    for more in [line.end, line.cause].into_iter().flatten() {
        put(out, " · ");
        put_shown(out, &more.replace(['\n', '\r'], " "));
    }
    put(out, palette.end());
    out.push(b'\n');
}

fn put_duration(out: &mut Vec<u8>, duration_ms: u64) {
    if duration_ms < 1000 {
        put_number(out, duration_ms);
        put(out, " ms");
    } else {
        let written = write!(out, "{}.{} s", duration_ms / 1000, duration_ms % 1000 / 100);
        debug_assert!(written.is_ok(), "a Vec takes everything");
    }
}

/// Everything else that is said, without the time, the place in the source and the name of the level.
#[derive(Debug)]
pub(super) struct Calm(pub(super) Palette);

impl<S, N> FormatEvent<S, N> for Calm
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Self(palette) = self;
        let (paint, mark) = match *event.metadata().level() {
            Level::ERROR => (Paint::Red, "✗"),
            Level::WARN => (Paint::Yellow, "!"),
            Level::INFO => (Paint::Cyan, "›"),
            _ => (Paint::Dim, "·"),
        };
        write!(writer, " {}{mark}{} ", palette.begin(paint), palette.end())?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::super::request_id::RequestId;
    use super::*;

    fn line(status: Option<u16>, duration_ms: u64) -> AccessLine<'static> {
        AccessLine {
            level: Level::INFO,
            method: &Method::GET,
            path: "/trips\u{1b}[0m",
            request_id: RequestId::of(0),
            client: [127, 0, 0, 1].into(),
            status: status.map(|status| StatusCode::from_u16(status).unwrap()),
            duration_ms,
            bytes: 1,
            protocol: None,
            user_id: None,
            end: None,
            cause: None,
        }
    }

    #[track_caller]
    fn check(line: &AccessLine<'_>, palette: Palette, expected: &str) {
        let mut out = Vec::new();
        write_request(line, palette, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_request_is_one_short_line_with_its_status_in_colour() {
        check(&line(Some(200), 12), Palette::Plain, " 200 GET /trips\\x1b[0m 12 ms\n");
        check(&line(Some(304), 1234), Palette::Plain, " 304 GET /trips\\x1b[0m 1.2 s\n");
        let failed = AccessLine { end: Some("client gone"), cause: Some("a\nb"), ..line(None, 0) };
        check(&failed, Palette::Plain, " --- GET /trips\\x1b[0m 0 ms · client gone · a b\n");
        let coloured = " \x1b[31m502\x1b[0m GET /trips\\x1b[0m\x1b[2m 5 ms\x1b[0m\n";
        check(&line(Some(502), 5), Palette::Colours, coloured);
    }
}
