//! Whether this machine and the database agree on the time.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::Finding;
use crate::database::look::Look;
use crate::session::clock::Clock;

/// From here on sessions begin and end at other times than their rows say.
const NOTICEABLE: TimeDelta = TimeDelta::seconds(1);

/// From here on a replica or an Express server on the other clock ends sessions that live.
const HARMFUL: TimeDelta = TimeDelta::seconds(60);

/// Asks a server what time it is; a file has the clock of this machine.
pub(super) async fn compare(look: &Look) -> Result<Vec<Finding>, DbErr> {
    if look.backend() != DbBackend::Postgres {
        return Ok(Vec::new());
    }
    let transaction = look.begin().await?;
    let query = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS now";
    let statement = Statement::from_string(DbBackend::Postgres, query);
    // Once to prepare the statement, which takes round trips of its own.
    transaction.query_one_raw(statement.clone()).await?;
    let before = Clock.now();
    let row = transaction.query_one_raw(statement).await?;
    let after = Clock.now();
    let theirs: i64 = match row {
        Some(row) => row.try_get("", "now")?,
        None => return Ok(Vec::new()),
    };
    let half = (after - before) / 2;
    let skew = TimeDelta::milliseconds(theirs - (before + half).timestamp_millis());
    Ok(vec![judge(skew, half)])
}

/// `skew` is how far the database is ahead, known to within `half` the round trip.
fn judge(skew: TimeDelta, half: TimeDelta) -> Finding {
    let apart = (skew.abs() - half.abs()).max(TimeDelta::zero());
    let way = if skew < TimeDelta::zero() { "behind" } else { "ahead of" };
    let what = format!("the database's clock is {} {way} this machine's", seconds(skew.abs()));
    let finding = if apart > HARMFUL {
        Finding::problem("clock", what)
    } else if apart > NOTICEABLE {
        Finding::warning("clock", what)
    } else {
        let within = half.abs().max(skew.abs()).num_milliseconds() + 1;
        Finding::ok("clock", format!("this machine and the database agree within {within} ms"))
    };
    let finding = finding
        .fact("ahead_milliseconds", skew.num_milliseconds())
        .fact("uncertain_milliseconds", half.num_milliseconds());
    if apart <= NOTICEABLE {
        return finding;
    }
    finding
        .why(
            "the gateway goes by its own clock: servers on another one end sessions early, or \
             keep those that are over",
        )
        .cure("set both clocks by NTP (`timedatectl`)")
}

fn seconds(time: TimeDelta) -> String {
    format!("{}.{:03} s", time.num_seconds(), time.num_milliseconds() % 1000)
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[track_caller]
    fn check(skew: i64, half: i64, level: Level) {
        let finding = judge(TimeDelta::milliseconds(skew), TimeDelta::milliseconds(half));
        assert_eq!((finding.level, finding.cure.is_some()), (level, level != Level::Ok), "{skew}");
    }

    #[test]
    fn clocks_are_apart_by_what_no_slow_answer_explains() {
        check(0, 5, Level::Ok);
        check(1000, 0, Level::Ok);
        check(1001, 0, Level::Warning);
        check(-1001, 0, Level::Warning);
        check(1500, 600, Level::Ok);
        check(60_000, 0, Level::Warning);
        check(-60_001, 0, Level::Problem);
        check(60_001, 2, Level::Warning);
    }

    #[test]
    fn the_slower_clock_is_named() {
        let behind = judge(TimeDelta::milliseconds(-90_250), TimeDelta::zero());
        assert_eq!(behind.what, "the database's clock is 90.250 s behind this machine's");
        let ahead = judge(TimeDelta::milliseconds(90_250), TimeDelta::zero());
        assert!(ahead.what.contains("ahead of"), "{}", ahead.what);
    }
}
