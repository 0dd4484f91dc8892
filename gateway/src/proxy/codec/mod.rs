//! HTTP/1.1 towards the upstream, as a client speaks it (RFC 9112).
//!
//! `hyper` has one too, which costs as much as the rest of a request: a task, two channels and a
//! buffer for each connection, and a hash for each field. This one lives in the request's own task,
//! reads into one buffer of its worker, and remembers lines. The head's grammar is `httparse`'s, as
//! it is `hyper`'s; what is accepted and what is refused is held to `hyper`'s client in
//! `tests/codec`, byte for byte.

pub(super) mod again;
pub(super) mod alarm;
pub mod answer;
mod chunked;
pub(super) mod connection;
mod connection_fields;
mod decoder;
pub mod error;
pub(super) mod exchange;
mod head;
mod lines;
pub mod request;
pub(super) mod streaming;
pub(super) mod upload;
