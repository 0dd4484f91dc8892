//! Sessions, accounts and migrations on real databases, each fact on SQLite and on Postgres.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

/// Runs each of the named tests on a new SQLite file and on a new Postgres database.
macro_rules! on_both_databases {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(nextbnb_tests::database::TestDatabase::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(nextbnb_tests::database::TestDatabase::postgres().await).await;
            })*
        }
    };
}

mod accounts;
mod adopted;
mod adopted_columns;
mod answer;
mod cached;
mod commands;
mod damaged;
mod examined;
mod examined_all;
mod examined_cookie;
mod examined_rights;
mod examined_sites;
mod failover;
mod feed;
mod feed_file;
mod hashes;
mod ids;
mod locks;
mod migrations;
mod notices;
mod odd_accounts;
mod opening;
mod outage;
mod policies;
mod printed;
mod program;
mod races;
mod refused;
mod session_times;
mod sessions;
mod signing_in;
mod site;
mod tables;
mod touches;
mod upkeep;
mod user_key;
