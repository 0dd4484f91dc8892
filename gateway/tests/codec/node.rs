//! Node's server, which Next.js stands on.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::requests::{Understood, understood};

/// Reads connection bytes from standard input, hands them to an HTTP server on a socket, and prints
/// a line of JSON for each request.
const SERVER: &str = r"
const http = require('http'), net = require('net'), fs = require('fs');
const hex = text => Buffer.from(text, 'latin1').toString('base64');
const server = http.createServer({ keepAliveTimeout: 0 }, (request, response) => {
  const pieces = [];
  request.on('data', piece => pieces.push(piece));
  request.on('end', () => {
    const { method, url, rawHeaders } = request;
    const body = Buffer.concat(pieces).toString('base64');
    console.log(JSON.stringify({ method, url, rawHeaders: rawHeaders.map(hex), body }));
    response.end();
  });
});
server.on('clientError', error => console.log(JSON.stringify({ error: String(error) })));
server.listen(0, '127.0.0.1', () => {
  const socket = net.connect(server.address().port, '127.0.0.1');
  socket.on('close', () => server.close());
  socket.resume();
  socket.end(fs.readFileSync(0));
});
";

/// The requests in `bytes`, of which there should be `expected`.
pub(crate) fn read_by_node(bytes: &[u8], expected: usize) -> Vec<Understood> {
    let mut node = Command::new("node")
        .args(["-e", SERVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Node.js is needed");
    node.stdin.take().unwrap().write_all(bytes).unwrap();
    let said = node.wait_with_output().unwrap();
    let lines = String::from_utf8(said.stdout).unwrap();
    let read: Vec<_> = lines.lines().map(read_line).collect();
    assert_eq!(read.len(), expected, "{lines}");
    read
}

fn read_line(line: &str) -> Understood {
    let said: Value = serde_json::from_str(line).unwrap();
    let bytes = |value: &Value| STANDARD.decode(value.as_str().expect(line)).unwrap();
    let raw: Vec<Vec<u8>> = said["rawHeaders"].as_array().expect(line).iter().map(bytes).collect();
    let fields =
        raw.chunks(2).map(|pair| (String::from_utf8(pair[0].clone()).unwrap(), pair[1].clone()));
    let (method, target) = (said["method"].as_str().unwrap(), said["url"].as_str().unwrap());
    understood(method, target, fields, bytes(&said["body"]))
}
