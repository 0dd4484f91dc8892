//! The way to the upstream and back: connections, forwarding headers, bodies, error pages.

pub mod body;
pub mod body_limit;
pub mod bounded_stream;
pub mod codec;
mod connect;
pub mod expectation;
mod failure;
pub mod forwarding;
pub mod framing;
pub mod goodbye;
pub mod hop_by_hop;
pub mod http2_head;
pub mod lingering;
pub mod location;
pub mod pages;
mod pool;
pub mod request_body;
pub mod response;
pub mod routing;
pub mod socket;
pub mod target;
pub mod tunnel;
mod tunnel_way;
pub mod upgrade;
pub mod upstream;
pub mod upstream_address;
mod websocket_frames;
