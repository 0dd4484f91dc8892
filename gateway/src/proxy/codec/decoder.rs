//! The body of an answer, and where it ends (RFC 9112 §6.3).

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, Version};

use super::chunked::Chunked;
use super::connection_fields::Told;
use super::error::AnswerError;

/// Finds a body among the bytes that come, and its end.
#[derive(Debug)]
pub(in crate::proxy) enum Decoder {
    /// So many bytes more.
    Length(u64),
    /// Chunks.
    Chunked(Box<Chunked>),
    /// Whatever comes until the connection ends.
    UntilClose { has_ended: bool },
}

impl Decoder {
    /// How the body of an answer with this status ends, as it was `told`.
    pub(super) fn of(
        status: StatusCode,
        version: Version,
        told: &Told,
        is_to_head: bool,
    ) -> Result<Self, AnswerError> {
        let has_none = matches!(
            status,
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        match told {
            _ if has_none || is_to_head => Ok(Self::Length(0)),
            Told::Length(length) => Ok(Self::Length(*length)),
            Told::Chunked if version == Version::HTTP_10 => {
                Err(AnswerError::Ambiguous("a Transfer-Encoding in HTTP/1.0"))
            }
            Told::Chunked => Ok(Self::Chunked(Box::default())),
            Told::Nothing => Ok(Self::UntilClose { has_ended: false }),
        }
    }

    /// Takes the next piece of the body from `buffer`; `None` where more has to come, or nothing
    /// does.
    pub(in crate::proxy) fn next(
        &mut self,
        buffer: &mut BytesMut,
    ) -> Result<Option<Bytes>, AnswerError> {
        let length = match self {
            Self::Length(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                *left -= length as u64;
                length
            }
            Self::Chunked(chunked) => chunked.next_length(buffer)?,
            Self::UntilClose { .. } => buffer.len(),
        };
        Ok((length > 0).then(|| buffer.split_to(length).freeze()))
    }

    /// Reads what stands between two pieces, so that the end is found with the last piece.
    pub(in crate::proxy) fn look_ahead(
        &mut self,
        buffer: &mut BytesMut,
    ) -> Result<(), AnswerError> {
        match self {
            Self::Chunked(chunked) => chunked.advance(buffer),
            Self::Length(_) | Self::UntilClose { .. } => Ok(()),
        }
    }

    /// Notes that the connection has ended.
    pub(in crate::proxy) fn end(&mut self) -> Result<(), AnswerError> {
        match self {
            Self::UntilClose { has_ended } => {
                *has_ended = true;
                Ok(())
            }
            _ if self.is_done() => Ok(()),
            _ => Err(AnswerError::Incomplete),
        }
    }

    /// Whether the body has come to its end.
    pub(in crate::proxy) fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunked) => chunked.is_done(),
            Self::UntilClose { has_ended } => *has_ended,
        }
    }

    /// The fields behind the last chunk (RFC 9112 §7.1.2), if there were any.
    pub(in crate::proxy) fn take_trailers(&mut self) -> Option<HeaderMap> {
        match self {
            Self::Chunked(chunked) => chunked.take_trailers(),
            Self::Length(_) | Self::UntilClose { .. } => None,
        }
    }

    /// How much is still to come, where that is known.
    pub(in crate::proxy) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            _ => self.is_done().then_some(0),
        }
    }

    /// Whether a body was `told` of that an answer of this kind has not (204, 304, to HEAD): an upstream
    /// that sends it all the same may do so late, where it would be taken for the next answer.
    pub(super) fn leaves_out(&self, told: &Told) -> bool {
        self.left() == Some(0) && !matches!(told, Told::Nothing | Told::Length(0))
    }

    /// Whether another answer can follow.
    pub(super) fn has_an_end_of_its_own(&self) -> bool {
        !matches!(self, Self::UntilClose { .. })
    }
}
