//! Complete listings while thousands of sockets and processes come and go.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::common::host::Host;
use crate::common::rows::{Read, Row, layouts};
use crate::common::run::RunCommand;
use crate::common::{needs_root, say};

/// The remark about sockets without a visible owner. [`Host`] runs in a PID namespace of its own,
/// so processes outside of that namespace could own them.
pub const OUTSIDERS: &str = "rnetstat: processes outside of this PID namespace cannot be seen; some of \
                         the sockets may be theirs";
/// The remark if netlink shows a connection being opened, and the user of its listener is unknown.
const HANDSHAKES: [&str; 2] = [
    "rnetstat: netlink tcp: the text of /proc/net is read instead: the user of a handshake is unknown",
    "rnetstat: netlink tcp6: the text of /proc/net is read instead: the user of a handshake is unknown",
];

/// The values of `--source`.
pub const SOURCES: [&str; 3] = ["auto", "text", "netlink"];

#[test]
fn every_listing_is_complete_while_sockets_come_and_go() {
    const TIME: Duration = Duration::from_secs(15);
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut churn = host.python("churn.py", &[]);
    let mut steady = HashMap::new();
    loop {
        let line = churn.line();
        let Some((table, rest)) = line.split_once(' ') else { break };
        let (inode, pid) = rest.split_once(' ').unwrap();
        let key = (table.to_owned(), inode.parse().unwrap());
        assert_eq!(steady.insert(key, pid.parse().unwrap()), None);
    }
    assert!(steady.len() > 2000, "only {} sockets stay", steady.len());
    let (mut listings, mut seen) = (0, 0);
    for_each_layout(&SOURCES, TIME, |number, flags, read| {
        let flags = format!("-tuxa {flags}");
        let name = format!("listing {number}, {flags}");
        let run = host.rnetstat(&flags).run();
        assert_eq!(run.status, Some(0), "{name}\n{}", run.stderr);
        // A socket whose owner has just ended looks like one whose owner is outside of the PID
        // namespace.
        let expected = |line| line == OUTSIDERS || HANDSHAKES.contains(&line);
        assert!(run.stderr.lines().all(expected), "{name}\n{}", run.stderr);
        let rows = read(&run.stdout);
        seen += rows.len();
        let mut owners = HashMap::new();
        for Row { table, inode, pids, .. } in rows.into_iter().filter(|row| row.inode != 0) {
            let before = owners.insert((table, inode), pids);
            assert_eq!(before, None, "{name}: the socket {inode} is there twice");
        }
        for (key, &pid) in &steady {
            assert_eq!(owners.get(key), Some(&vec![pid]), "{name}: the owners of {key:?}");
        }
        listings += 1;
    });
    let counts = churn.end();
    let (processes, sockets) = counts.trim().split_once(' ').unwrap();
    let [processes, sockets]: [u64; 2] = [processes, sockets].map(|count| count.parse().unwrap());
    assert!(sockets > 5000 && processes > 500, "{processes} processes and {sockets} sockets moved");
    say(&format!(
        "{listings} listings, {seen} rows: 0 of {} sockets lost, 0 repeated, while {processes} \
         processes and {sockets} sockets came and went",
        steady.len()
    ));
}

/// Calls `each` with the number of a listing, its flags and the function that reads it: with every
/// layout from every source, and then again until the time is over.
pub fn for_each_layout(sources: &[&str], time: Duration, mut each: impl FnMut(usize, &str, Read)) {
    let layouts = layouts(sources);
    let end = Instant::now() + time;
    for (number, (flags, read)) in layouts.iter().cycle().enumerate() {
        if number >= layouts.len() && Instant::now() >= end {
            return;
        }
        each(number, flags, *read);
    }
}

/// A server forks a child for each connection, and another one accepts all connections itself.
#[test]
fn every_connection_has_its_owner_while_servers_accept_more() {
    const TIME: Duration = Duration::from_secs(4);
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut servers = host.python("servers.py", &[]);
    assert_eq!(servers.line(), "ready");
    let (mut listings, mut seen) = (0, 0);
    for_each_layout(&SOURCES, TIME, |number, flags, read| {
        let flags = format!("-t --sport 7001,7002 --state established {flags}");
        let run = host.rnetstat(&flags).run();
        assert_eq!(run.status, Some(0), "{flags}\n{}", run.stderr);
        let is_handshake = |line: &str| HANDSHAKES.contains(&line);
        assert!(run.stderr.lines().all(is_handshake), "{flags}\n{}", run.stderr);
        // A connection that is not accepted yet has no inode, and no owner.
        let rows: Vec<_> = read(&run.stdout).into_iter().filter(|row| row.inode != 0).collect();
        let lost = rows.iter().filter(|row| row.pids.is_empty()).count();
        assert_eq!(lost, 0, "listing {number}, {flags}\n{}", run.stdout);
        seen += rows.len();
        listings += 1;
    });
    assert!(seen > 100, "only {seen} connections");
    say(&format!(
        "{listings} listings of growing servers: 0 of {seen} connections without an owner"
    ));
}

/// Processes with lower PIDs than the server's enter its namespace, end and stay as zombies.
#[test]
fn namespace_is_listed_while_its_first_processes_become_zombies() {
    const TIME: Duration = Duration::from_secs(3);
    if !needs_root() {
        return;
    }
    let Some(host) = Host::new(&["python3", "ip"]) else { return };
    let mut zombies = host.python("zombies.py", &[]);
    let pid = zombies.line();
    let mut listings = 0;
    for_each_layout(&["auto", "text"], TIME, |number, flags, read| {
        for netns in ["all", &pid] {
            let flags = format!("-tl --port 5000 --netns {netns} {flags}");
            let run = host.rnetstat(&flags).run();
            assert_eq!(
                (run.status, run.stderr.as_str()),
                (Some(0), ""),
                "listing {number}, {flags}"
            );
            let pids: Vec<_> = read(&run.stdout).into_iter().flat_map(|row| row.pids).collect();
            assert_eq!(pids, [pid.parse::<u32>().unwrap()], "listing {number}, {flags}");
            listings += 1;
        }
    });
    let ended: u32 = zombies.end().trim().parse().unwrap();
    assert!(ended > 5, "only {ended} processes ended");
    say(&format!(
        "{listings} listings of a namespace: 0 lost, while {ended} of its processes ended"
    ));
}
