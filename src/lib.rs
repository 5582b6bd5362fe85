//! A socket inspector for Linux that takes netstat's place.
//!
//! One way through it: arguments → request → tables → selection → owners → names → layout →
//! bytes.
//!
//! | room | what it owns |
//! |---|---|
//! | [`cli`] | the command line; turns arguments into a [`Request`](cli::Request) |
//! | [`socket`] | the model: a socket as the kernel describes it |
//! | [`query`] | which sockets are asked for |
//! | [`tables`] | where sockets come from: the text of `<root>/net/*`, or netlink's `sock_diag` |
//! | [`owners`] | who holds them: one sweep of `<root>/<pid>/fd`, on all cores |
//! | [`process`] | what a process is |
//! | [`names`] | hosts, ports and users by name |
//! | [`render`] | how a listing looks, and what makes foreign text harmless |
//! | [`listing`] | one listing, through all of these |
//! | [`watch`] | the same listing again and again |
//!
//! Two small ones serve several: `files` opens what may be no kernel's file, `number` reads the
//! kernel's digits.
//!
//! `main.rs` decides the exit status. Imports run one way: `listing` uses the rooms, `tables` uses
//! `query`, `owners` uses `process`, `render` uses `names`, `process` and `query`, all of them use
//! `socket`, and `socket` uses none.

pub mod cli;
mod files;
pub mod gather;
pub mod listing;
pub mod names;
pub mod namespaces;
mod number;
pub mod owners;
pub mod process;
pub mod query;
pub mod render;
pub mod socket;
pub mod tables;
pub mod terminal;
pub mod watch;
