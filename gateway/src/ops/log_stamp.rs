//! The time at which a line is written, as `tracing-subscriber` writes it.

use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;

/// `2026-11-24T18:35:10.` of a second.
type Second = [u8; 20];

thread_local! {
    /// The last second that this thread wrote: most lines are of the same.
    static LAST: Cell<(u64, Second)> = const { Cell::new((0, *b"1970-01-01T00:00:00.")) };
}

/// Writes `now` down, in UTC and to the microsecond.
pub(super) fn write(out: &mut Vec<u8>, now: SystemTime) {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (mut second, mut text) = LAST.get();
    if second != since.as_secs() {
        (second, text) = (since.as_secs(), text_of(since.as_secs()).unwrap_or(text));
        LAST.set((second, text));
    }
    out.extend_from_slice(&text);
    let mut digits = *b"000000Z";
    let mut rest = since.subsec_micros();
    for digit in digits.iter_mut().take(6).rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&digits);
}

fn text_of(second: u64) -> Option<Second> {
    let time = DateTime::from_timestamp(i64::try_from(second).ok()?, 0)?;
    time.format("%Y-%m-%dT%H:%M:%S.").to_string().as_bytes().try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tracing_subscriber::fmt::format::Writer;
    use tracing_subscriber::fmt::time::{FormatTime, SystemTime as Stock};

    use super::*;

    #[test]
    fn a_time_is_written_to_the_microsecond() {
        let at = |micros| {
            let mut out = Vec::new();
            write(&mut out, UNIX_EPOCH + Duration::from_micros(micros));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(at(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(1_709_210_096_000_007), "2024-02-29T12:34:56.000007Z");
        assert_eq!(at(1_709_210_096_999_999), "2024-02-29T12:34:56.999999Z");
        assert_eq!(at(1_709_210_097_000_000), "2024-02-29T12:34:57.000000Z");
    }

    #[test]
    fn it_is_written_as_other_lines_have_it() {
        let mut stock = String::new();
        Stock.format_time(&mut Writer::new(&mut stock)).unwrap();
        let mut own = Vec::new();
        write(&mut own, SystemTime::now());
        let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
        assert_eq!(shape(&String::from_utf8(own).unwrap()), shape(&stock));
    }
}
