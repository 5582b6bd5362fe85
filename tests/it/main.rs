//! The integration tests. Each module is about one subject. Put a new test into the module whose
//! description fits:
//!
//! - `architecture`: the list of modules in `src/lib.rs`, and the size of source files
//! - `chains`: complete listings of sockets in one hash chain of the kernel
//! - `churn`: complete listings while sockets and processes come and go
//! - `cli`: options, error messages, exit status, help and the manual page
//! - `completions`: the completions in real shells
//! - `connections`: timers, and how connections are doing, compared with ss
//! - `documented`: the sources and fields in `docs/sources.md`
//! - `examples`: the examples and links in `README.md` and `docs/`
//! - `faults`: missing permissions, a restricted /proc, refused netlink, low resource limits
//! - `fixtures`: the expected output of every case in `fixtures/`
//! - `hostile`: names and lines that a hostile process chooses
//! - `injection`: system calls that fail
//! - `kinds`: sockets that netstat does not list
//! - `lab`: the tasks of the lab in the README, such as finding the owner of port 5000
//! - `live`: the live view in a real terminal
//! - `live_keys`: what the keys of the live view do
//! - `names`: looking up the names of hosts, services and users
//! - `namespaces`: sockets of other network namespaces
//! - `output`: pipes, full disks, and /proc trees with missing or strange files
//! - `parity`: the same output as the real netstat
//! - `privilege`: capabilities, allowed system calls, and the influence of the environment
//! - `questions`: questions about a host, and the answers of other programs
//! - `records`: the schema of JSON, and the columns of csv
//! - `rounds`: rounds of the live view, which take the owners of the previous round
//! - `screens`: the screens of the live view, for saved trees
//! - `sources`: when a table is read as text, by netlink, or both
//! - `ss`: rows and values of sockets of every kind, compared with those of ss
//! - `table`: the table for people on a terminal, and its pager
//!
//! `common` has the helpers. The Python programs that open sockets are in `tests/programs/`.
//!
//! All tests run in parallel in one process. A test that needs a certain host makes a
//! [`common::host::Host`], which has its own namespaces. A test must not change the environment,
//! the directory or the limits of its process. File descriptors must be close-on-exec, because
//! another test can start a program at any time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]
#![allow(clippy::disallowed_methods, reason = "the tests read PATH and CI from the environment")]
#![allow(unreachable_pub, reason = "nothing is public in a crate of tests")]

mod common;

mod architecture;
mod chains;
mod churn;
mod cli;
mod completions;
mod connections;
mod documented;
mod examples;
mod faults;
mod fixtures;
mod hostile;
mod injection;
mod kinds;
mod lab;
mod live;
mod live_keys;
mod names;
mod namespaces;
mod output;
mod parity;
mod privilege;
mod questions;
mod records;
mod rounds;
mod screens;
mod sources;
mod ss;
mod table;
