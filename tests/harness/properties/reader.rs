//! Where the requests of a connection begin and end, read by other code than any server's.
//!
//! As lenient as hyper 1.12 where two servers could not differ on what is whose (blank lines before a
//! request, a bare LF in a head, RFC 9112 §2.2), and otherwise as strict as RFC 9112 allows.

/// A request that is there whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its method.
    pub method: String,
    /// Its target without a fragment, as Latin-1.
    pub target: String,
    /// Its content, without chunks.
    pub body: Vec<u8>,
}

/// What follows the last whole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Nothing.
    Nothing,
    /// The beginning of a request.
    Beginning,
    /// What is none, or could be read in two ways.
    Nonsense,
    /// What nobody reads: the last request wants the connection closed.
    Unread,
}

/// The requests in what a client sends, and what follows them.
pub fn read(bytes: &[u8]) -> (Vec<Message>, Rest) {
    let mut reader = Reader { left: bytes };
    let mut messages = Vec::new();
    loop {
        if reader.skip_blank_lines() {
            return (messages, Rest::Nothing);
        }
        match reader.message() {
            Ok((message, is_last)) => {
                messages.push(message);
                if is_last {
                    return (messages, Rest::Unread);
                }
            }
            Err(rest) => return (messages, rest),
        }
    }
}

struct Reader<'a> {
    left: &'a [u8],
}

/// What of a head tells where its request ends.
#[derive(Default)]
struct Framing {
    lengths: Vec<Vec<u8>>,
    codings: Vec<Vec<u8>>,
    connection: Vec<String>,
}

impl Reader<'_> {
    /// Whether nothing is left.
    fn skip_blank_lines(&mut self) -> bool {
        while let [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] = self.left {
            self.left = rest;
        }
        matches!(self.left, [] | [b'\r'])
    }

    fn message(&mut self) -> Result<(Message, bool), Rest> {
        let line = self.line()?;
        let words: Vec<_> = line.split(|&byte| byte == b' ').collect();
        let [method, target, version] = words[..] else { return Err(Rest::Nonsense) };
        let is_new = match version {
            b"HTTP/1.1" => true,
            b"HTTP/1.0" => false,
            _ => return Err(Rest::Nonsense),
        };
        if !is_token(method) || target.is_empty() || !target.iter().all(|&byte| is_visible(byte)) {
            return Err(Rest::Nonsense);
        }
        let mut framing = Framing::default();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            framing.add(&line)?;
        }
        let body = match (&framing.codings[..], &framing.lengths[..]) {
            ([], []) => Vec::new(),
            ([], [length, others @ ..]) if others.iter().all(|other| other == length) => {
                self.take(number(length, 10)?)?
            }
            ([coding], _) if is_new && coding.eq_ignore_ascii_case(b"chunked") => self.chunks()?,
            _ => return Err(Rest::Nonsense),
        };
        let target: String = target.iter().copied().map(char::from).collect();
        let target = target.split('#').next().unwrap_or_default().to_owned();
        let method = String::from_utf8_lossy(method).into_owned();
        Ok((Message { method, target, body }, framing.is_last(is_new)))
    }

    /// What stands before the end of a line of a head.
    fn line(&mut self) -> Result<Vec<u8>, Rest> {
        let end = self.left.iter().position(|&byte| byte == b'\n').ok_or(Rest::Beginning)?;
        let line = &self.left[..end];
        self.left = &self.left[end + 1..];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.contains(&b'\r') { Err(Rest::Nonsense) } else { Ok(line.to_vec()) }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, Rest> {
        let (taken, left) = self.left.split_at_checked(length).ok_or(Rest::Beginning)?;
        self.left = left;
        Ok(taken.to_vec())
    }

    /// RFC 9112 §7.1, each line ended by CRLF.
    fn chunks(&mut self) -> Result<Vec<u8>, Rest> {
        let mut body = Vec::new();
        loop {
            let line = self.chunk_line()?;
            let size = line.split(|&byte| byte == b';').next().unwrap_or_default();
            let size = number(size.trim_ascii_end(), 16)?;
            if size == 0 {
                while !self.trailer()?.is_empty() {}
                return Ok(body);
            }
            body.extend(self.take(size)?);
            if self.take(2)? != b"\r\n" {
                return Err(Rest::Nonsense);
            }
        }
    }

    /// hyper takes a bare LF for a byte like others here, where llhttp refuses it: what it then skips
    /// is more, and nobody behind it sees any of that.
    fn trailer(&mut self) -> Result<Vec<u8>, Rest> {
        let end = self.left.iter().position(|&byte| byte == b'\r').ok_or(Rest::Beginning)?;
        let line = self.left[..end].to_vec();
        self.left = &self.left[end + 1..];
        if self.take(1)? == b"\n" { Ok(line) } else { Err(Rest::Nonsense) }
    }

    fn chunk_line(&mut self) -> Result<Vec<u8>, Rest> {
        let end = self.left.iter().position(|&byte| byte == b'\n').ok_or(Rest::Beginning)?;
        let line = self.left[..end].strip_suffix(b"\r").filter(|line| !line.contains(&b'\r'));
        let line = line.ok_or(Rest::Nonsense)?.to_vec();
        self.left = &self.left[end + 1..];
        Ok(line)
    }
}

impl Framing {
    fn add(&mut self, line: &[u8]) -> Result<(), Rest> {
        let mut parts = line.splitn(2, |&byte| byte == b':');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next());
        let is_value = |byte: u8| byte == b'\t' || byte == b' ' || is_visible(byte);
        let Some(value) = value.filter(|value| value.iter().all(|&byte| is_value(byte))) else {
            return Err(Rest::Nonsense);
        };
        if !is_token(name) {
            return Err(Rest::Nonsense);
        }
        let value = value.trim_ascii().to_vec();
        match name.to_ascii_lowercase().as_slice() {
            b"content-length" => self.lengths.push(value),
            b"transfer-encoding" => self.codings.push(value),
            b"connection" => {
                let value = String::from_utf8_lossy(&value).to_lowercase();
                self.connection.extend(value.split(',').map(|option| option.trim().to_owned()));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether no request follows (RFC 9112 §9.3, §6.1).
    fn is_last(&self, is_new: bool) -> bool {
        let wants = |option: &str| self.connection.iter().any(|other| other == option);
        let is_doubtful = !self.codings.is_empty() && !self.lengths.is_empty();
        is_doubtful || wants("close") || (!is_new && !wants("keep-alive"))
    }
}

fn number(digits: &[u8], radix: u32) -> Result<usize, Rest> {
    let is_number = digits.iter().all(|&byte| char::from(byte).is_digit(radix));
    let number = std::str::from_utf8(digits).ok().filter(|_| is_number && !digits.is_empty());
    number.and_then(|text| usize::from_str_radix(text, radix).ok()).ok_or(Rest::Nonsense)
}

/// RFC 9110 §5.6.2.
fn is_token(text: &[u8]) -> bool {
    let is_mark = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.iter().all(|&byte| byte.is_ascii_alphanumeric() || is_mark(byte))
}

fn is_visible(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &str, bodies: &[&str], rest: Rest) {
        let (messages, left) = read(bytes.as_bytes());
        let read: Vec<_> =
            messages.iter().map(|m| String::from_utf8_lossy(&m.body).into_owned()).collect();
        assert_eq!(
            (read, left),
            (bodies.iter().map(ToString::to_string).collect(), rest),
            "{bytes}"
        );
    }

    #[test]
    fn a_body_ends_where_its_length_or_its_chunks_say() {
        let post = "POST / HTTP/1.1\r\nHost: a\r\n";
        let sized = format!("{post}Content-Length: 5\r\n\r\nhello");
        let chunked = format!(
            "{post}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: 1\r\n\r\n"
        );
        check(&format!("{sized}{chunked}\r\n{post}\r\n"), &["hello", "abcde", ""], Rest::Nothing);
        check(&format!("{sized}POST / HT"), &["hello"], Rest::Beginning);
        check(&sized[..sized.len() - 1], &[], Rest::Beginning);
        let both = chunked.replacen("Transfer", "Content-Length: 3\r\nTransfer", 1);
        check(&format!("{both}{sized}"), &["abcde"], Rest::Unread);
    }

    #[test]
    fn what_has_two_readings_has_none() {
        for fields in [
            "Content-Length: 5\r\nContent-Length: 6",
            "Transfer-Encoding: gzip, chunked",
            "Content-Length: +5",
            "A: b\r\n c",
            "A : b",
        ] {
            check(
                &format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\nhello!"),
                &[],
                Rest::Nonsense,
            );
        }
    }
}
