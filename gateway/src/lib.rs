//! A session gateway in front of an unchanged Next.js frontend.
//!
//! The modules stand in reading order: each imports only from those below it.

pub mod error;
