//! What is asked at the terminal, or read from standard input where there is none.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::error::PeopleError;

/// Bytes read of a line: far more than any password or answer.
const LONGEST_LINE: u64 = 4096;

/// A new password: typed twice and not shown at a terminal, else one line of standard input.
pub(super) fn new_password() -> Result<String, PeopleError> {
    if !io::stdin().is_terminal() {
        return first_line(io::stdin().lock());
    }
    let ask = |prompt| {
        rpassword::prompt_password(prompt).map_err(|source| PeopleError::Password { source })
    };
    let password = ask("New password: ")?;
    if ask("Once more: ")? == password { Ok(password) } else { Err(PeopleError::PasswordsApart) }
}

/// Without the line's own end, which is no part of it.
fn first_line(input: impl BufRead) -> Result<String, PeopleError> {
    let failed = |source| PeopleError::Password { source };
    let mut line = String::new();
    if input.take(LONGEST_LINE).read_line(&mut line).map_err(failed)? == 0 {
        return Err(failed(io::ErrorKind::UnexpectedEof.into()));
    }
    let text = line.strip_suffix('\n').unwrap_or(&line);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// Goes on if somebody at the terminal says so.
pub(super) fn confirm(question: &str) -> Result<(), PeopleError> {
    if !io::stdin().is_terminal() {
        return Err(PeopleError::Unconfirmed);
    }
    drop(io::stderr().write_all(format!("{question} [y/N] ").as_bytes()));
    let answer = first_line(io::stdin().lock()).unwrap_or_default();
    let is_yes = ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str());
    if is_yes { Ok(()) } else { Err(PeopleError::Unconfirmed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_without_its_end() {
        let read = |input: &[u8]| first_line(input).ok();
        for input in ["a b \n", "a b \r\n", "a b ", "a b \nand more\n"] {
            assert_eq!(read(input.as_bytes()).as_deref(), Some("a b "), "{input:?}");
        }
        assert_eq!(read(b"\n").as_deref(), Some(""));
        assert_eq!(read(b""), None, "nothing was said");
        assert_eq!(read(b"\xff\xff\xff\n"), None);
    }
}
