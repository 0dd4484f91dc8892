//! Settings of register, login and logout, as typed.

use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;

use super::durations::parse_sign_in_window;
use crate::accounts::EmailCase;
use crate::auth::answer::AuthStatuses;
use crate::auth::credentials::PasswordPolicy;

/// Register, login and logout.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sign-in")]
pub struct AuthArgs {
    /// Statuses, headers and texts of register, login and logout. `express` has its 500s and 200s
    /// without a Content-Type, keeps the cookie at logout, reads JSON alone, and its texts tell
    /// anybody which addresses have accounts (express: express)
    #[arg(
        long,
        env = "NEXTBNB_AUTH_STATUSES",
        value_enum,
        default_value = "standard",
        default_value_if("compat", "express", "express")
    )]
    pub auth_statuses: AuthStatuses,
    /// Answer login, register or logout at another path, as `login=/api/users/login`. May be
    /// repeated (in the environment: separated by spaces)
    #[arg(
        long = "auth-path",
        env = "NEXTBNB_AUTH_PATH",
        value_name = "ROUTE=PATH",
        value_delimiter = ' '
    )]
    pub auth_paths: Vec<String>,
    /// What registration wants: an address with one @ and a password of 8 characters to 72 bytes,
    /// or nothing; then accounts with empty passwords are made (express: none)
    #[arg(
        long,
        env = "NEXTBNB_PASSWORD_POLICY",
        value_enum,
        default_value = "standard",
        default_value_if("compat", "express", "none")
    )]
    pub password_policy: PasswordPolicy,
    /// Whether `A@b.c` and `a@b.c` are one account; `exact` lets two people have them, and locks
    /// out whoever types the other (express: exact)
    #[arg(
        long,
        env = "NEXTBNB_EMAIL_CASE",
        value_enum,
        default_value = "ignore",
        default_value_if("compat", "express", "exact")
    )]
    pub email_case: EmailCase,
    /// At a sign-in hash the password anew, at this bcrypt cost (10 to 16), where its hash is cheaper
    /// or not `$2b$`, one at a time and else at the next sign-in; until most are, the clock tells new hashes from old [default: never]
    #[arg(
        long,
        env = "NEXTBNB_REHASH_COST",
        value_name = "COST",
        value_parser = clap::value_parser!(u32).range(10..=16)
    )]
    pub rehash_cost: Option<u32>,
    /// Failed sign-ins that one client may have with one account in --sign-in-window; more are
    /// answered 429 until one has lapsed. Ten times as many hold for an account with all clients
    /// that never signed in to it, and for a client with all accounts and for its registrations;
    /// this machine, trusted proxies and private networks are nobody's client. Kept in memory, by
    /// each process for itself; `off` counts none
    #[arg(
        long,
        env = "NEXTBNB_SIGN_IN_ATTEMPTS",
        value_name = "NUMBER|off",
        default_value = "10",
        value_parser = parse_sign_in_attempts
    )]
    pub sign_in_attempts: SignInAttempts,
    /// Time in which --sign-in-attempts lapse, one after the other
    #[arg(
        long,
        env = "NEXTBNB_SIGN_IN_WINDOW",
        value_name = "DURATION",
        default_value = "15m",
        value_parser = parse_sign_in_window
    )]
    pub sign_in_window: Duration,
    /// At logout tell the browser to clear every cookie of the domain and all that the site's
    /// scripts stored
    #[arg(long, env = "NEXTBNB_CLEAR_SITE_DATA", value_parser = FalseyValueParser::new())]
    pub clear_site_data: bool,
}

/// `--sign-in-attempts`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInAttempts {
    /// So many failures.
    AtMost(u32),
    /// Any number.
    Off,
}

fn parse_sign_in_attempts(text: &str) -> Result<SignInAttempts, &'static str> {
    match (text, text.parse()) {
        ("off", _) => Ok(SignInAttempts::Off),
        (_, Ok(attempts @ 1..=1000)) => Ok(SignInAttempts::AtMost(attempts)),
        _ => Err("want a number from 1 to 1000, or `off`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_bounded_by_a_number_that_bounds_or_said_not_to_be() {
        assert_eq!(parse_sign_in_attempts("off"), Ok(SignInAttempts::Off));
        assert_eq!(parse_sign_in_attempts("1000"), Ok(SignInAttempts::AtMost(1000)));
        for bad in ["0", "1001", "-1", "", "none", "1.5"] {
            assert!(parse_sign_in_attempts(bad).is_err(), "{bad}");
        }
    }
}
