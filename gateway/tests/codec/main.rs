//! The codec towards the upstream beside hyper's: what one reads of an answer, and whether it uses the
//! connection again, the other does, but for what `differences` lists; and what the codec writes of a
//! request, hyper's server and Node read as that request.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed set-up should stop the test")]
#![allow(clippy::indexing_slicing, clippy::panic, reason = "what is not there fails the test")]

mod answers;
mod corpus;
mod differences;
mod hyper_client;
mod hyper_server;
mod node;
mod requests;
mod verdict;
