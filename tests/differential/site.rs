//! Express and gateways on one database, and the ways of sharing a scenario between them.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use nextbnb_tests::chaos::ChaosProxy;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::stack::RunningGateway;
use tempfile::NamedTempFile;

use crate::allowed::Mode;
use crate::compare::differences;
use crate::express::Express;
use crate::judge::Judge;
use crate::player::{Cast, Player};
use crate::scenario::{Chapter, Scenario};
use crate::trace::Seen;

/// The ways that a gateway takes part: who plays the halves of a scenario.
pub(crate) const WAYS: [Way; 3] = [
    Way { name: "gateway alone", halves: [Server::Gateway, Server::Gateway] },
    Way { name: "Express, then gateway", halves: [Server::Express, Server::Gateway] },
    Way { name: "gateway, then Express", halves: [Server::Gateway, Server::Express] },
];

/// Express by itself, which all others are measured by.
const EXPRESS: Way = Way { name: "Express alone", halves: [Server::Express, Server::Express] };

#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    name: &'static str,
    halves: [Server; 2],
}

#[derive(Debug, Clone, Copy)]
enum Server {
    Express,
    Gateway,
}

/// A chapter with the database and the Express server that it is played on.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) chapter: Chapter,
    pub(crate) database: TestDatabase,
    /// Between the servers and the database.
    link: ChaosProxy,
    express: SocketAddr,
}

/// A gateway, or what stands before it, and what it is allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contender<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) judge: &'a Judge,
    /// Longest wait for rows that are written after the answer.
    pub(crate) patience: Duration,
}

impl Site {
    /// Express makes the tables.
    pub(crate) async fn open(express: &mut Express, chapter: Chapter) -> Self {
        let database = TestDatabase::postgres().await;
        let link = ChaosProxy::before(&database).await;
        let express = express.serve(&chapter, link.url());
        Self { chapter, database, link, express }
    }

    /// The database as the servers reach it.
    pub(crate) fn database_url(&self) -> &str {
        self.link.url()
    }

    /// Where Express answers.
    pub(crate) fn express(&self) -> SocketAddr {
        self.express
    }

    /// A gateway with the same settings, given as an operator gives them.
    pub(crate) async fn gateway(&self, mode: Mode, application: SocketAddr) -> RunningGateway {
        let (url, secrets) = (self.database_url(), self.chapter.secrets());
        self.gateway_with(mode.flags(), url, &secrets, application).await
    }

    pub(crate) async fn gateway_with(
        &self,
        flags: &[&str],
        database_url: &str,
        secrets: &[Vec<u8>],
        application: SocketAddr,
    ) -> RunningGateway {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&secrets.join(&b'\n')).unwrap();
        let file_name = file.path().to_str().unwrap();
        let given = ["--database-url", database_url, "--session-secret-file", file_name];
        // What is in memory is not asked for: Express has no such thing.
        let given =
            given.iter().chain(&["--allow-short-secret", "--static-cache-size=0"]).chain(flags);
        let mut flags: Vec<String> = given.map(|&flag| flag.to_owned()).collect();
        flags.extend(self.chapter.flags.iter().cloned());
        RunningGateway::serve(&flags, application).await
    }

    /// What Express does.
    pub(crate) async fn expected(&self, scenario: &Scenario) -> Vec<Seen> {
        self.play(scenario, EXPRESS, self.express, Duration::ZERO, |_, _| true).await
    }

    /// Plays a scenario in one way; tells what differs from `expected` and is not meant to.
    pub(crate) async fn compare(
        &self,
        scenario: &Scenario,
        way: Way,
        contender: Contender<'_>,
        expected: &[Seen],
    ) -> Option<String> {
        let Contender { address, judge, patience } = contender;
        let unexpected = |index: usize, seen: &Seen| {
            let mut differences = differences(&expected[index], seen);
            differences.retain(|difference| !judge.allows(&scenario.name, difference));
            differences
        };
        let accepts = |index: usize, seen: &Seen| unexpected(index, seen).is_empty();
        let trace = self.play(scenario, way, address, patience, accepts).await;
        let lines = scenario.requests().zip(&trace).enumerate();
        let complaints = lines.flat_map(|(index, (line, seen))| {
            let differences = unexpected(index, seen).into_iter();
            differences.map(move |difference| format!("    {line}\n    {difference}"))
        });
        let complaints = complaints.collect::<Vec<_>>().join("\n");
        let title = format!("{} ({}, {:?})", scenario.name, way.name, judge.mode());
        (!complaints.is_empty()).then(|| format!("{title}\n{complaints}"))
    }

    async fn play(
        &self,
        scenario: &Scenario,
        way: Way,
        gateway: SocketAddr,
        patience: Duration,
        accepts: impl FnMut(usize, &Seen) -> bool,
    ) -> Vec<Seen> {
        let [first, second] = way.halves.map(|server| match server {
            Server::Express => self.express,
            Server::Gateway => gateway,
        });
        let cast = Cast { first, second, express: self.express };
        let player = Player::new(&self.chapter, &self.database, &self.link, patience);
        player.play(scenario, cast, accepts).await
    }
}
