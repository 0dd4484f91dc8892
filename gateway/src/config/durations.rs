//! Durations as typed, with what each setting can take.

use std::time::Duration;

use super::session_args::MaxAge;
use super::tls_args::HstsChoice;
use crate::session::policy::Touch;

const SECOND: Duration = Duration::from_secs(1);

const DAY: Duration = Duration::from_hours(24);

/// Longest life of a cookie that browsers grant (RFC 6265bis §5.5).
const LONGEST_COOKIE: Duration = DAY.saturating_mul(400);

/// A hundred years. Databases and the calendar hold more, but not as much as can be typed.
const LONGEST_ROW: Duration = DAY.saturating_mul(36_500);

type Parsed<T> = Result<T, &'static str>;

/// A number with a unit.
pub(super) fn parse_duration(text: &str) -> Parsed<Duration> {
    humantime::parse_duration(text).map_err(|_| "want a number with its unit, as in 30d or 500ms")
}

/// `--session-max-age`
pub(super) fn parse_max_age(text: &str) -> Parsed<MaxAge> {
    match text {
        "browser" => Ok(MaxAge::Browser),
        duration => match parse_duration(duration)? {
            max_age if (SECOND..=LONGEST_COOKIE).contains(&max_age) => Ok(MaxAge::Of(max_age)),
            _ => Err("want between 1s and 400d, or `browser`"),
        },
    }
}

/// `--session-expiration`
pub(super) fn parse_expiration(text: &str) -> Parsed<Duration> {
    match parse_duration(text)? {
        life if (SECOND..=LONGEST_ROW).contains(&life) => Ok(life),
        _ => Err("want between 1s and 36500d"),
    }
}

/// `--hsts`
pub(super) fn parse_hsts(text: &str) -> Parsed<HstsChoice> {
    match text {
        "off" => Ok(HstsChoice::Off),
        duration => parse_duration(duration).map(HstsChoice::For),
    }
}

/// `--login-handover`
pub(super) fn parse_login_handover(text: &str) -> Parsed<Duration> {
    match parse_duration(text)? {
        time if time <= Duration::from_mins(1) => Ok(time),
        _ => Err("want 1m at most: whoever knew the old session id could use it so long"),
    }
}

/// `--touch-interval`
pub(super) fn parse_touch_interval(text: &str) -> Parsed<Touch> {
    match text {
        "never" => Ok(Touch::Never),
        duration => parse_duration(duration).map(Touch::Every),
    }
}

/// `--sweep-interval`
pub(super) fn parse_sweep_interval(text: &str) -> Parsed<Duration> {
    match parse_duration(text)? {
        interval if interval.is_zero() || interval >= SECOND => Ok(interval),
        _ => Err("want at least 1s, or `0s` for never"),
    }
}

/// `--sign-in-window`
pub(super) fn parse_sign_in_window(text: &str) -> Parsed<Duration> {
    match parse_duration(text)? {
        window if (SECOND..=DAY).contains(&window) => Ok(window),
        _ => Err("want between 1s and 1d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_lives_between_a_second_and_four_hundred_days() {
        for text in ["1s", "400d", "browser"] {
            assert!(parse_max_age(text).is_ok(), "{text}");
        }
        for text in ["0s", "999ms", "400d 1s", "30", "Browser", ""] {
            assert!(parse_max_age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_row_lives_a_second_at_least_and_has_an_end_in_the_calendar() {
        for text in ["1s", "24h", "36500d"] {
            assert!(parse_expiration(text).is_ok(), "{text}");
        }
        for text in ["0s", "500000y", "24"] {
            assert!(parse_expiration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sweeps_have_a_second_between_them_or_are_not_done() {
        assert!(parse_sweep_interval("0s").is_ok() && parse_sweep_interval("1s").is_ok());
        assert!(parse_sweep_interval("1ns").is_err());
    }
}
