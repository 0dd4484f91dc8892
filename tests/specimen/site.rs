//! The specimen's servers, and gateways before them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;

use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::next::{Group, copy, free_address, repository};
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;
use tempfile::TempDir;

/// Signs what the payment provider sends.
pub(crate) const WEBHOOK_SECRET: &str = "of the payment provider";

/// The site's own, as short as such secrets are.
const SESSION_SECRET: &str = "343ji43j4n3jn4jk3n";

const TOKEN: &str = "a-token-of-the-tests";

/// The Express server with everything of the site, and where it keeps its data.
pub(crate) struct Specimen {
    database: TestDatabase,
    express: SocketAddr,
    home: TempDir,
    _server: Group,
}

/// A gateway, and the Next.js that it stands before where that is not Express.
pub(crate) struct Before {
    gateway: RunningGateway,
    _next: Option<Group>,
}

impl Before {
    pub(crate) fn address(&self) -> SocketAddr {
        self.gateway.address()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }
}

impl Specimen {
    pub(crate) async fn start() -> Self {
        build();
        let (database, express) = (TestDatabase::postgres().await, free_address());
        let mut server = Command::new("node");
        server.arg("server.js").env("NODE_ENV", "production").current_dir(folder());
        server.env("PORT", express.port().to_string()).env("DATABASE_URL", database.url());
        server.env("SESSION_SECRET", SESSION_SECRET).env("WEBHOOK_SECRET", WEBHOOK_SECRET);
        let server = spawn(server, express).await;
        // In the build folder, which is on the same disk: packages are linked, not copied.
        let home = TempDir::new_in(repository().join("target")).unwrap();
        std::fs::write(home.path().join("session"), SESSION_SECRET).unwrap();
        std::fs::write(home.path().join("token"), TOKEN).unwrap();
        Self { database, express, home, _server: server }
    }

    pub(crate) fn express(&self) -> SocketAddr {
        self.express
    }

    /// The site without a gateway.
    pub(crate) fn own(&self) -> String {
        format!("http://{}", self.express)
    }

    /// Lets gateways verify with one more secret; the site's own goes on signing.
    pub(crate) fn add_secret(&self, secret: &str) {
        let secrets = format!("{SESSION_SECRET}\n{secret}\n");
        std::fs::write(self.home.path().join("session"), secrets).unwrap();
    }

    /// Way A: the gateway before the whole Express server.
    pub(crate) async fn before_express(&self) -> Before {
        let gateway = RunningGateway::serve(&self.flags(&[]), self.express).await;
        Before { gateway, _next: None }
    }

    /// Way B: pages from `next start`, the API and what else is the server's from Express.
    pub(crate) async fn apart(&self) -> Before {
        self.apart_with("start", &folder()).await
    }

    /// Way B with `next dev`, in a copy: the server needs the build where it is.
    pub(crate) async fn apart_in_development(&self) -> Before {
        let copied = self.home.path().join("site");
        copy(&folder(), &copied);
        self.apart_with("dev", &copied).await
    }

    async fn apart_with(&self, command: &str, folder: &Path) -> Before {
        let address = free_address();
        let mut next = Command::new("node");
        next.arg("--require").arg(repository().join("packages/req-session"));
        next.args(["node_modules/next/dist/bin/next", command, "-H", "127.0.0.1"]);
        next.args(["-p", &address.port().to_string()]).env("NEXTBNB_TOKEN", TOKEN);
        next.current_dir(folder);
        let next = spawn(next, address).await;
        let token = self.home.path().join("token").display().to_string();
        let (api, link) = (format!("/api/={}", self.own()), format!("/auth/={}", self.own()));
        let extra = ["--route", &api, "--route", &link, "--upstream-token-file", &token];
        let gateway = RunningGateway::serve(&self.flags(&extra), address).await;
        Before { gateway, _next: Some(next) }
    }

    fn flags(&self, extra: &[&str]) -> Vec<String> {
        let secret = self.home.path().join("session").display().to_string();
        let flags =
            ["--compat", "express", "--allow-short-secret", "--session-secret-file", &secret];
        let database = ["--database-url", self.database.url()];
        flags.iter().chain(&database).chain(extra).map(|&flag| flag.to_owned()).collect()
    }
}

/// Starts a server of the site and waits until it answers.
async fn spawn(mut command: Command, address: SocketAddr) -> Group {
    command.env("NEXT_TELEMETRY_DISABLED", "1");
    let group = Group::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()));
    wait_until("a server of the specimen answers", async || {
        tokio::net::TcpStream::connect(address).await.is_ok()
            && Visitor::new(address).get("/_next/static/none").await.status == 404
    })
    .await;
    group
}

/// Once, however many tests there are.
pub(crate) fn build() {
    static BUILT: Once = Once::new();
    BUILT.call_once(build_once);
}

fn build_once() {
    let mut next = Command::new("node");
    next.args(["node_modules/next/dist/bin/next", "build"]).current_dir(folder());
    let output = next.env("NEXT_TELEMETRY_DISABLED", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn folder() -> PathBuf {
    repository().join("tests/specimen/site")
}
