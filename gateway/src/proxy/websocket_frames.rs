//! Where WebSocket frames begin and end (RFC 6455 §5.2).

/// Which side sends: clients mask what they send, servers do not (§5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Client,
    Server,
}

/// Follows the frames that one side sends, of which it reads nothing but the heads.
#[derive(Debug)]
pub(super) struct Frames {
    sender: Sender,
    place: Place,
    /// Whether a close frame has begun, behind which nothing more is sent (§5.5.1).
    is_closing: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Between,
    /// In a head of `length` bytes, of which `read` have come.
    Head {
        read: u8,
        length: u8,
        payload: u64,
    },
    /// Before the last bytes of a frame.
    Payload(u64),
    /// Nobody knows: these are no frames.
    Lost,
}

const CLOSE: u8 = 8;
const LONGEST_CONTROL_FRAME: u64 = 125;

impl Frames {
    pub(super) fn of(sender: Sender) -> Self {
        Self { sender, place: Place::Between, is_closing: false }
    }

    /// Notes that `bytes` were sent.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            (self.place, bytes) = match self.place {
                Place::Lost => return,
                Place::Payload(left) => {
                    let come = (bytes.len() as u64).min(left);
                    let (_, rest) = bytes.split_at(usize::try_from(come).unwrap_or(bytes.len()));
                    (Place::of_payload(left - come), rest)
                }
                Place::Between => (self.begin(byte), rest),
                Place::Head { read, length, payload } => {
                    (self.go_on(byte, read, length, payload), rest)
                }
            };
        }
    }

    /// Whether a frame of the gateway's own may be sent here: control frames may stand between
    /// those of one message (§5.4), and none behind a close frame.
    pub(super) fn may_be_joined(&self) -> bool {
        self.place == Place::Between && !self.is_closing
    }

    /// Whether a whole close frame was sent.
    pub(super) fn are_closed(&self) -> bool {
        self.place == Place::Between && self.is_closing
    }

    /// The first byte of a head. Extensions may use the three bits that are reserved for them, as
    /// compression does (RFC 7692 §6).
    fn begin(&mut self, byte: u8) -> Place {
        let (is_last, opcode) = (byte & 0x80 != 0, byte & 0x0f);
        let is_sound = match opcode {
            0..=2 => true,
            CLOSE..=10 => is_last,
            _ => false,
        };
        if !is_sound || self.is_closing {
            return Place::Lost;
        }
        self.is_closing = opcode == CLOSE;
        let longest = if opcode >= CLOSE { LONGEST_CONTROL_FRAME } else { u64::MAX };
        Place::Head { read: 1, length: 2, payload: longest }
    }

    /// One more byte of a head. Until the second has come, `payload` is the longest that may be.
    fn go_on(&self, byte: u8, read: u8, length: u8, payload: u64) -> Place {
        let key = if self.sender == Sender::Client { 4 } else { 0 };
        let (length, payload) = match read {
            1 => {
                let (is_masked, short) = (byte & 0x80 != 0, byte & 0x7f);
                if is_masked != (self.sender == Sender::Client) || u64::from(short) > payload {
                    return Place::Lost;
                }
                match short {
                    126 => (4 + key, 0),
                    127 => (10 + key, 0),
                    short => (2 + key, u64::from(short)),
                }
            }
            read if read < length - key => (length, payload << 8 | u64::from(byte)),
            _ => (length, payload),
        };
        let read = read + 1;
        if read < length {
            return Place::Head { read, length, payload };
        }
        Place::of_payload(payload)
    }
}

impl Place {
    fn of_payload(left: u64) -> Self {
        if left == 0 { Self::Between } else { Self::Payload(left) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of `length` bytes with all four lengths of heads among them.
    fn frame(sender: Sender, first: u8, length: usize) -> Vec<u8> {
        let mask = if sender == Sender::Client { 0x80 } else { 0 };
        let mut bytes = vec![first];
        match length {
            0..=125 => bytes.push(mask | u8::try_from(length).unwrap()),
            126..=0xffff => {
                bytes.push(mask | 0x7e);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(mask | 0x7f);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(if mask == 0 { &[][..] } else { b"\x88key" });
        bytes.extend(std::iter::repeat_n(0x88, length)); // Looks like a close frame everywhere.
        bytes
    }

    #[test]
    fn frames_end_where_their_heads_say_however_they_are_cut() {
        for sender in [Sender::Client, Sender::Server] {
            for length in [0, 1, 125, 126, 0xffff, 0x1_0000] {
                let bytes = frame(sender, 0xc2, length);
                for piece in [1, 3, 7, bytes.len()] {
                    let mut frames = Frames::of(sender);
                    let mut come = 0;
                    for part in bytes.chunks(piece) {
                        assert!(frames.may_be_joined() == (come == 0), "{length} at {come}");
                        frames.follow(part);
                        come += part.len();
                    }
                    assert!(frames.may_be_joined() && !frames.are_closed(), "{length} by {piece}");
                }
                let mut frames = Frames::of(sender);
                frames.follow(&bytes.repeat(3));
                assert!(frames.may_be_joined(), "three of {length}");
            }
        }
    }

    #[test]
    fn nothing_is_sent_behind_a_close_frame() {
        let mut frames = Frames::of(Sender::Server);
        frames.follow(&[0x01, 1, b'a', 0x88, 2, 3]); // A message that goes on, and a close frame.
        assert!(!frames.may_be_joined() && !frames.are_closed());
        frames.follow(&[0xe8]);
        assert!(!frames.may_be_joined() && frames.are_closed());
        frames.follow(&[0x81]);
        assert!(!frames.may_be_joined() && !frames.are_closed());
    }

    #[test]
    fn what_is_no_frame_is_never_between_two() {
        for bytes in [
            &b"welcome"[..],
            &[0x83, 0],    // An opcode that means nothing.
            &[0x09, 0],    // A ping that goes on.
            &[0x89, 126],  // A ping that is too long.
            &[0x82, 0x81], // A server that masks.
        ] {
            let mut frames = Frames::of(Sender::Server);
            frames.follow(bytes);
            frames.follow(&[0; 100]);
            assert!(!frames.may_be_joined() && !frames.are_closed(), "{bytes:?}");
        }
        let mut frames = Frames::of(Sender::Client);
        frames.follow(&[0x82, 0]); // A client that does not mask.
        assert!(!frames.may_be_joined());
    }
}
