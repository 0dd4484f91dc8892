//! Connections that rest, for the memory that each of them takes.

use std::io::{Write, stdin};

use crate::connection::Connection;

/// Opens connections up to each of the numbers, has one request answered on each, says so, and goes on
/// at the next line of its input. Ends all of them when that ends.
pub(crate) fn run(port: u16, requests: &[Vec<u8>], steps: &[usize]) {
    let mut requests = requests.iter().cycle();
    let mut connections = Vec::new();
    for step in steps {
        while connections.len() < *step {
            let mut connection = Connection::open(port);
            connection.writer().write_all(requests.next().unwrap()).unwrap();
            let status = connection.read_answer().expect("an answer");
            assert_eq!(status, 200, "for connection {}", connections.len());
            connections.push(connection.writer());
        }
        println!("{step}");
        stdin().read_line(&mut String::new()).unwrap();
    }
}
