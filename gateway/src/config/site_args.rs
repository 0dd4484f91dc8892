//! How a site's accounts, sessions and secrets are known, as typed for commands that serve nobody.

use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;

use super::session_args::Compat;
use crate::accounts::EmailCase;
use crate::auth::credentials::PasswordPolicy;

/// Which addresses are one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Accounts")]
pub struct CaseArgs {
    /// Be `express` in the settings below that name it, as for `serve`
    #[arg(long, env = "NEXTBNB_COMPAT", value_enum, value_name = "SERVER")]
    pub compat: Option<Compat>,
    /// Whether `A@b.c` and `a@b.c` are one account, as for `serve` (express: exact)
    #[arg(
        long,
        env = "NEXTBNB_EMAIL_CASE",
        value_enum,
        default_value = "ignore",
        default_value_if("compat", "express", "exact")
    )]
    pub email_case: EmailCase,
}

/// How sessions name accounts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Accounts")]
pub struct UserKeyArgs {
    /// What `passport.user` holds, as for `serve`
    #[arg(long, env = "NEXTBNB_SESSION_USER_KEY", value_name = "KEY", default_value = "email")]
    pub session_user_key: String,
}

/// What new passwords must be like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Accounts")]
pub struct PasswordArgs {
    /// What is wanted, as for `serve`: an address with one @ and a password of 8 characters to 72
    /// bytes, or nothing (express: none)
    #[arg(
        long,
        env = "NEXTBNB_PASSWORD_POLICY",
        value_enum,
        default_value = "standard",
        default_value_if("compat", "express", "none")
    )]
    pub password_policy: PasswordPolicy,
    /// The least bcrypt cost of the password's hash (10 to 16), as for `serve` [default: what most
    /// accounts have, 10 at least]
    #[arg(
        long,
        env = "NEXTBNB_REHASH_COST",
        value_name = "COST",
        value_parser = clap::value_parser!(u32).range(10..=16)
    )]
    pub rehash_cost: Option<u32>,
}

/// What the hashes of sessions in the log are made with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sessions and cookies")]
pub struct SecretArgs {
    /// File with the secrets that sign session cookies, or set SESSION_SECRET, as for `serve`: sessions
    /// are then called as in the log [default with the embedded database: those in the state folder]
    #[arg(long, env = "NEXTBNB_SESSION_SECRET_FILE", value_name = "FILE")]
    pub session_secret_file: Option<PathBuf>,
    /// Accept secrets under 32 bytes, to adopt those of an Express site
    #[arg(long, env = "NEXTBNB_ALLOW_SHORT_SECRET", value_parser = FalseyValueParser::new())]
    pub allow_short_secret: bool,
}

/// How a list is written.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Write at most so many, and say where there are more [default: all]
    #[arg(
        long,
        env = "NEXTBNB_LIMIT",
        value_name = "ROWS",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub limit: Option<u64>,
    /// Write one JSON object a line, for programs
    #[arg(long, env = "NEXTBNB_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}
