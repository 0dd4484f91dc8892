//! A session gateway in front of an unchanged Next.js frontend.
//!
//! The modules stand in reading order: each imports only from those below it. Beside the order
//! stands `config`, which only `cli` and `app` read, so that the rooms take plain values.

pub mod config;

pub mod cli;

pub mod app;

pub mod server;

pub mod gateway;

pub mod auth;

pub mod session;

pub mod accounts;

pub mod identity;

pub mod proxy;

pub mod next;

pub mod ops;

pub mod database;

pub mod entity;

pub mod error;
