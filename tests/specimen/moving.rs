//! A site on the move: commands of the document, run as they stand.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::process::Command;

use futures_util::FutureExt;
use nextbnb_tests::binary::gateway_binary;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::next::{Group, copy, free_address, repository};
use nextbnb_tests::visitor::Visitor;
use nextbnb_tests::wait_until;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::site::{WEBHOOK_SECRET, build, folder};

/// As long as the gateway wants them.
const SESSION_SECRET: &str = "343ji43j4n3jn4jk3n-343ji43j4n3jn4jk3n";

/// A copy of the site, and what of it runs.
pub(crate) struct Moving {
    database: TestDatabase,
    home: TempDir,
    public: SocketAddr,
    /// What is written in the document, and what that is here.
    table: [(&'static str, String); 8],
    node_env: &'static str,
    running: Vec<Running>,
}

struct Running {
    command: String,
    _group: Group,
}

impl Moving {
    /// Nothing runs yet; the site is built.
    pub(crate) async fn prepare() -> Self {
        build();
        // In the build folder, which is on the same disk: packages are linked, not copied.
        let home = TempDir::new_in(repository().join("target")).unwrap();
        copy(&folder(), &home.path().join("site"));
        let mut copying = Command::new("cp");
        copying.arg("-R").arg(folder().join(".next")).arg(home.path().join("site"));
        assert!(copying.status().unwrap().success());
        let database = TestDatabase::postgres().await;
        let public = free_address();
        let table = [
            ("../nextbnb-gateway", repository().display().to_string()),
            ("nextbnb-gateway", gateway_binary().display().to_string()),
            ("postgres://user@host/database", database.url().to_owned()),
            ("the secret", SESSION_SECRET.to_owned()),
            ("/etc/nextbnb/token", home.path().join("token").display().to_string()),
            ("3000", public.port().to_string()),
            ("3001", free_address().port().to_string()),
            ("3002", free_address().port().to_string()),
        ];
        Self { database, home, public, table, node_env: "production", running: Vec::new() }
    }

    /// Where browsers go, whatever serves there.
    pub(crate) fn address(&self) -> SocketAddr {
        self.public
    }

    pub(crate) fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// From now on the server compiles what it renders.
    pub(crate) fn develop(&mut self) {
        self.node_env = "development";
    }

    /// Ends everything, and runs these instead.
    pub(crate) async fn run(&mut self, commands: &[String]) {
        self.running.clear();
        self.add(commands).await;
    }

    /// Ends everything but the site's server, and runs these beside it.
    pub(crate) async fn run_beside_the_server(&mut self, commands: &[String]) {
        self.running.retain(|running| running.command.contains("server.js"));
        self.add(commands).await;
    }

    /// Runs these beside everything, each to its good end, and tells what they said.
    pub(crate) fn look(&self, commands: &[String]) -> String {
        commands.iter().map(|command| self.finish(&self.translated(command))).collect()
    }

    async fn add(&mut self, commands: &[String]) {
        for command in commands {
            let command = self.translated(command);
            match self.port_of(&command) {
                Some(port) => self.start(command, ([127, 0, 0, 1], port).into()).await,
                None => drop(self.finish(&command)),
            }
        }
    }

    /// The command with everything of the table in its place.
    fn translated(&self, command: &str) -> String {
        let (mut translated, mut rest) = (String::new(), command);
        while let Some(next) = rest.chars().next() {
            let entry = self.table.iter().find(|(theirs, _)| rest.starts_with(theirs));
            if let Some((theirs, ours)) = entry {
                translated.push_str(ours);
                rest = &rest[theirs.len()..];
            } else {
                translated.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        translated
    }

    /// Where the command serves, if it goes on running.
    fn port_of(&self, command: &str) -> Option<u16> {
        if command.contains("-gateway serve") || command.contains("-gateway dev") {
            return Some(self.public.port());
        }
        let named = command.split_once("PORT=").or_else(|| command.split_once(" start -p "));
        named.and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok())
    }

    async fn start(&mut self, command: String, address: SocketAddr) {
        let is_free = async || TcpStream::connect(address).await.is_err();
        wait_until("the port is free", is_free).await;
        let log = self.home.path().join("log");
        let output = File::create(&log).unwrap();
        let mut shell = self.shell(&command);
        shell.stdout(output.try_clone().unwrap()).stderr(output);
        self.running.push(Running { command, _group: Group::spawn(&mut shell) });
        let answers = wait_until("it answers", async || {
            TcpStream::connect(address).await.is_ok()
                && Visitor::new(address).get("/_next/static/none").await.status == 404
        });
        let answered = AssertUnwindSafe(answers).catch_unwind().await;
        assert!(answered.is_ok(), "{}", fs::read_to_string(log).unwrap());
    }

    fn finish(&self, command: &str) -> String {
        let output = self.shell(command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{said}{complaint}");
        said
    }

    /// In the site's folder, with the settings that the site's own server has from elsewhere.
    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(self.home.path().join("site"));
        shell.env("NEXT_TELEMETRY_DISABLED", "1").env("NODE_ENV", self.node_env);
        // Port 3000 where the command names none.
        shell.env("PORT", self.public.port().to_string());
        if command.contains("server.js") {
            shell.env("DATABASE_URL", self.database.url());
            shell.env("SESSION_SECRET", SESSION_SECRET).env("WEBHOOK_SECRET", WEBHOOK_SECRET);
        }
        shell
    }
}
