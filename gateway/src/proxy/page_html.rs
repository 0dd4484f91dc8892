//! What a page of the gateway's own looks like.

use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderValue;
use sha2::{Digest, Sha256};

const PAGE: &str = include_str!("error-page.html");
const STYLE: &str = include_str!("error-page.css");
const SCRIPT: &str = include_str!("error-page.js");

/// Whether a page stays what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting<'a> {
    /// It stays.
    No,
    /// It asks after so many seconds, and then becomes what was asked for by this method.
    From { secs: u16, method: &'a str },
}

/// The parts of a page, as plain text.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) status: &'a str,
    pub(super) title: &'a str,
    pub(super) advice: &'a str,
    pub(super) lines: &'a [String],
    pub(super) waiting: Waiting<'a>,
}

impl Page<'_> {
    pub(super) fn to_html(&self) -> String {
        let (reload, waiting, script) = match self.waiting {
            Waiting::No => Default::default(),
            Waiting::From { secs, method } => (
                format!(r#"<noscript><meta http-equiv="refresh" content="{secs}"></noscript>"#),
                format!(r#" data-waiting="{secs}" data-method="{}""#, escape(method)),
                format!("<script>{SCRIPT}</script>"),
            ),
        };
        let said = self.lines.join("\n");
        let lines = match said.trim() {
            "" => String::new(),
            said => format!("<h2>Next.js said last</h2>\n<pre>{}</pre>", escape(said)),
        };
        let parts = [
            ("reload", reload),
            ("style", STYLE.to_owned()),
            ("waiting", waiting),
            ("status", escape(self.status)),
            ("title", escape(self.title)),
            ("advice", escape(self.advice)),
            ("lines", lines),
            ("script", script),
        ];
        fill(PAGE, &parts)
    }

    /// What the page may do: look as it looks and, where it waits, ask this site. Nothing of another
    /// site's is loaded, and nothing that somebody smuggled into it runs.
    pub(super) fn policy(&self) -> HeaderValue {
        static STILL: LazyLock<HeaderValue> = LazyLock::new(|| policy(""));
        static WAITS: LazyLock<HeaderValue> = LazyLock::new(|| {
            policy(&format!("; script-src '{}'; connect-src 'self'", hash(SCRIPT)))
        });
        match self.waiting {
            Waiting::No => STILL.clone(),
            Waiting::From { .. } => WAITS.clone(),
        }
    }
}

/// Puts each part in its place, once: what stands in a part is not looked through.
fn fill(page: &str, parts: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(page.len() + 4096);
    let mut rest = page;
    while let Some((before, name, after)) = placeholder_in(rest) {
        filled.push_str(before);
        let part = parts.iter().find(|(part, _)| *part == name);
        debug_assert!(part.is_some(), "nothing is called {name}");
        filled.push_str(part.map_or("", |(_, text)| text));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn placeholder_in(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

fn policy(more: &str) -> HeaderValue {
    let style = hash(STYLE);
    let text = format!(
        "default-src 'none'; style-src '{style}'{more}; base-uri 'none'; form-action 'none'"
    );
    let value = HeaderValue::try_from(text);
    debug_assert!(value.is_ok(), "a policy is a field's value");
    value.unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// How a policy names a text that stands in the page (CSP 3 §2.3.1).
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            character if character.is_control() => {
                let written = write!(escaped, "\\u{{{:x}}}", u32::from(character));
                debug_assert!(written.is_ok(), "a String takes everything");
            }
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lines: &[String]) -> Page<'_> {
        let waiting = Waiting::From { secs: 1, method: "GET" };
        Page { status: "503", title: "a <b> & {lines}", advice: "\"c\"", lines, waiting }
    }

    #[test]
    fn no_text_becomes_markup_or_another_part() {
        let lines = ["</pre><script>alert('{title}')</script>\u{1b}[0m".to_owned()];
        let html = page(&lines).to_html();
        assert!(html.contains("<h1>a &lt;b&gt; &amp; {lines}</h1>"), "{html}");
        assert!(html.contains("<p>&quot;c&quot;</p>"), "{html}");
        let said =
            "<pre>&lt;/pre&gt;&lt;script&gt;alert(&#39;{title}&#39;)&lt;/script&gt;\\u{1b}[0m";
        assert!(html.contains(said), "{html}");
        assert_eq!(html.matches("<script>").count(), 1);
    }

    #[test]
    fn the_policy_allows_what_stands_in_the_page_and_nothing_else() {
        let page = page(&[]);
        let (html, policy) = (page.to_html(), page.policy());
        let policy = policy.to_str().unwrap();
        for (begin, end, of) in
            [("<style>", "</style>", "style-src"), ("<script>", "</script>", "script-src")]
        {
            let text = html.split(begin).nth(1).unwrap().split(end).next().unwrap();
            assert!(policy.contains(&format!("{of} '{}'", hash(text))), "{policy}");
        }
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"));
        assert!(!html.contains("://"), "nothing is loaded from elsewhere");
        let still = Page { waiting: Waiting::No, ..page };
        assert!(!still.policy().to_str().unwrap().contains("script"));
        assert!(!still.to_html().contains("script"));
    }
}
