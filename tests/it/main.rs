//! The gateway as a black box, against a real database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed set-up should stop the test"
)]

mod admin;
mod body_limit;
mod chaos;
mod client_end;
mod crowds;
mod dev_hosts;
mod express;
mod express_auth;
mod forwarding;
mod framing_answers;
mod framing_bodies;
mod framing_requests;
mod framing_turns;
mod full_duplex;
mod goodbye;
mod handover;
mod http2;
mod identity;
mod keep_alive;
mod limits;
mod login;
mod look_alikes;
mod outage;
mod proxy_protocol;
mod races;
mod ranges;
mod refused_bodies;
mod resting;
mod routes;
mod sessions;
mod shutdown;
mod socket_ends;
mod static_files;
mod streaming;
mod throttle;
mod tls;
mod trust;
mod tunnel;
mod unix_sockets;
mod upgrade;
mod upstream_sessions;
mod upstream_wait;
mod waiting;
mod wire;
