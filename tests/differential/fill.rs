//! What `<…>` in a scenario stands for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use crate::player::{Player, now};
use crate::step::span;

impl Player<'_> {
    /// `text` with `<…>`, the inner first, replaced by what it stands for:
    ///
    /// - `<ada>` the value of ada's cookie, `<ada.sid>` the id in it
    /// - `<signed x>` `s:x.` and the signature of `x`; `<signed-old x>` by the second secret,
    ///   `<signed-foreign x>` by one that nobody knows; `<signature x>` the signature alone
    /// - `<encoded x>` as `encodeURIComponent` has it
    /// - `<in 1h>` the time in an hour, `<repeat 100 x>` a hundred times `x`
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        while let Some(end) = text.find('>') {
            let Some(start) = text[..end].rfind('<') else { break };
            let filled = self.fill_one(&text[start + 1..end]);
            text.replace_range(start..=end, &filled);
        }
        text
    }

    fn fill_one(&self, name: &str) -> String {
        let (word, rest) = name.split_once(' ').unwrap_or((name, ""));
        match word {
            "signed" => self.signed(rest, 0),
            "signed-old" => self.signed(rest, 1),
            "signed-foreign" => format!("s:{rest}.{}", signature(rest, b"nobody's secret")),
            "signature" => self.signed(rest, 0).rsplit('.').next().unwrap().to_owned(),
            "encoded" => encode(rest),
            "in" => {
                let moment = now() + span(rest).expect(name);
                moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
            }
            "repeat" => {
                let (count, part) = rest.split_once(' ').expect(name);
                part.repeat(count.parse().expect(name))
            }
            _ => {
                let (who, sid_only) =
                    word.strip_suffix(".sid").map_or((word, false), |who| (who, true));
                let visitor = self.visitors.get(who).unwrap_or_else(|| panic!("nobody is {who}"));
                if sid_only {
                    visitor.ids.last().cloned().unwrap_or_default()
                } else {
                    visitor.cookie.clone().unwrap_or_default()
                }
            }
        }
    }

    pub(crate) fn signed(&self, sid: &str, secret: usize) -> String {
        format!("s:{sid}.{}", signature(sid, &self.chapter.secrets()[secret]))
    }
}

/// As `cookie-signature` has it, by other means than the gateway's.
pub(crate) fn signature(sid: &str, secret: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(sid.as_bytes());
    STANDARD_NO_PAD.encode(mac.finalize().into_bytes())
}

/// As `encodeURIComponent` has it.
pub(crate) fn encode(text: &str) -> String {
    const COMPONENT: &percent_encoding::AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, COMPONENT).to_string()
}
