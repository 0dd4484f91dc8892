//! How the database tells of changes, as typed.

use clap::Args;

use crate::database::listener::DirectUrl;
use crate::database::{self, DatabaseTarget};
use crate::error::StartError;

/// How the database tells of changes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Database")]
pub struct FeedArgs {
    /// The Postgres server's own address, where `--database-url` is a pooler's that lends connections
    /// for a transaction each (`pool_mode = transaction`): changes made by others are heard there
    #[arg(long, env = "NEXTBNB_DATABASE_DIRECT_URL", value_name = "URL", hide_env_values = true)]
    pub database_direct_url: Option<String>,
}

/// An empty URL is refused as an empty `--database-url` is.
pub(super) fn parse(
    args: &FeedArgs,
    target: &DatabaseTarget,
) -> Result<Option<DirectUrl>, StartError> {
    let Some(url) = &args.database_direct_url else { return Ok(None) };
    if !database::is_postgres(target) {
        return Err(StartError::DatabaseDirectUrl {
            reason: "it is for Postgres, and the database is an SQLite file".to_owned(),
        });
    }
    DirectUrl::parse(url).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, database_url: &str) -> String {
        let args = FeedArgs { database_direct_url: Some(url.to_owned()) };
        match parse(&args, &DatabaseTarget::Url(database_url.to_owned())) {
            Ok(direct) => format!("{direct:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_direct_url_is_that_of_a_postgres_and_never_shown() {
        const SECRET: &str = "postgres://ada:hunter2@db/x";
        const POOLER: &str = "postgresql://ada:hunter2@pooler:6432/x";
        assert_eq!(check(SECRET, POOLER), "Some(DirectUrl(redacted))");
        for (url, database_url, part) in [
            (SECRET, "sqlite://x", "SQLite file"),
            ("", POOLER, "must be postgres://"),
            ("hunter2", POOLER, "must be postgres://"),
            ("sqlite://hunter2", POOLER, "must be postgres://"),
            ("postgres://ada:hunter2@db:99999/x", POOLER, "port"),
        ] {
            let told = check(url, database_url);
            assert!(told.starts_with("--database-direct-url"), "{told}");
            assert!(told.contains(part) && !told.contains("hunter2"), "{told}");
        }
    }
}
