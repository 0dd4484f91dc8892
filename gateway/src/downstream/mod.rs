//! Who asks, and under which name: clients' addresses, the public origin, and whom to believe.

pub mod client_network;
pub mod crowd;
pub mod dev_hosts;
pub mod forwarded_for;
pub mod front;
pub mod nearness;
pub mod origin;
pub mod peer;
pub mod proxy_protocol;
pub mod public_url;
pub mod trusted_proxies;
