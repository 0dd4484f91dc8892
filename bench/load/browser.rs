//! Requests as a browser writes them.

/// A GET with ten fields, and somebody's cookies as an eleventh.
pub(crate) fn get(path: &str, cookies: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\n\
         Host: localhost:3000\r\n\
         Connection: keep-alive\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
         Accept-Language: en-US,en;q=0.5\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\n\
         Upgrade-Insecure-Requests: 1\r\n\
         Sec-Fetch-Dest: document\r\n\
         Sec-Fetch-Mode: navigate\r\n\
         Sec-Fetch-Site: same-origin\r\n\
         Cookie: {cookies}\r\n\r\n"
    )
    .into_bytes()
}

/// The sign-in of one of the accounts that `bench/side-by-side/database.mjs` makes.
pub(crate) fn sign_in(person: usize) -> Vec<u8> {
    let body =
        format!(r#"{{"email":"person{person}@example.org","password":"correct horse battery"}}"#);
    format!(
        "POST /api/auth/login HTTP/1.1\r\n\
         Host: localhost:3000\r\n\
         Connection: keep-alive\r\n\
         Content-Type: application/json\r\n\
         Content-Length: {}\r\n\
         \r\n{body}",
        body.len()
    )
    .into_bytes()
}
