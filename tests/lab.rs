//! The lab, live: a student starts a UDP receiver and finds its port and its process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::process::Output;

use common::host::{Host, Service};
use common::{RNETSTAT, text};

/// A host on which the receiver runs and has got a message, and the receiver's PID.
fn lab() -> Option<(Host, Service, Service, String)> {
    let mut host = Host::new(&["python3"])?;
    host.put_names(b"", "");
    host.put("/etc/services", b"");
    let mut receiver = host.start("python3", &["tests/programs/receiver.py"]);
    let greeting = receiver.line();
    let pid = greeting
        .strip_prefix("Server with PID ")
        .and_then(|rest| rest.strip_suffix(" is listening for data on port 5000..."))
        .unwrap()
        .to_owned();
    let mut sender = host.start("python3", &["tests/programs/sender.py"]);
    sender.say("hello");
    assert_eq!(sender.line(), "Sent");
    let message = receiver.line();
    assert!(message.starts_with("Received 'hello' from 127.0.0.1:"), "{message}");
    Some((host, receiver, sender, pid))
}

fn list(host: &Host, flags: &str) -> Output {
    let output = host.command(RNETSTAT).arg(flags).output().unwrap();
    assert!(output.status.success(), "{flags}: {}", output.status);
    output
}

#[test]
fn the_receiver_is_found_with_the_pid_that_it_printed() {
    let Some((host, mut receiver, mut sender, pid)) = lab() else { return };
    for flags in ["-ua", "-ul", "-nl", "-uanp", "-ulnp", "-tuanp"] {
        let address = if flags.contains('n') { "127.0.0.1:5000" } else { "localhost:5000" };
        let row = format!("udp        0      0 {address:<23} 0.0.0.0:*                          ");
        let program = format!(" {:<20}", format!("{pid}/python3"));
        let expected = format!("{row}{}", if flags.contains('p') { &program } else { "" });
        let listing = text(list(&host, flags).stdout);
        let found: Vec<_> = listing.lines().filter(|line| line.contains(":5000 ")).collect();
        assert_eq!(found, [expected], "{flags}");
    }
    for flags in ["-u", "-un", "-unp"] {
        let listing = text(list(&host, flags).stdout);
        assert_eq!(listing.lines().count(), 2, "only the heading with {flags}:\n{listing}");
    }
    sender.say("exit");
    assert_eq!(receiver.line().split(" from ").next(), Some("Received 'exit'"));
    assert_eq!((sender.line().as_str(), sender.end().as_str()), ("Sent", ""));
    assert_eq!(receiver.end(), "");
    assert_eq!(text(list(&host, "-ua").stdout).lines().count(), 2);
}

#[test]
fn the_graders_grep_succeeds_and_nobody_complains() {
    let Some((host, _receiver, _sender, _)) = lab() else { return };
    let grep = |port: &str| {
        let line = format!("set -o pipefail; \"$0\" -tuln | grep -q '127.0.0.1:{port}'");
        host.command("bash").args(["-c", &line, RNETSTAT]).output().unwrap()
    };
    let output = grep("5000");
    assert_eq!((output.status.code(), text(output.stderr)), (Some(0), String::new()));
    assert_eq!(grep("5001").status.code(), Some(1));
}
