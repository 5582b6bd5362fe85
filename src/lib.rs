//! A socket inspector for Linux that takes netstat's place.
//!
//! Data flows one way: arguments → request → sockets → owners → listing → names → layout → bytes.
//!
//! The modules, from top to bottom. A module uses only those below it (`tests/it/architecture.rs`
//! reads this list):
//!
//! - [`cli`] parses the command line into a request. The completions and the manual page come from
//!   it.
//! - [`live`] shows the live view, and lists repeatedly.
//! - [`gather`] carries out a request: reads the tables, finds the owners, looks up the names.
//! - [`render`] writes a listing: netstat's layout, the table for people, records for programs.
//! - [`request`] has what the user asks for.
//! - [`fields`] describes everything that can be shown about a listed socket.
//! - [`listing`] has the sockets to show, with their owners, namespaces and other ends.
//! - [`names`] looks up hosts, services and users.
//! - [`owners`] finds the processes that own sockets.
//! - [`tables`] reads sockets from the kernel, as text or by netlink.
//! - [`namespaces`] finds network namespaces.
//! - [`entrance`] enters other network namespaces.
//! - [`query`] decides which sockets are listed.
//! - [`privileges`] gives up what a run does not need.
//! - [`process`] reads the command line and the user of a process.
//! - [`socket`] is the model of a socket.
//! - [`interfaces`] has the names of network devices.
//! - [`root`] finds the root of a /proc, and its network namespace.
//! - `directory` lists directories of processes and descriptors.
//! - `files` opens files that an attacker may have made.
//! - [`remark`] has every message for stderr.
//! - `harmless` makes foreign text harmless for a terminal.
//! - `number` parses numbers as the kernel prints them.
//! - [`pager`] shows a long listing in a pager.
//! - [`terminal`] sets the modes of the terminal for the live view, and reads its size and keys.
//!
//! `main.rs` decides the exit status. `fuzzing`, which is only for fuzzers and tests, is exempt.

pub mod cli;
mod directory;
pub mod entrance;
pub mod fields;
mod files;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod gather;
mod harmless;
pub mod interfaces;
pub mod listing;
pub mod live;
pub mod names;
pub mod namespaces;
mod number;
pub mod owners;
pub mod pager;
pub mod privileges;
pub mod process;
pub mod query;
pub mod remark;
pub mod render;
pub mod request;
pub mod root;
pub mod socket;
pub mod tables;
pub mod terminal;
