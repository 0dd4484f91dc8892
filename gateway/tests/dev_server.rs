//! `next dev` as a child: how it is started, watched and ended, against small stand-ins for it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed set-up should stop the test")]

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nextbnb_gateway::error::NextError;
use nextbnb_gateway::next::dev_news::{DevNews, Situation};
use nextbnb_gateway::next::dev_server::{DevExtras, DevServer, DevServerState};
use nextbnb_gateway::next::node::Node;
use nextbnb_gateway::next::project::Project;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Far longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// A `next` that notes its start, answers 400 and dies when it is asked for `/crash`.
const ANSWERS: &str = "
    const after = (name) => process.argv[process.argv.indexOf(name) + 1];
    const server = require('http').createServer((request, response) => {
        if (request.url === '/crash') process.exit(3);
        response.statusCode = 400;
        response.end();
    });
    server.listen(after('-p'), after('-H'));
    require('fs').appendFileSync('starts', `${process.pid}\\n`);
";

const IGNORES_SIGTERM: &str = "process.on('SIGTERM', () => {});";

/// Goes on in a child, as Next.js does.
const FORKS: &str = "
    if (!process.env.WORKER) {
        const env = { ...process.env, WORKER: '1' };
        require('child_process').spawn(process.execPath, process.argv.slice(1), { env });
        require('fs').writeFileSync('leader', `${process.pid}`);
        setInterval(() => {}, 1000);
        return;
    }
";

/// An application whose `next` is a script.
struct Application(tempfile::TempDir);

impl Application {
    fn with_next(script: &[&str]) -> Self {
        let application = Self(tempfile::tempdir().unwrap());
        let bin = application.path("node_modules/next/dist/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("next"), script.concat()).unwrap();
        fs::create_dir(application.path(".nextbnb")).unwrap();
        let manifest = r#"{"dependencies":{"next":"16.4.5"}}"#;
        fs::write(application.path("package.json"), manifest).unwrap();
        application
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    async fn start(&self) -> DevServer {
        start_in(self.0.path()).await.unwrap()
    }

    /// The process ids that a file of the application holds.
    fn processes(&self, file: &str) -> Vec<Pid> {
        let text = fs::read_to_string(self.path(file)).unwrap();
        text.lines().map(|line| Pid::from_raw(line.parse().unwrap()).unwrap()).collect()
    }

    /// The note of the running child.
    fn note(&self) -> PathBuf {
        self.path(".nextbnb/next-dev.json")
    }

    fn edit_note(&self, edit: impl Fn(&mut Value)) {
        let mut note = serde_json::from_slice(&fs::read(self.note()).unwrap()).unwrap();
        edit(&mut note);
        fs::write(self.note(), note.to_string()).unwrap();
    }

    /// A gateway in a process of its own, as soon as its `next dev` answers.
    async fn start_gateway(&self) -> Gateway {
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_gateway_of_its_own", "--ignored"])
            .current_dir(self.0.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut gateway = Gateway { process, address: ([127, 0, 0, 1], 0).into() };
        until("the gateway has a next dev", || {
            assert!(gateway.process.try_wait().unwrap().is_none(), "the gateway failed");
            self.path("ready").exists()
        })
        .await;
        gateway.address = fs::read_to_string(self.path("ready")).unwrap().parse().unwrap();
        gateway
    }
}

/// A gateway that is killed, with no chance to tidy up, when it is dropped.
struct Gateway {
    process: Child,
    /// Where its `next dev` answers.
    address: SocketAddr,
}

impl Gateway {
    fn id(&self) -> Pid {
        Pid::from_child(&self.process)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

async fn start_in(folder: &Path) -> Result<DevServer, NextError> {
    start_with(folder, DevExtras::default()).await
}

async fn start_with(folder: &Path, extras: DevExtras) -> Result<DevServer, NextError> {
    let project = Project::find(Some(folder), Path::new("/")).unwrap();
    let node = Node::find(&project).await.unwrap();
    DevServer::start(&project, &node, &folder.join(".nextbnb"), extras).await
}

async fn ready(server: &DevServer) -> SocketAddr {
    let is_ready = |state: &DevServerState| matches!(state, DevServerState::Ready { .. });
    let mut state = server.state();
    let state = timeout(DEADLINE, state.wait_for(is_ready)).await.expect("ready").unwrap();
    state.address().unwrap()
}

/// The next death: its reason and the pause that follows.
async fn death(server: &mut DevServer) -> (String, Duration) {
    let mut state = server.state();
    loop {
        if let DevServerState::Restarting { reason, pause } = &*state.borrow_and_update() {
            return (reason.clone(), *pause);
        }
        timeout(DEADLINE, state.changed()).await.expect("another state").unwrap();
    }
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < DEADLINE, "waited too long until {what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Stops it and returns what that took.
async fn stop(server: DevServer) -> Duration {
    let started = Instant::now();
    server.stop().await;
    started.elapsed()
}

fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok()
}

/// The answer to a request, empty when the server ends instead.
async fn get(address: SocketAddr, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_or_else(|_| Vec::new(), |_| answer)
}

#[tokio::test]
async fn it_is_ready_with_its_first_answer_on_a_loopback_port() {
    let application = Application::with_next(&[ANSWERS]);
    let server = application.start().await;
    let address = ready(&server).await;
    assert!(address.ip().is_loopback());
    assert!(get(address, "/").await.starts_with(b"HTTP/1.1 400"));
    server.stop().await;
}

#[tokio::test]
async fn an_open_port_is_not_ready() {
    let silent = "
        require('net').createServer((socket) => {
            socket.once('data', () => require('fs').writeFileSync('asked', ''));
        }).listen(process.argv.at(-1), '127.0.0.1');
    ";
    let application = Application::with_next(&[silent]);
    let server = application.start().await;
    until("it was asked", || application.path("asked").exists()).await;
    assert!(matches!(*server.state().borrow(), DevServerState::Starting { .. }));
    assert!(stop(server).await < Duration::from_secs(2));
}

#[tokio::test]
async fn stopping_leaves_no_process_no_port_and_no_note() {
    let application = Application::with_next(&[ANSWERS]);
    let server = application.start().await;
    let address = ready(&server).await;
    assert!(application.note().exists());
    server.stop().await;
    assert!(is_free(address));
    assert!(test_kill_process(application.processes("starts")[0]).is_err());
    assert!(!application.note().exists());
}

#[tokio::test]
async fn one_that_hangs_is_killed_after_a_grace() {
    let application = Application::with_next(&[IGNORES_SIGTERM, ANSWERS]);
    let server = application.start().await;
    let address = ready(&server).await;
    assert!(stop(server).await < Duration::from_secs(2));
    assert!(is_free(address));
}

#[tokio::test]
async fn its_own_children_end_with_it() {
    let application = Application::with_next(&[FORKS, IGNORES_SIGTERM, ANSWERS]);
    let server = application.start().await;
    let address = ready(&server).await;
    assert!(stop(server).await < Duration::from_secs(2));
    assert!(is_free(address));
}

#[tokio::test]
async fn children_of_a_dead_one_do_not_keep_the_port() {
    let application = Application::with_next(&[FORKS, ANSWERS]);
    let mut server = application.start().await;
    let address = ready(&server).await;
    kill_process(application.processes("leader")[0], Signal::KILL).unwrap();
    let (reason, _) = death(&mut server).await;
    assert!(reason.contains("signal 9"), "{reason}");
    assert_eq!(ready(&server).await, address);
    server.stop().await;
}

#[tokio::test]
async fn a_dead_one_is_started_again_on_the_same_port() {
    let application = Application::with_next(&[ANSWERS]);
    let mut server = application.start().await;
    let address = ready(&server).await;
    get(address, "/crash").await;
    assert_eq!(death(&mut server).await, ("exit code 3".to_owned(), Duration::from_millis(500)));
    assert_eq!(ready(&server).await, address);
    assert_eq!(application.processes("starts").len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn one_that_is_silent_while_somebody_waits_hangs_until_it_answers() {
    let application = Application::with_next(&[ANSWERS]);
    let news = DevNews::default();
    let extras = DevExtras { news: news.clone(), ..DevExtras::default() };
    let server = start_with(application.0.path(), extras).await.unwrap();
    let address = ready(&server).await;
    let next = application.processes("starts")[0];
    kill_process(next, Signal::STOP).unwrap();
    news.tell(Situation::Ready);
    let mut state = server.state();
    let hangs = DevServerState::Hung { address };
    tokio::select! {
        () = news.until_absent() => panic!("it has not ended"),
        found = timeout(DEADLINE * 2, state.wait_for(|state| *state == hangs)) => {
            found.expect("it hangs").unwrap();
        }
    }
    kill_process(next, Signal::CONT).unwrap();
    assert_eq!(ready(&server).await, address);
    server.stop().await;
}

#[tokio::test]
async fn a_port_taken_in_between_is_left_to_its_new_owner() {
    let application = Application::with_next(&[ANSWERS]);
    let mut server = application.start().await;
    let address = ready(&server).await;
    get(address, "/crash").await;
    death(&mut server).await;
    let owner = TcpListener::bind(address).unwrap();
    assert_ne!(ready(&server).await, address);
    server.stop().await;
    drop(owner);
}

#[tokio::test]
async fn one_that_dies_at_once_is_started_again_after_a_growing_pause() {
    let application = Application::with_next(&["process.exit(1)"]);
    let server = application.start().await;
    let mut state = server.state();
    for pause in [500, 1000, 2000].map(Duration::from_millis) {
        let longer = |state: &DevServerState| matches!(state, DevServerState::Restarting { pause: found, .. } if *found == pause);
        timeout(DEADLINE, state.wait_for(longer)).await.expect("a longer pause").unwrap();
    }
    assert!(stop(server).await < Duration::from_secs(1), "not stopped during the pause");
}

#[tokio::test]
async fn a_gateway_killed_hard_leaves_no_next_dev() {
    let application = Application::with_next(&[FORKS, IGNORES_SIGTERM, ANSWERS]);
    let gateway = application.start_gateway().await;
    let address = gateway.address;
    assert!(!is_free(address));
    drop(gateway);
    until("next dev is gone", || is_free(address)).await;
}

#[tokio::test]
async fn a_leftover_is_ended_by_the_next_start() {
    let application = Application::with_next(&[ANSWERS]);
    let gateway = application.start_gateway().await;
    kill_process(gateway.id(), Signal::STOP).unwrap(); // As if gone: it can do nothing.
    application.edit_note(|note| note["gateway"]["started"] = json!("at another time"));
    let server = application.start().await;
    assert!(is_free(gateway.address));
    server.stop().await;
}

#[tokio::test]
async fn another_process_with_the_id_of_a_leftover_is_left_alone() {
    let application = Application::with_next(&[ANSWERS]);
    let gateway = application.start_gateway().await;
    application.edit_note(|note| {
        note["gateway"]["started"] = json!("at another time");
        note["child"]["started"] = json!("at another time");
    });
    let server = application.start().await;
    server.stop().await;
    assert!(test_kill_process(application.processes("starts")[0]).is_ok());
    assert!(!is_free(gateway.address));
}

#[tokio::test]
async fn the_next_dev_of_a_running_gateway_is_left_alone() {
    let application = Application::with_next(&[ANSWERS]);
    let running = application.start_gateway().await;
    let error = start_in(application.0.path()).await.unwrap_err();
    let expected = running.id().as_raw_nonzero().get();
    assert!(matches!(error, NextError::AnotherDev { gateway, .. } if gateway == expected));
    assert!(!is_free(running.address));
}

#[tokio::test]
async fn a_damaged_note_is_replaced() {
    let application = Application::with_next(&[ANSWERS]);
    fs::write(application.note(), "{\"child\":").unwrap();
    let server = application.start().await;
    ready(&server).await;
    application.edit_note(|note| assert!(note["child"]["id"].is_number()));
    server.stop().await;
}

/// What [`Application::start_gateway`] runs.
#[tokio::test]
#[ignore = "run by other tests, as a process of its own"]
async fn a_gateway_of_its_own() {
    let server = start_in(&std::env::current_dir().unwrap()).await.unwrap();
    let address = ready(&server).await;
    fs::write("ready.new", address.to_string()).unwrap();
    fs::rename("ready.new", "ready").unwrap();
    std::future::pending::<()>().await;
}
