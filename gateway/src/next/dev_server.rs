//! `next dev` as a supervised child.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing::warn;

use crate::error::NextError;
use crate::next::child_group::{ChildGroup, in_words};
use crate::next::dev_news::DevNews;
use crate::next::leftover::Record;
use crate::next::node::Node;
use crate::next::output::Output;
use crate::next::project::Project;
use crate::next::ready_probe::{answers_within, first_answer};
use crate::next::restart_pause::RestartPause;

/// Longest wait for `next dev` to end by itself; it takes 50 to 150 ms when nothing is wrong.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// How long one that is asked whether it is still there may be silent. Compiling and rendering leave it
/// time for an answer; an endless loop and a breakpoint do not.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// What `next dev` is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DevServerState {
    /// It was started and has not answered yet.
    Starting {
        /// Where it will answer.
        address: SocketAddr,
        /// When it was started.
        since: Instant,
    },
    /// It has answered.
    Ready {
        /// Where it answers.
        address: SocketAddr,
        /// From its start to its first answer.
        after: Duration,
    },
    /// It lives and has not answered for a while, although somebody waits.
    Hung {
        /// Where it answered.
        address: SocketAddr,
    },
    /// It ended by itself and will be started again.
    Restarting {
        /// Why it ended, such as `exit code 1`.
        reason: String,
        /// How long it rests before that.
        pause: Duration,
    },
}

impl DevServerState {
    /// Where it answers, or will; it moves only when the port was taken between two starts.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Starting { address, .. }
            | Self::Ready { address, .. }
            | Self::Hung { address } => Some(*address),
            Self::Restarting { .. } => None,
        }
    }
}

/// What `next dev` is given beside its own. Its `Debug` shows no token.
#[derive(Clone, Default)]
pub struct DevExtras {
    /// The secret by which it knows the gateway's requests (`NEXTBNB_TOKEN`).
    pub token: String,
    /// A file that Node loads before it.
    pub preload: Option<PathBuf>,
    /// Where what it says is kept, and who waits for it is known.
    pub news: DevNews,
}

impl fmt::Debug for DevExtras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevExtras").field("preload", &self.preload).finish_non_exhaustive()
    }
}

/// A `next dev` that is started again whenever it dies, until [`DevServer::stop`].
///
/// Its end and why is logged here; its own words go to this terminal as they are, and the last of them
/// to [`DevExtras::news`].
#[derive(Debug)]
pub struct DevServer {
    state: watch::Receiver<DevServerState>,
    stop: oneshot::Sender<Infallible>,
    supervision: JoinHandle<()>,
}

impl DevServer {
    /// Starts `next dev` for `project` on a free port of the loopback interface and returns at
    /// once; [`DevServer::state`] says when it answers.
    ///
    /// What an earlier run left behind, by the note in `state_dir`, is ended before. Fails with
    /// [`NextError::AnotherDev`] when that run is not over, and with
    /// [`NextError::NotInstalled`] when the application has no `next` to start.
    pub async fn start(
        project: &Project,
        node: &Node,
        state_dir: &Path,
        extras: DevExtras,
    ) -> Result<Self, NextError> {
        let command = DevCommand::of(project, node, extras)?;
        let record = Record::in_folder(state_dir);
        record.end_leftover().await?;
        let address = free_address().map_err(|source| NextError::NoFreePort { source })?;
        let since = Instant::now();
        let (state, receiver) = watch::channel(DevServerState::Starting { address, since });
        let (stop, stopped) = oneshot::channel();
        let supervisor = Supervisor { command, record, address, state };
        let supervision = tokio::spawn(supervisor.run(since, stopped));
        Ok(Self { state: receiver, stop, supervision })
    }

    /// What it is doing, now and later.
    pub fn state(&self) -> watch::Receiver<DevServerState> {
        self.state.clone()
    }

    /// Ends it with all that it started, within a second and a half even if it hangs.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.supervision.await {
            warn!(cause = %error, "the supervision of next dev failed");
        }
    }
}

/// Ends when its sender is dropped.
type Stopped = oneshot::Receiver<Infallible>;

struct Supervisor {
    command: DevCommand,
    record: Record,
    address: SocketAddr,
    state: watch::Sender<DevServerState>,
}

/// How one life of the child ended.
enum End {
    OnRequest,
    ByItself { reason: String },
}

impl Supervisor {
    async fn run(mut self, mut since: Instant, mut stopped: Stopped) {
        let mut restart_pause = RestartPause::new();
        loop {
            let End::ByItself { reason } = self.run_once(since, &mut stopped).await else { break };
            let pause = restart_pause.after(since.elapsed());
            warn!("next dev ended ({reason}) and starts again in {pause:?}");
            self.state.send_replace(DevServerState::Restarting { reason, pause });
            tokio::select! {
                () = sleep(pause) => {}
                _ = &mut stopped => break,
            }
            self.leave_taken_port();
            since = Instant::now();
            self.state.send_replace(DevServerState::Starting { address: self.address, since });
        }
        self.record.remove();
    }

    async fn run_once(&self, since: Instant, stopped: &mut Stopped) -> End {
        let (mut child, output) = match self.spawn() {
            Ok(spawned) => spawned,
            Err(error) => {
                return End::ByItself { reason: format!("it cannot be started: {error}") };
            }
        };
        self.record.write(child.id(), self.address.port());
        let end = tokio::select! {
            status = child.wait() => End::ByItself {
                reason: status.map_or_else(|error| error.to_string(), in_words),
            },
            _ = stopped => {
                child.stop(STOP_GRACE).await;
                End::OnRequest
            }
            never = self.tell_whether_it_answers(since) => match never {},
        };
        output.finish().await;
        end
    }

    fn spawn(&self) -> io::Result<(ChildGroup, Output)> {
        let mut command = self.command.on(self.address);
        Output::prepare(&mut command);
        let mut child = ChildGroup::spawn(&mut command)?;
        let output = Output::pass_on(child.child(), self.command.extras.news.lines())?;
        Ok((child, output))
    }

    async fn tell_whether_it_answers(&self, mut since: Instant) -> Infallible {
        let address = self.address;
        loop {
            first_answer(address).await;
            let after = since.elapsed();
            self.state.send_replace(DevServerState::Ready { address, after });
            loop {
                self.command.extras.news.doubted().await;
                since = Instant::now();
                if !answers_within(address, SIGN_OF_LIFE).await {
                    break;
                }
            }
            self.state.send_replace(DevServerState::Hung { address });
        }
    }

    /// Otherwise the port stays, because open pages look there for their hot reload.
    fn leave_taken_port(&mut self) {
        if TcpListener::bind(self.address).is_err() {
            match free_address() {
                Ok(address) => self.address = address,
                Err(error) => warn!(cause = %error, "cannot find another port for next dev"),
            }
        }
    }
}

/// The command line of `next dev`. It names `next` itself: npm would not pass signals on, and
/// leave the server behind.
struct DevCommand {
    node: PathBuf,
    next: PathBuf,
    options: Vec<String>,
    folder: PathBuf,
    extras: DevExtras,
}

impl DevCommand {
    fn of(project: &Project, node: &Node, extras: DevExtras) -> Result<Self, NextError> {
        let folder = project.folder().to_path_buf();
        let Some(next) = project.find_next() else {
            return Err(NextError::NotInstalled { folder });
        };
        let options = project.dev_options().to_vec();
        Ok(Self { node: node.executable().to_path_buf(), next, options, folder, extras })
    }

    fn on(&self, address: SocketAddr) -> Command {
        let mut command = Command::new(&self.node);
        if let Some(file) = &self.extras.preload {
            command.arg("--require").arg(file);
        }
        command
            .arg(&self.next)
            .arg("dev")
            .args(&self.options)
            .args(["-H", &address.ip().to_string(), "-p", &address.port().to_string()])
            .current_dir(&self.folder)
            .env("NEXTBNB_TOKEN", &self.extras.token)
            .env_remove("PORT") // It is the gateway's.
            .env_remove("SESSION_SECRET") // Whoever has it can sign for anybody.
            .stdin(Stdio::null());
        command
    }
}

/// An address of the loopback interface, because whoever reaches Next.js directly can claim to be
/// anybody.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
