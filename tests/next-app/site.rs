//! The application and a gateway before it.

use std::net::SocketAddr;

use http::Request;
use http_body_util::Full;
use nextbnb_gateway::config::Config;
use nextbnb_gateway::proxy::pages::Reader;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::next_app::{NextApp, folder};
use nextbnb_tests::stack::RunningGateway;

use crate::play::{Names, Way, exchange};

/// Both of them, running.
pub(crate) struct Site {
    next: NextApp,
    gateway: RunningGateway,
    names: Names,
    _database: TestDatabase,
}

/// Another gateway before the application.
pub(crate) struct ForVisitors {
    pub(crate) gateway: RunningGateway,
    _database: TestDatabase,
}

impl Site {
    /// `next start`, and a gateway without any setting.
    pub(crate) async fn built() -> Self {
        Self::built_with(|_| {}).await
    }

    /// `next start`, and a gateway that is set up otherwise.
    pub(crate) async fn built_with(change: impl FnOnce(&mut Config)) -> Self {
        let next = NextApp::start().await;
        let build = std::fs::read_to_string(folder().join(".next/BUILD_ID")).unwrap();
        let names = vec![("{build}", build), ("{asset}", asset_of(&next).await)];
        Self::before(next, names, change).await
    }

    /// `next dev`, and a gateway as `dev --upstream` is.
    pub(crate) async fn in_development() -> Self {
        Self::in_development_with(|_| {}).await
    }

    /// `next dev`, and a gateway that is set up otherwise.
    pub(crate) async fn in_development_with(change: impl FnOnce(&mut Config)) -> Self {
        let next = NextApp::develop().await;
        Self::before(next, Vec::new(), |config| {
            config.reader = Reader::Developer;
            change(config);
        })
        .await
    }

    async fn before(next: NextApp, mut names: Names, change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::sqlite().await;
        let gateway = RunningGateway::start(database.url(), next.address(), change).await;
        let port = next.address().port();
        names.push(("{next}", format!("http%3A%2F%2F127.0.0.1%3A{port}")));
        Self { next, gateway, names, _database: database }
    }

    /// Another gateway before the same application, as one for visitors.
    pub(crate) async fn for_visitors(&self) -> ForVisitors {
        let database = TestDatabase::sqlite().await;
        let gateway = RunningGateway::start(database.url(), self.next(), |_| {}).await;
        ForVisitors { gateway, _database: database }
    }

    /// Where the application answers.
    pub(crate) fn next(&self) -> SocketAddr {
        self.next.address()
    }

    /// Where the gateway does.
    pub(crate) fn gateway(&self) -> SocketAddr {
        self.gateway.address()
    }

    /// What stands for what in paths.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }
}

/// A script that a page loads.
pub(crate) async fn asset_of(next: &NextApp) -> String {
    let request = Request::get("/plain").body(Full::default()).unwrap();
    let page = exchange(Way::Straight(next.address()), request).await;
    let text = String::from_utf8_lossy(&page.body).into_owned();
    let start = text.find("/_next/static/chunks/").expect("the page loads no script");
    text[start..].split('"').next().unwrap().to_owned()
}
