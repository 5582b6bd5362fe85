//! A socket inspector for Linux that takes netstat's place.
//!
//! One way through it: arguments → request → tables → selection → owners → names → layout →
//! bytes.
//!
//! | room | what it owns |
//! |---|---|
//! | [`cli`] | the command line; turns arguments into a [`Task`](cli::Task), and is made into completions and the manual page |
//! | [`socket`] | the model: a socket as the kernel describes it |
//! | [`query`] | which sockets are asked for: sorts, filters |
//! | [`tables`] | where sockets come from: the text of `<root>/net/*`, or netlink's `sock_diag` |
//! | [`namespaces`] | which network namespaces there are, and what they are called |
//! | [`owners`] | who holds sockets: one sweep of `<root>/<pid>/fd`, on all cores |
//! | [`process`] | what a process is |
//! | [`names`] | hosts, ports and users by name |
//! | [`listing`] | what is to be shown: sockets in their order, with holders, namespaces and other ends |
//! | [`gather`] | the way from a request to a listing |
//! | [`render`] | how a listing looks, and what makes foreign text harmless |
//! | [`watch`] | listings again and again, and the live view |
//! | [`terminal`] | a terminal's size, and a live view's hold on it |
//!
//! Two small ones serve several: `files` opens what may be no kernel's file, `number` reads the
//! kernel's digits.
//!
//! `main.rs` decides the exit status. Imports run one way: `watch` uses `gather`, `terminal` and
//! what `gather` uses: `cli`, and all that makes a listing; `cli` turns words into values of
//! `render`, `listing`, `namespaces`, `tables`, `names` and `query`; `render` uses `listing` and
//! `names`; `listing` uses `tables`, `owners`, `namespaces` and `query`; `tables` uses `query`;
//! `owners` and `query` use `process`; all of them use `socket`, and `socket` uses none.

pub mod cli;
mod directory;
mod files;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
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
