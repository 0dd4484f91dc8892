//! What a WebSocket is told that the gateway ends (RFC 6455 §5.5.1, §7.4).

use bytes::Bytes;

/// Why the gateway ends a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goodbye {
    /// The session that it was opened in is over.
    SessionOver,
    /// The process ends. Not 1012, which asks clients to stay away for 5 to 30 s: another replica
    /// may serve them at once.
    GoingAway,
}

impl Goodbye {
    fn payload(self) -> Vec<u8> {
        let (code, reason): (u16, &str) = match self {
            Self::SessionOver => (1008, "session ended"),
            Self::GoingAway => (1001, "going away"),
        };
        [&code.to_be_bytes(), reason.as_bytes()].concat()
    }

    /// The close frame for the browser.
    pub(super) fn frame(self) -> Bytes {
        frame(0, &self.payload())
    }

    /// The close frame for the upstream, masked as a browser's (§5.3).
    pub(super) fn masked_frame(self, key: [u8; 4]) -> Bytes {
        let masked = self.payload().into_iter().zip(key.into_iter().cycle());
        let masked = masked.map(|(byte, key)| byte ^ key);
        frame(0x80, &key.into_iter().chain(masked).collect::<Vec<u8>>())
    }
}

fn frame(mask: u8, rest: &[u8]) -> Bytes {
    let key = if mask == 0 { 0 } else { 4 };
    let length = u8::try_from(rest.len() - key).unwrap_or_default();
    [&[0x88, mask | length], rest].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_code_and_reason() {
        assert_eq!(Goodbye::SessionOver.frame()[..], *b"\x88\x0f\x03\xf0session ended");
        assert_eq!(Goodbye::GoingAway.frame()[..], *b"\x88\x0c\x03\xe9going away");
    }

    #[test]
    fn an_upstream_is_told_the_same_masked() {
        let masked = Goodbye::GoingAway.masked_frame([1, 2, 3, 4]);
        assert_eq!(masked[..6], [0x88, 0x8c, 1, 2, 3, 4]);
        let payload: Vec<u8> =
            masked[6..].iter().zip([1, 2, 3, 4].into_iter().cycle()).map(|(b, k)| b ^ k).collect();
        assert_eq!(payload, b"\x03\xe9going away");
    }
}
