//! What `doctor` looks at, checked.

use std::path::{Path, PathBuf};
use std::{env, io};

use super::args::ListenArgs;
use super::doctor_args::{
    ApplicationArgs, DoctorDatabaseArgs, DoctorEverythingArgs, DoctorUpstreamArgs, UpstreamArgs,
};
use super::state_dir::StateDir;
use super::upstreams::{parse_upstream, without_user};
use super::{EVERY_ADDRESS, database_target, front, secrets, site, units};
use crate::database::DatabaseTarget;
use crate::database::tables::TableChoice;
use crate::downstream::public_url::PublicUrl;
use crate::error::{FrontError, NextError, StartError};
use crate::next::config_file::ConfigFile;
use crate::next::project::Project;
use crate::proxy::upstream_address::UpstreamAddress;
use crate::server::listen_at::ListenAt;
use crate::session::secrets::Secrets;
use crate::session::user_key::UserKey;

/// A database, and how the gateway would use it.
#[derive(Debug)]
pub struct DatabaseSubject {
    /// Where it is.
    pub database: DatabaseTarget,
    /// What its tables are called, as far as that is typed.
    pub tables: TableChoice,
    /// What sessions name accounts by.
    pub user_key: UserKey,
    /// What the session cookie is called.
    pub cookie_name: String,
    /// What signs it, where that is known; an unusable secret is a finding like others.
    pub secrets: Result<Option<Secrets>, StartError>,
    /// How many rows of each table are read; all, where nothing is said.
    pub sample: Option<u64>,
}

/// The Next.js application, and what runs it.
#[derive(Debug)]
pub struct FrontendSubject {
    /// The application, or why there is none.
    pub project: Result<Project, NextError>,
    /// Largest body that is passed on.
    pub max_body: Option<u64>,
    /// Where programs are looked for.
    pub search_path: Vec<PathBuf>,
}

/// What answers behind the gateway.
#[derive(Debug)]
pub struct UpstreamSubject {
    /// Where it is.
    pub address: UpstreamAddress,
    /// Whether somebody said so; else it is where `serve` looks.
    pub is_named: bool,
    /// What its paths begin with, as far as that can be seen.
    pub base_path: Option<String>,
    /// The origin of pages that are opened at the gateway on this machine.
    pub local_origin: String,
    /// The site's own origin, where it is said.
    pub public_origin: Option<String>,
}

/// Everything that `doctor` looks at.
#[derive(Debug)]
pub struct EverythingSubject {
    /// The application.
    pub frontend: FrontendSubject,
    /// The upstream.
    pub upstream: UpstreamSubject,
    /// Where the gateway is to listen.
    pub places: Vec<ListenAt>,
    /// The database.
    pub database: DatabaseSubject,
    /// What is weak about the secrets, in words that do not tell them.
    pub weak_secrets: Vec<&'static str>,
}

impl EverythingSubject {
    /// Checks what was typed. Makes nothing.
    pub fn of(args: &DoctorEverythingArgs) -> Result<Self, StartError> {
        let frontend = FrontendSubject::of(&args.application)?;
        let state_dir = state_dir(frontend.project.as_ref().ok());
        let file = args.database.session_secret_file.as_deref();
        let state = StateDir::new(args.database.database.state_dir_or(&state_dir));
        Ok(Self {
            upstream: UpstreamSubject::new(&args.upstream, &args.listen, &frontend)?,
            frontend,
            places: front::places(&args.places, &args.listen, EVERY_ADDRESS)?,
            database: DatabaseSubject::in_state(&args.database, &state_dir)?,
            weak_secrets: secrets::weaknesses(file, &state.secret_file()),
        })
    }
}

/// Where `serve` keeps its state where it has any, else where `dev` does.
fn state_dir(project: Option<&Project>) -> PathBuf {
    let default = PathBuf::from(StateDir::DEFAULT);
    match project {
        Some(project) if !default.exists() => project.default_state_dir(),
        _ => default,
    }
}

impl FrontendSubject {
    /// Looks for the application as `dev` does.
    pub fn of(args: &ApplicationArgs) -> Result<Self, StartError> {
        let missing =
            |source: io::Error| StartError::System { what: "without a working folder", source };
        let working_folder = env::current_dir().map_err(missing)?;
        #[expect(clippy::disallowed_methods, reason = "this is where it enters")]
        let search_path = env::var_os("PATH").unwrap_or_default();
        Ok(Self {
            project: Project::find(args.frontend.as_deref(), &working_folder),
            max_body: args.max_body,
            search_path: env::split_paths(&search_path).collect(),
        })
    }
}

impl UpstreamSubject {
    /// Where `serve` looks for Next.js unless told otherwise.
    const DEFAULT: &str = "http://localhost:3001";

    /// Checks what was typed for `doctor upstream`.
    pub fn of(args: &DoctorUpstreamArgs) -> Result<Self, StartError> {
        Self::new(&args.upstream, &args.listen, &FrontendSubject::of(&args.application)?)
    }

    fn new(
        args: &UpstreamArgs,
        listen: &ListenArgs,
        frontend: &FrontendSubject,
    ) -> Result<Self, StartError> {
        let typed = args.upstream.as_deref().filter(|url| !url.is_empty());
        let config = frontend.project.as_ref().map(|project| ConfigFile::read(project.folder()));
        let public = args.public_url.as_deref().filter(|url| !url.is_empty());
        if let Some(url) = public {
            let refused = |reason| FrontError::PublicUrl { url: without_user(url), reason };
            PublicUrl::parse(url).map_err(refused)?;
        }
        Ok(Self {
            address: parse_upstream(typed.unwrap_or(Self::DEFAULT))?,
            is_named: typed.is_some(),
            base_path: config.ok().and_then(|config| config.base_path),
            local_origin: format!("http://localhost:{}", listen.port),
            public_origin: public.map(|url| url.trim_end_matches('/').to_owned()),
        })
    }
}

impl DatabaseSubject {
    /// Checks what was typed. Makes neither folder nor secret.
    pub fn of(args: &DoctorDatabaseArgs) -> Result<Self, StartError> {
        Self::in_state(args, Path::new(StateDir::DEFAULT))
    }

    fn in_state(args: &DoctorDatabaseArgs, state_dir: &Path) -> Result<Self, StartError> {
        let state = StateDir::new(args.database.state_dir_or(state_dir));
        let database = database_target(&args.database, &state)?;
        let kept = matches!(database, DatabaseTarget::Embedded(_)).then(|| state.secret_file());
        let file = args.session_secret_file.as_deref();
        Ok(Self {
            secrets: secrets::known(file, args.allow_short_secret, kept.as_deref()),
            database,
            tables: units::parse_tables(&args.database)?,
            user_key: site::parse_user_key(&args.session_user_key)?,
            cookie_name: units::parse_cookie_name(&args.cookie_name)?,
            sample: args.sample,
        })
    }
}
