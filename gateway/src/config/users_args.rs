//! Settings of `users`, as typed.

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use clap::{Args, Subcommand};

use super::args::DatabaseArgs;
use super::site_args::{CaseArgs, ListArgs, PasswordArgs, UserKeyArgs};

/// Settings of `users`.
#[derive(Debug, Args)]
pub struct UsersArgs {
    /// What to do.
    #[command(subcommand)]
    pub part: UsersPart,
}

/// What is done to accounts.
#[derive(Debug, Subcommand)]
pub enum UsersPart {
    /// Make an account; its password is asked for, or read as one line from standard input
    Add(UsersAddArgs),
    /// List the accounts
    List(UsersListArgs),
    /// Give an account another password, asked for as in `add`, and end its sessions
    SetPassword(UsersSetPasswordArgs),
    /// Remove an account and end its sessions
    Remove(UsersRemoveArgs),
}

/// Settings of `users add`.
#[derive(Debug, Args)]
pub struct UsersAddArgs {
    /// Address of the account
    #[arg(value_name = "EMAIL", value_parser = NonEmptyStringValueParser::new())]
    pub email: String,
    /// What the person is called [default: nothing]
    #[arg(long, env = "NEXTBNB_USERS_NAME", value_name = "NAME")]
    pub name: Option<String>,
    /// Which addresses are one.
    #[command(flatten)]
    pub case: CaseArgs,
    /// What the password must be like.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// Where accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Settings of `users list`.
#[derive(Debug, Args)]
pub struct UsersListArgs {
    /// Count each account's live sessions too, for which the whole table of sessions is read
    #[arg(long, env = "NEXTBNB_USERS_SESSIONS", value_parser = FalseyValueParser::new())]
    pub sessions: bool,
    /// How the list is written.
    #[command(flatten)]
    pub list: ListArgs,
    /// How sessions name accounts.
    #[command(flatten)]
    pub key: UserKeyArgs,
    /// Where accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Settings of `users set-password`.
#[derive(Debug, Args)]
pub struct UsersSetPasswordArgs {
    /// Address of the account
    #[arg(value_name = "EMAIL", value_parser = NonEmptyStringValueParser::new())]
    pub email: String,
    /// Which addresses are one.
    #[command(flatten)]
    pub case: CaseArgs,
    /// What the password must be like.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// How sessions name accounts.
    #[command(flatten)]
    pub key: UserKeyArgs,
    /// Where accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Settings of `users remove`.
#[derive(Debug, Args)]
pub struct UsersRemoveArgs {
    /// Address of the account
    #[arg(value_name = "EMAIL", value_parser = NonEmptyStringValueParser::new())]
    pub email: String,
    /// Which addresses are one.
    #[command(flatten)]
    pub case: CaseArgs,
    /// How sessions name accounts.
    #[command(flatten)]
    pub key: UserKeyArgs,
    /// Where accounts are kept.
    #[command(flatten)]
    pub database: DatabaseArgs,
}
