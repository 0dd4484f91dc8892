//! Settings of sessions and their cookie, as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};

use super::cache_args::CacheArgs;
use super::durations::{
    parse_expiration, parse_login_handover, parse_max_age, parse_sweep_interval,
    parse_touch_interval,
};
use crate::session::attributes::CookiePriority;
use crate::session::cookie_policy::{CookieSameSite, CookieSecure};
use crate::session::policy::{AnonymousSessions, Rolling, Touch};

/// The session cookie, what signs it, and the life of sessions.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sessions and cookies")]
pub struct SessionArgs {
    /// File with the secrets that sign session cookies, one a line: the first signs, all verify.
    /// Or set SESSION_SECRET to one secret, or to a JSON array of them [default with the embedded
    /// database and in `dev`: made once, kept in the state folder]
    #[arg(long, env = "NEXTBNB_SESSION_SECRET_FILE", value_name = "FILE")]
    pub session_secret_file: Option<PathBuf>,
    /// Make the files of --session-secret-file and --upstream-token-file when they are missing
    #[arg(long, env = "NEXTBNB_GENERATE_SECRET", value_parser = FalseyValueParser::new())]
    pub generate_secret: bool,
    /// Accept secrets under 32 bytes, to adopt those of an Express site
    #[arg(long, env = "NEXTBNB_ALLOW_SHORT_SECRET", value_parser = FalseyValueParser::new())]
    pub allow_short_secret: bool,
    /// Be `express` in every setting that has an older way: see the settings that name it. What
    /// is set beside it wins. Costs what each of them costs
    #[arg(long, env = "NEXTBNB_COMPAT", value_enum, value_name = "SERVER")]
    pub compat: Option<Compat>,
    /// What `passport.user` holds, as the site's serializeUser writes it: `email`, `id`, or `object`
    /// with its members, as `object:id,username=email` of `id`, `email` and `name`; `object` alone is
    /// `object:id,email`
    #[arg(long, env = "NEXTBNB_SESSION_USER_KEY", value_name = "KEY", default_value = "email")]
    pub session_user_key: String,
    /// What the cookie is like.
    #[command(flatten)]
    pub cookie: CookieArgs,
    /// How long sessions live.
    #[command(flatten)]
    pub life: LifeArgs,
    /// What is kept of sessions that were read.
    #[command(flatten)]
    pub cache: CacheArgs,
}

/// What the cookie is like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sessions and cookies")]
pub struct CookieArgs {
    /// Name of the session cookie
    #[arg(long, env = "NEXTBNB_COOKIE_NAME", value_name = "NAME", default_value = "nextbnb")]
    pub cookie_name: String,
    /// Which foreign pages' requests carry the cookie; `auto` is none over TLS, else lax. `none`
    /// and `unset` leave it to the browser who acts in a visitor's name; browsers want Secure with
    /// `none`; `unset` also keeps the attributes of stored sessions exactly (express: unset)
    #[arg(
        long,
        env = "NEXTBNB_COOKIE_SAME_SITE",
        value_enum,
        default_value = "lax",
        default_value_if("compat", "express", "unset")
    )]
    pub cookie_same_site: CookieSameSite,
    /// Keep the cookie to TLS: `auto` when the session began over it, `always` begins none over
    /// plain HTTP, `never` shows it to whoever listens (express: never)
    #[arg(
        long,
        env = "NEXTBNB_COOKIE_SECURE",
        value_enum,
        default_value = "auto",
        default_value_if("compat", "express", "never")
    )]
    pub cookie_secure: CookieSecure,
    /// Domain whose hosts all get the cookie, and could all use it [default: the host asked for]
    #[arg(long, env = "NEXTBNB_COOKIE_DOMAIN", value_name = "DOMAIN")]
    pub cookie_domain: Option<String>,
    /// Path that begins every path with sessions, letter by letter; elsewhere everybody is a guest
    #[arg(long, env = "NEXTBNB_COOKIE_PATH", value_name = "PATH", default_value = "/")]
    pub cookie_path: String,
    /// Hide the cookie from scripts; `false` lets any script in a page take a session
    #[arg(
        long,
        env = "NEXTBNB_COOKIE_HTTP_ONLY",
        value_name = "BOOL",
        action = ArgAction::Set,
        default_value_t = true
    )]
    pub cookie_http_only: bool,
    /// Give each embedding site a cookie of its own; browsers want Secure with it
    #[arg(long, env = "NEXTBNB_COOKIE_PARTITIONED", value_parser = FalseyValueParser::new())]
    pub cookie_partitioned: bool,
    /// How early a browser with too many cookies drops this one [default: not said]
    #[arg(long, env = "NEXTBNB_COOKIE_PRIORITY", value_enum)]
    pub cookie_priority: Option<CookiePriority>,
}

/// How long sessions live.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sessions and cookies")]
pub struct LifeArgs {
    /// Life of a session that nobody uses, and of its cookie; 400 days at most, or `browser`: until
    /// the browser ends, and in the database for --session-expiration
    #[arg(
        long,
        env = "NEXTBNB_SESSION_MAX_AGE",
        value_name = "DURATION|browser",
        default_value = "30d",
        value_parser = parse_max_age
    )]
    pub session_max_age: MaxAge,
    /// Life of a row after each visit, where its cookie names no end
    #[arg(
        long,
        env = "NEXTBNB_SESSION_EXPIRATION",
        value_name = "DURATION",
        default_value = "24h",
        value_parser = parse_expiration
    )]
    pub session_expiration: Duration,
    /// Write a visit down when the last one is this old. `0s` costs an UPDATE and its wait at
    /// every request, assets included; `never` ends sessions on their day, used or not (express:
    /// 0s)
    #[arg(
        long,
        env = "NEXTBNB_TOUCH_INTERVAL",
        value_name = "DURATION|never",
        default_value = "10m",
        default_value_if("compat", "express", "0s"),
        value_parser = parse_touch_interval
    )]
    pub touch_interval: Touch,
    /// Send the cookie again when less than half of its life is left, always, or never: then
    /// whoever visits every day is signed out on the cookie's day all the same (express: never)
    #[arg(
        long,
        env = "NEXTBNB_ROLLING",
        value_enum,
        default_value = "half",
        default_value_if("compat", "express", "never")
    )]
    pub rolling: Rolling,
    /// Give guests a row and a cookie at their first visit: one INSERT for every bot and
    /// every page rendered without a cookie (express: save)
    #[arg(
        long,
        env = "NEXTBNB_ANONYMOUS_SESSIONS",
        value_enum,
        default_value = "off",
        default_value_if("compat", "express", "save")
    )]
    pub anonymous_sessions: AnonymousSessions,
    /// Carry everything that the session before a sign-in holds, as carts, over to the new one; also
    /// from one person to the next at the same browser
    #[arg(long, env = "NEXTBNB_LOGIN_KEEPS_DATA", value_parser = FalseyValueParser::new())]
    pub login_keeps_data: bool,
    /// Let the session id before a sign-in lead to the session after it for so long, once, for the
    /// same address and User-Agent: for pages whose sign-in form is also submitted by the browser,
    /// which then drops the answer and its cookie. Whoever planted the old id may win that race; `0s`
    /// is never (express: 10s)
    #[arg(
        long,
        env = "NEXTBNB_LOGIN_HANDOVER",
        value_name = "DURATION",
        default_value = "0s",
        default_value_if("compat", "express", "10s"),
        value_parser = parse_login_handover
    )]
    pub login_handover: Duration,
    /// How often ended rows are deleted; `0s` is never, and they stay for good
    #[arg(
        long,
        env = "NEXTBNB_SWEEP_INTERVAL",
        value_name = "DURATION",
        default_value = "15m",
        value_parser = parse_sweep_interval
    )]
    pub sweep_interval: Duration,
}

/// A server to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compat {
    /// Express with express-session, passport and connect-session-sequelize, as measured.
    Express,
}

/// `--session-max-age`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxAge {
    /// So long.
    Of(Duration),
    /// As long as the browser.
    Browser,
}
