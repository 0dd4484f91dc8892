//! Settings of register, login and logout, as typed.

use clap::Args;
use clap::builder::FalseyValueParser;

use crate::accounts::EmailCase;
use crate::auth::answer::AuthStatuses;
use crate::auth::credentials::PasswordPolicy;

/// Register, login and logout.
#[derive(Debug, Args)]
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
    /// At logout tell the browser to clear every cookie of the domain and all that the site's
    /// scripts stored
    #[arg(long, env = "NEXTBNB_CLEAR_SITE_DATA", value_parser = FalseyValueParser::new())]
    pub clear_site_data: bool,
}
