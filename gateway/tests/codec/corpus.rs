//! Answers as upstreams send them, and as they should not.

const STATUS_LINES: [&str; 34] = [
    "HTTP/1.1 200 OK",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 200",
    "HTTP/1.1 200 ",
    "HTTP/1.1 200 Fine, thanks",
    "HTTP/1.1 200 \u{e9}",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 205 Reset Content",
    "HTTP/1.1 206 Partial Content",
    "HTTP/1.1 301 Moved Permanently",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 404 Not Found",
    "HTTP/1.1 500 Internal Server Error",
    "HTTP/1.1 599 Odd",
    "HTTP/1.1 999 Odder",
    "HTTP/1.1 101 Switching Protocols",
    "HTTP/1.1 102 Processing",
    "HTTP/1.1 199 Something",
    "\r\nHTTP/1.1 200 OK",
    "\n\nHTTP/1.1 200 OK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 000 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 2x0 OK",
    "HTTP/1.1  200 OK",
    " HTTP/1.1 200 OK",
    "HTTP/2.0 200 OK",
    "HTTP/1.2 200 OK",
    "http/1.1 200 OK",
    "HTTP/1.1 200 O\0K",
    "HTTP/1.1 200 O\rK",
    "HTTP/1.1\t200 OK",
    "ICY 200 OK",
];

/// Fields, and perhaps a body behind an empty line.
const FIELDS: [&str; 49] = [
    "Content-Length: 5\r\n\r\nhello",
    "content-length:5\r\n\r\nhello",
    "Content-Length:   5  \r\n\r\nhello",
    "Content-Length: 0\r\n\r\n",
    "Content-Length: 00005\r\n\r\nhello",
    "Content-Length: 4\r\n\r\nhello",
    "Content-Length: 6\r\n\r\nhello",
    "Content-Length: \r\n\r\nhello",
    "Content-Length: +5\r\n\r\nhello",
    "Content-Length: -5\r\n\r\nhello",
    "Content-Length: 0x5\r\n\r\nhello",
    "Content-Length: 5 5\r\n\r\nhello",
    "Content-Length: 5, 5\r\n\r\nhello",
    "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "Content-Length: 18446744073709551613\r\n\r\nhello",
    "Content-Length: 18446744073709551614\r\n\r\nhello",
    "Content-Length: 18446744073709551615\r\n\r\nhello",
    "Content-Length: 18446744073709551616\r\n\r\nhello",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "Transfer-Encoding: gzip\r\n\r\nhello",
    "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "\r\n",
    "\r\nuntil the end",
    "Content-Length: 5\r\nConnection: close\r\n\r\nhello",
    "Content-Length: 5\r\nConnection: CLOSE, x\r\nConnection: keep-alive\r\n\r\nhello",
    "Content-Length: 5\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nhello",
    "Content-Length: 5\r\nConnection: closed\r\n\r\nhello",
    "Content-Length: 5\r\nConnection: \u{e9}close\r\n\r\nhello",
    "Content-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\nsmuggled",
    "Content-Length: 5\r\n\r\nhello\r\n",
    "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n",
    "X: a\r\n folded\r\nContent-Length: 5\r\n\r\nhello",
    "X: a\r\n\tfolded\r\nContent-Length: 5\r\n\r\nhello",
    "X: a\rb\r\nContent-Length: 5\r\n\r\nhello",
    "X: a\0b\r\nContent-Length: 5\r\n\r\nhello",
    "X: a\u{7f}b\r\nContent-Length: 5\r\n\r\nhello",
    "X: \u{e9} \t a \t\r\nContent-Length: 5\r\n\r\nhello",
    "X : a\r\nContent-Length: 5\r\n\r\nhello",
    ": a\r\nContent-Length: 5\r\n\r\nhello",
    "no field\r\nContent-Length: 5\r\n\r\nhello",
    "X:\r\nContent-Length: 5\r\n\r\nhello",
    "!#$%&'*+-.^_`|~9Z: a\r\nContent-Length: 5\r\n\r\nhello",
    "X\u{e9}: a\r\nContent-Length: 5\r\n\r\nhello",
    "X@: a\r\nContent-Length: 5\r\n\r\nhello",
];

const CHUNKS: [&str; 40] = [
    "0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    "05\r\nhello\r\n000\r\n\r\n",
    "A\r\n0123456789\r\n0\r\n\r\n",
    "a\r\n0123456789\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "5\t ;x\r\nhello\r\n0\r\n\r\n",
    "5;a=b;c=\"quoted; \\\" 0\"\r\nhello\r\n0;last\r\n\r\n",
    "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "5;a\nb\r\nhello\r\n0\r\n\r\n",
    "5;\u{e9}\0\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "5g\r\nhello\r\n0\r\n\r\n",
    "5 6\r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "\r\nhello\r\n0\r\n\r\n",
    ";a=b\r\nhello\r\n0\r\n\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "5\rhello\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhelloX\r\n0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "5\r\nhello\r\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\n",
    "5\r\nhello\r\n0\n\r\n",
    "ffffffffffffffff\r\nhello",
    "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "10000000000000005\r\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n",
    "5\r\nhello\r\n0\r\nX-Sum: 7\r\nX-Sum: 8\r\nEmpty:\r\n\r\n",
    "5\r\nhello\r\n0\r\nContent-Length: 1\r\nSet-Cookie: a=b\r\n\r\n",
    "5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n",
    "5\r\nhello\r\n0\r\nX: a\nY: b\r\n\r\n",
    "5\r\nhello\r\n0\r\nX: a\r\n folded\r\n\r\n",
    "5\r\nhello\r\n0\r\nno field\r\n\r\n",
    "5\r\nhello\r\n0\r\n: x\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled",
];

const INTERIM: [&str; 8] = [
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 100 Continue\r\nbad\r\n\r\n",
    "HTTP/1.0 100 Continue\n\n\r\n",
];

/// All of them.
pub(crate) fn corpus() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for line in STATUS_LINES {
        for fields in ["Content-Length: 5\r\n\r\nhello", "\r\nhello"] {
            all.push(format!("{line}\r\n{fields}"));
        }
    }
    for fields in FIELDS {
        for status in ["200 OK", "204 No Content", "304 Not Modified"] {
            all.push(format!("HTTP/1.1 {status}\r\n{fields}"));
        }
        all.push(format!("HTTP/1.0 200 OK\r\n{fields}"));
        all.push(format!("HTTP/1.0 200 OK\r\nConnection: x, keep-alive\r\n{fields}"));
    }
    for chunks in CHUNKS {
        for version in ["1.1", "1.0"] {
            all.push(format!(
                "HTTP/{version} 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
            ));
        }
    }
    for interim in INTERIM {
        all.push(format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
    }
    for whole in ["", "\r\n", "hello", "Unauthorized", "H", "HTTP/1.1", "{\"error\":1}"] {
        all.push(whole.to_owned());
    }
    // Line ends that are only LF.
    all.extend(
        ["HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "HTTP/1.1 200 OK\nX: a\r\n\n"]
            .map(str::to_owned),
    );
    all.extend(large());
    all.into_iter().map(String::into_bytes).collect()
}

fn large() -> Vec<String> {
    let head = "HTTP/1.1 200 OK\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut all = Vec::new();
    for fields in [99, 100, 101] {
        let fields = "X-Many: y\r\n".repeat(fields);
        all.push(format!("{head}{fields}\r\nx"));
    }
    for length in [1000, 60_000, 65_500, 70_000] {
        all.push(format!("{head}X: {}\r\nContent-Length: 1\r\n\r\nx", "x".repeat(length)));
        all.push(format!("{head}Content-Length: {length}\r\n\r\n{}", "x".repeat(length)));
        all.push(format!("{chunked}{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length)));
    }
    for length in [16_000, 16_382, 16_383, 16_384, 17_000] {
        all.push(format!("{chunked}1;{}\r\nx\r\n0\r\n\r\n", "e".repeat(length)));
        all.push(format!("{chunked}1\r\nx\r\n0\r\nX: {}\r\n\r\n", "t".repeat(length)));
    }
    for trailers in [99, 100, 101] {
        all.push(format!("{chunked}1\r\nx\r\n0\r\n{}\r\n", "X: y\r\n".repeat(trailers)));
    }
    let extensions = format!("1;{}\r\nx\r\n", "e".repeat(100)).repeat(200);
    all.push(format!("{chunked}{extensions}0\r\n\r\n"));
    all
}
