//! `dev`, with hot reload.

use std::fs;
use std::net::{IpAddr, UdpSocket};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::Command;

use futures_util::FutureExt;
use nextbnb_gateway::config::Config;
use nextbnb_gateway::proxy::pages::Reader;
use nextbnb_tests::browser::walk;
use nextbnb_tests::database::TestDatabase;
use nextbnb_tests::next::{Dev, repository};
use nextbnb_tests::stack::RunningGateway;
use nextbnb_tests::tls::TestCertificate;
use nextbnb_tests::visitor::Visitor;

/// A page whose text and whose client component's text the journey edits.
fn add_probe(folder: &Path) {
    let page = folder.join("app/probe");
    fs::create_dir_all(&page).unwrap();
    let counter = r"'use client';
import { useState } from 'react';
export default function Counter() {
  const [count, setCount] = useState(0);
  return <button onClick={() => setCount(count + 1)}>client 0, clicked {count}</button>;
}
";
    let server = "import Counter from './counter';
export default function Page() {
  return <main><p>server 0</p><Counter /></main>;
}
";
    fs::write(page.join("counter.tsx"), counter).unwrap();
    fs::write(page.join("page.tsx"), server).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_seen_at_once_and_the_page_keeps_its_state() {
    let mut dev = Dev::start(add_probe).await;
    let probe = dev.folder().join("app/probe");
    let details = [probe.to_str().unwrap(), "localhost", "127.0.0.1"];
    let walking = AssertUnwindSafe(walk("hot-reload", dev.url(), &details));
    assert!(walking.catch_unwind().await.is_ok(), "dev said:\n{}", dev.log());
    let starts = dev.log().matches("ready on ").count();
    assert_eq!(starts, 1, "an edit restarts nothing: {}", dev.log());
    assert!(dev.interrupt().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_lives_under_every_name_of_the_site_and_under_no_other() {
    let dev = Dev::start_with(&["--host", "*", "--allow-host", "shop.test"], add_probe).await;
    let probe = dev.folder().join("app/probe");
    let network = address_in_the_network().to_string();
    let names = ["127.0.0.1", "[::1]", "app.localhost", &network, "shop.test"];
    let details = [&[probe.to_str().unwrap()], &names[..]].concat();
    let walking = AssertUnwindSafe(walk("host-names", dev.url(), &details));
    assert!(walking.catch_unwind().await.is_ok(), "dev said:\n{}", dev.log());
}

/// This machine's address as others see it; nothing is sent.
fn address_in_the_network() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("192.0.2.1:9").unwrap();
    socket.local_addr().unwrap().ip()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_seen_over_tls_through_a_gateway_in_front() {
    let dev = Dev::start(add_probe).await;
    let behind = dev.url().strip_prefix("http://").unwrap();
    let behind = tokio::net::lookup_host(behind).await.unwrap().next().unwrap();
    let (database, certificate) =
        (TestDatabase::postgres().await, TestCertificate::of(&["localhost"]));
    let change = |config: &mut Config| {
        config.tls = Some(certificate.tls());
        config.reader = Reader::Developer; // For visitors there is no hot reload.
    };
    let gateway = RunningGateway::start(database.url(), behind, change).await;
    let url = format!("https://localhost:{}", gateway.address().port());
    let probe = dev.folder().join("app/probe");
    walk("hot-reload", &url, &[probe.to_str().unwrap(), "localhost"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_leaves_nothing_that_git_sees() {
    let commit = |folder: &Path| {
        let home = folder.parent().unwrap();
        fs::copy(repository().join(".gitignore"), home.join(".gitignore")).unwrap();
        commit_all(home);
    };
    leaves_nothing(Dev::start(commit).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_leaves_nothing_that_git_sees_in_an_application_of_somebody_else() {
    let replace = |folder: &Path| {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true if entry.file_name() == "node_modules" => {}
                true => fs::remove_dir_all(entry.path()).unwrap(),
                false => fs::remove_file(entry.path()).unwrap(),
            }
        }
        let write = |file: &str, text: &str| fs::write(folder.join(file), text).unwrap();
        write("package.json", r#"{"name":"shop","dependencies":{"next":"*","react":"*"}}"#);
        write(".gitignore", "/node_modules\n/.next/\n");
        fs::create_dir(folder.join("app")).unwrap();
        let layout = "export default ({ children }) => <html><body>{children}</body></html>;";
        write("app/layout.js", layout);
        write("app/page.js", "export default () => <h1>Shop</h1>;");
        commit_all(folder);
    };
    leaves_nothing(Dev::start_in("shop", replace).await).await;
}

/// Reads a page, ends `dev`, and asks git.
async fn leaves_nothing(mut dev: Dev) {
    let port = dev.url().rsplit(':').next().unwrap().parse().unwrap();
    let page = Visitor::new(([127, 0, 0, 1], port).into()).get("/").await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(dev.interrupt().await.success());
    let state = dev.folder().join(".nextbnb");
    assert!(state.exists() || dev.folder().with_file_name(".nextbnb").exists());
    assert_eq!(git(dev.folder(), &["status", "--porcelain"]), "");
}

fn commit_all(folder: &Path) {
    git(folder, &["init", "--quiet"]);
    git(folder, &["add", "--all"]);
    let author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
    git(folder, &[&author[..], &["commit", "--quiet", "--message", "Begin"]].concat());
}

/// What git says in `folder`.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").current_dir(folder).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
