//! The referee is the real netstat: both programs list one host, and print the same bytes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use std::path::Path;
use std::process::Command;

use common::host::Host;
use common::{difference, have, is_root, public_copy, say, skipped, text};

/// Flag sets that both programs know.
const FLAGS: [&str; 24] = [
    "-tuanp",
    "-tuan",
    "-tun",
    "-tunp",
    "-tuln",
    "-tulnp",
    "-ulnp",
    "-uanp",
    "-un",
    "-unp",
    "-tanp",
    "-tnl",
    "-4tuanp",
    "-6tuanp",
    "-46tuanp",
    "-tuanpW",
    "-6tunW",
    "-pWlut6n",
    "-alntu",
    "-nnttaa",
    "--tcp --udp --all --numeric --programs",
    "--listening -n --inet -t",
    "-n --inet6 -ua --wide",
    "--numeric --tcp --al --prog",
];

/// What a program prints on stdout and stderr.
type Printed = (String, String);

/// What netstat and rnetstat print, as this user, on a host that held still meanwhile: netstat
/// prints the same before and after.
fn both(host: &Host, user: &[&str], flags: &str, rnetstat: &str) -> (Printed, Printed) {
    let run = |program: &str| -> Printed {
        let words: Vec<&str> =
            user.iter().copied().chain([program]).chain(flags.split(' ')).collect();
        let output = host.command(words[0]).args(&words[1..]).output().unwrap();
        (text(output.stdout), text(output.stderr))
    };
    for _ in 0..50 {
        let (before, found, after) = (run("netstat"), run(rnetstat), run("netstat"));
        if before == after {
            return (before, found);
        }
    }
    panic!("the host does not hold still");
}

#[test]
fn both_list_a_rich_host_the_same() {
    let Some(host) = Host::new(&["netstat", "python3"]) else { return };
    let mut sockets = host.start("python3", &["tests/programs/parity_host.py"]);
    assert_eq!(sockets.line(), "ready");
    let (_directory, rnetstat) = public_copy();

    let mut failures = Vec::new();
    let mut compared = 0;
    // Nobody becomes somebody else in a user namespace with one user.
    let users: &[&[&str]] = if is_root() {
        &[&[], &["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"]]
    } else {
        &[&[]]
    };
    for user in users {
        for flags in FLAGS {
            let (expected, found) = both(&host, user, flags, rnetstat.to_str().unwrap());
            assert!(expected.0.lines().count() > 2, "netstat {flags} lists nothing");
            for (expected, found) in [(expected.0, found.0), (expected.1, found.1)] {
                if let Some(difference) = difference(&expected, &found) {
                    failures.push(format!("{flags} {user:?}\n{difference}"));
                }
            }
            compared += 1;
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    say(&format!("{compared} listings compared with netstat"));
}

#[test]
fn the_expectations_of_the_fixtures_are_netstats() {
    if !have(&["bash", "netstat", "unshare"]) {
        return;
    }
    let output = Command::new(Path::new("tests/referee.sh")).arg("check").output().unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    if output.status.code() == Some(3) {
        return skipped("no namespaces");
    }
    assert!(output.status.success(), "{stdout}{stderr}");
    say(stdout.trim_end());
}
