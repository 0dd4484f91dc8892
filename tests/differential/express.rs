//! The real packages: one Node process with any number of Express servers.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::scenario::Chapter;

/// Ends with the tests, whose end closes its input.
#[derive(Debug)]
pub(crate) struct Express {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Express {
    pub(crate) fn start() -> Self {
        let mut process = Command::new("node")
            .arg("server.mjs")
            .current_dir(folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, input, output }
    }

    /// A server with sessions in the database at `url`, whose tables it makes.
    pub(crate) fn serve(&mut self, chapter: &Chapter, url: &str) -> SocketAddr {
        self.listen(&json!({
            "database": url,
            "sessions": chapter.express,
            "trustProxy": chapter.trust_proxy,
        }))
    }

    /// The application alone, which the gateway stands in front of.
    pub(crate) fn serve_application(&mut self) -> SocketAddr {
        self.listen(&json!({}))
    }

    fn listen(&mut self, settings: &Value) -> SocketAddr {
        writeln!(self.input.as_mut().unwrap(), "{settings}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line)
            .expect("an Express server; `make test-deps` installs its packages");
        let port = answer["port"].as_u64().unwrap();
        ([127, 0, 0, 1], u16::try_from(port).unwrap()).into()
    }
}

impl Drop for Express {
    fn drop(&mut self) {
        drop(self.input.take());
        self.process.wait().expect("the end of node");
    }
}

/// Where its program and packages are.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("differential/express")
}
