//! An upstream that costs next to nothing: fixed bytes for each path, with the fields that Next.js sends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

const PAGE: &str = "Cache-Control: private, no-cache, no-store, max-age=0, must-revalidate\r\n\
                    Content-Type: text/html; charset=utf-8\r\n";
const ASSET: &str = "Cache-Control: public, max-age=31536000, immutable\r\n\
                     Content-Type: application/javascript; charset=UTF-8\r\n";

struct Answers {
    page: Vec<u8>,
    page_64_kib: Vec<u8>,
    page_1_mib: Vec<u8>,
    asset: Vec<u8>,
    asset_64_kib: Vec<u8>,
}

/// Serves until it is killed.
pub(crate) fn serve() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let answers = Arc::new(Answers {
        page: answer(PAGE, 1024),
        page_64_kib: answer(PAGE, 64 * 1024),
        page_1_mib: answer(PAGE, 1024 * 1024),
        asset: answer(ASSET, 1024),
        asset_64_kib: answer(ASSET, 64 * 1024),
    });
    for stream in listener.incoming() {
        let (stream, answers) = (stream.unwrap(), Arc::clone(&answers));
        thread::spawn(move || serve_one(&stream, &answers));
    }
}

fn answer(fields: &str, bytes: usize) -> Vec<u8> {
    let body = "x".repeat(bytes);
    format!(
        "HTTP/1.1 200 OK\r\n\
         Vary: rsc, next-router-state-tree, next-router-prefetch, Accept-Encoding\r\n\
         {fields}\
         ETag: \"3qvqqyi1fls2i\"\r\n\
         Date: Tue, 24 Nov 2026 18:00:00 GMT\r\n\
         Connection: keep-alive\r\n\
         Keep-Alive: timeout=5\r\n\
         Content-Length: {bytes}\r\n\
         \r\n{body}"
    )
    .into_bytes()
}

/// Until the other side ends the connection, or breaks it.
fn serve_one(stream: &TcpStream, answers: &Answers) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).ok()?;
        let target = line.split(|byte| *byte == b' ').nth(1).filter(|_| read > 0)?;
        let bytes = match target {
            b"/64k" => &answers.page_64_kib,
            b"/1m" => &answers.page_1_mib,
            b"/_next/static/chunks/64k.js" => &answers.asset_64_kib,
            _ if target.starts_with(b"/_next/static/") => &answers.asset,
            _ => &answers.page,
        };
        let length = read_fields(&mut reader)?;
        std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink()).ok()?;
        let mut writer = stream;
        writer.write_all(bytes).ok()?;
    }
}

/// The length of the body that follows them.
fn read_fields(reader: &mut impl BufRead) -> Option<u64> {
    let (mut line, mut length) = (Vec::new(), 0);
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line).ok().filter(|read| *read > 0)?;
        if line == b"\r\n" {
            return Some(length);
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            length = str::from_utf8(value.get(1..)?).ok()?.trim().parse().ok()?;
        }
    }
}
