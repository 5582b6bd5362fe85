//! Complete listings of many sockets in one hash chain of the kernel, while others come and go.

use std::collections::HashMap;
use std::time::Duration;

use crate::churn::{OUTSIDERS, SOURCES, for_each_layout};
use crate::common::host::Host;
use crate::common::run::{RNETSTAT, RunCommand};
use crate::common::{say, words};

/// Checks that listings with these flags have every socket of this kind that stays, and no socket
/// twice. See `tests/programs/chain.py`.
fn check(kind: &str, count: u32, flags: &str) {
    const TIME: Duration = Duration::from_secs(3);
    let Some(host) = Host::new(&["python3", "ip"]) else { return };
    let mut program = host.python("chain.py", &[kind, &count.to_string()]);
    let pid = program.line();
    let mut steady = Vec::new();
    loop {
        let line = program.line();
        if line == "ready" {
            break;
        }
        steady.push(line);
    }
    assert_eq!(steady.len(), count as usize);
    let mut listings = 0;
    for_each_layout(&SOURCES, TIME, |_, layout, read| {
        let flags = format!("{flags} {layout}");
        // The program can have its own network namespace.
        let mut command = host.command("nsenter");
        let run = command.args(["-n", "-t", &pid, RNETSTAT]).args(words(&flags)).run();
        assert_eq!(run.status, Some(0), "{flags}\n{}", run.stderr);
        // This kernel can lack the module raw_diag.
        let expected = |line: &str| line == OUTSIDERS || line.starts_with("rnetstat: netlink raw");
        assert!(run.stderr.lines().all(expected), "{flags}\n{}", run.stderr);
        let listing = read(&run.stdout);
        let mut found = HashMap::new();
        for socket in &listing {
            *found.entry(socket.identity()).or_insert(0) += 1;
        }
        let lost = steady.iter().filter(|it| !found.contains_key(*it)).count();
        assert_eq!(lost, 0, "{kind}: {flags}");
        let repeated: Vec<_> = listing.iter().filter(|it| found[&it.identity()] > 1).collect();
        assert!(repeated.is_empty(), "{kind}: {flags}\n{repeated:#?}");
        listings += 1;
    });
    say(&format!("{listings} listings of {kind}: 0 of {count} sockets lost, 0 repeated"));
}

#[test]
fn connected_udp_sockets_of_one_port_are_all_listed() {
    check("udp", 1500, "-ua");
}

#[test]
fn listeners_of_one_port_are_all_listed() {
    check("tcp", 1500, "-ta");
}

#[test]
fn raw_sockets_of_one_protocol_are_all_listed() {
    check("raw", 1500, "-wa");
}

#[test]
fn unix_sockets_are_all_listed() {
    check("unix", 1500, "-xa");
}

#[test]
fn connections_in_time_wait_are_listed_once_in_a_small_table() {
    check("time_wait", 1000, "-ta");
}
