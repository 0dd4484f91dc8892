//! A session gateway in front of an unchanged Next.js frontend.
//!
//! The modules stand in reading order: each imports only from those below it.

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

pub mod cli;

pub mod app;

pub mod doctor;

pub mod config;

pub mod server;

pub mod gateway;

pub mod auth;

pub mod session;

pub mod accounts;

pub mod identity;

pub mod downstream;

pub mod static_files;

pub mod proxy;

pub mod next;

pub mod ops;

pub mod database;

pub mod entity;

pub mod error;
