//! `Content-Type` as the packages `content-type` and `media-typer` read it (RFC 9110 §8.3.1): what is
//! not well formed is of no type.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
}

/// The format and the name of the character set, which may be empty; `None` for other types.
pub(super) fn type_of(headers: &HeaderMap) -> Option<(Format, String)> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (media_type, mut rest) = value.split_at_checked(value.find(';').unwrap_or(value.len()))?;
    let format = match media_type.trim_matches(' ').to_ascii_lowercase().as_str() {
        "application/json" => Format::Json,
        "application/x-www-form-urlencoded" => Format::Form,
        _ => return None,
    };
    let mut charset = String::new();
    while !rest.is_empty() {
        let parameter = Parameter::read(rest)?;
        if parameter.name.eq_ignore_ascii_case("charset") {
            charset = parameter.value;
        }
        rest = parameter.rest;
    }
    Some((format, charset))
}

struct Parameter<'a> {
    name: &'a str,
    value: String,
    /// What comes after it.
    rest: &'a str,
}

impl<'a> Parameter<'a> {
    /// Reads the one that `text` begins with, its semicolon first.
    fn read(text: &'a str) -> Option<Self> {
        let (name, rest) = token(text.strip_prefix(';')?.trim_start_matches(' '))?;
        let rest = rest.trim_start_matches(' ').strip_prefix('=')?.trim_start_matches(' ');
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => token(rest).map(|(value, rest)| (value.to_owned(), rest))?,
        };
        Some(Self { name, value, rest: rest.trim_start_matches(' ') })
    }
}

/// A token that is not empty (RFC 9110 §5.6.2), and what comes after it.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}

/// A quoted string (RFC 9110 §5.6.4) whose first quote is gone, and what comes after its last.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut letters = text.chars();
    let mut value = String::new();
    loop {
        match letters.next()? {
            '"' => return Some((value, letters.as_str())),
            '\\' => value.push(letters.next()?),
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check_type(content_type: &str, expected: Option<(Format, &str)>) {
        let value = HeaderValue::from_str(content_type).unwrap();
        let headers = [(CONTENT_TYPE, value)].into_iter().collect();
        let read = type_of(&headers);
        let read = read.as_ref().map(|(format, charset)| (*format, charset.as_str()));
        assert_eq!(read, expected, "{content_type}");
    }

    #[test]
    fn json_and_forms_are_known_with_their_character_set() {
        check_type("application/json", Some((Format::Json, "")));
        check_type(" Application/JSON ;charset = UTF-8 ", Some((Format::Json, "UTF-8")));
        check_type("application/json; x=\"a;\\\"b\"; charset=utf-8", Some((Format::Json, "utf-8")));
        check_type(
            "application/json; charset=latin1; charset=utf-8",
            Some((Format::Json, "utf-8")),
        );
        check_type("application/json;charset=\"utf-8\"", Some((Format::Json, "utf-8")));
        check_type("application/json; x=y", Some((Format::Json, "")));
        check_type("application/x-www-form-urlencoded", Some((Format::Form, "")));
        check_type("application/json; charset=latin1", Some((Format::Json, "latin1")));
        for rest in
            [";", "; charset", "; charset=", "; =x", "; a=b c", ";;", " x", "; x=\"a", ", x"]
        {
            check_type(&format!("application/json{rest}"), None);
        }
        check_type("application/vnd.api+json", None);
        check_type("text/plain", None);
        check_type("multipart/form-data; boundary=x", None);
        check_type("", None);
        assert_eq!(type_of(&HeaderMap::new()), None);
    }
}
