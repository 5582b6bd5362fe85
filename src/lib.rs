//! A socket inspector for Linux that takes netstat's place.
//!
//! One way through it: arguments → request → tables → selection → owners → names → layout →
//! bytes.
//!
//! | room | what it owns | uses |
//! |---|---|---|
//! | [`watch`] | listings again and again, and the live view | gather, cli, render, listing, names, socket, terminal |
//! | [`gather`] | the way from a request to a listing | cli, render, listing, names, tables, owners, namespaces, query, process, socket |
//! | [`cli`] | the command line; turns arguments into a [`Task`](cli::Task), and is made into completions and the manual page | render, listing, names, tables, namespaces, query, process, socket, number |
//! | [`render`] | how a listing looks, and what makes foreign text harmless | listing, names, namespaces, query, process, socket |
//! | [`listing`] | what is to be shown: sockets in their order, with holders, namespaces and other ends | owners, namespaces, query, process, socket |
//! | [`names`] | hosts, ports and users by name | socket, number |
//! | [`tables`] | where sockets come from: the text of `<root>/net/*`, or netlink's `sock_diag` | query, files, socket, number |
//! | [`owners`] | who holds sockets: one sweep of `<root>/<pid>/fd`, on all cores | process, directory, number |
//! | [`namespaces`] | which network namespaces there are, and what they are called | process, directory, files, number |
//! | [`query`] | which sockets are asked for: sorts, filters | process, socket |
//! | [`process`] | what a process is | directory, files |
//! | `directory` | directories whose entries are numbers, of processes and of descriptors | number |
//! | `files` | files that may be no kernel's | |
//! | [`socket`] | the model: a socket as the kernel describes it | |
//! | `number` | numbers as the kernel prints them | |
//! | [`terminal`] | a terminal's size, and a live view's hold on it | |
//!
//! A room uses those that are below it alone (`tests/house.rs` reads this table). `main.rs` decides
//! the exit status. `fuzzing` is there for fuzzers and tests, and tries all of them.

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
