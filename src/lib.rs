//! A socket inspector for Linux that takes netstat's place.
//!
//! Data flows one way: arguments → request → sockets → owners → names → listing → layout → bytes.
//!
//! The modules, from top to bottom. A module uses only those below it (`tests/it/architecture.rs`
//! reads this list):
//!
//! - [`cli`] parses the command line into a request. The completions and the manual page come from
//!   it.
//! - [`live`] lists again and again, and shows the live view.
//! - [`gather`] carries out a request: reads the tables, finds the owners, looks up the names.
//! - [`render`] writes a listing: netstat's layout, the table for people, records for programs.
//! - [`request`] holds what is asked for.
//! - [`fields`] describes everything that can be told about a listed socket.
//! - [`listing`] holds the sockets to show, with their owners, namespaces and other ends.
//! - [`names`] looks up hosts, services and users.
//! - [`owners`] finds the processes that own sockets.
//! - [`tables`] reads sockets from the kernel, as text or by netlink.
//! - [`namespaces`] finds network namespaces.
//! - [`query`] decides which sockets are asked for.
//! - [`process`] reads what a process is.
//! - [`socket`] is the model of a socket.
//! - `directory` lists directories of processes and descriptors.
//! - `files` opens files that an attacker may have made.
//! - [`remark`] has every message for stderr.
//! - `harmless` makes foreign text harmless for a terminal.
//! - `number` parses numbers of the kernel.
//! - [`terminal`] knows the terminal.
//!
//! `main.rs` decides the exit status. `fuzzing` is only for fuzzers and tests, and uses all
//! modules.

pub mod cli;
mod directory;
pub mod fields;
mod files;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod gather;
mod harmless;
pub mod listing;
pub mod live;
pub mod names;
pub mod namespaces;
mod number;
pub mod owners;
pub mod process;
pub mod query;
pub mod remark;
pub mod render;
pub mod request;
pub mod socket;
pub mod tables;
pub mod terminal;
