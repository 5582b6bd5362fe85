//! The lab, live: a student starts a UDP receiver and finds its port and its process.

use std::process::{Output, Stdio};
use std::thread;
use std::time::Duration;

use crate::common::host::{Host, Service};
use crate::common::{RNETSTAT, text};
use serde_json::Value;

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

/// Runs rnetstat there with these flags; what it prints, on stderr too, and its status.
fn run(host: &Host, flags: &str) -> (String, String, Option<i32>) {
    let output = host.command(RNETSTAT).args(flags.split(' ')).output().unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// The objects of a listing in lines.
fn records(host: &Host, flags: &str) -> Vec<Value> {
    let (stdout, stderr, status) = run(host, &format!("-n --format jsonl {flags}"));
    assert_eq!((stderr.as_str(), status), ("", Some(0)), "{flags}");
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const HEADING: &str = "Active Internet connections (servers and established)\n";

#[test]
fn the_receiver_is_found_by_its_script_and_by_its_port() {
    let Some((host, _receiver, _sender, pid)) = lab() else { return };
    let columns = "Proto Recv-Q Send-Q Local Address           Foreign Address         State      ";
    let row = "udp        0      0 127.0.0.1:5000          0.0.0.0:*                          ";
    let program = format!(" {:<20}", format!("{pid}/python3"));
    let expected = format!("{HEADING}{columns} {:<20}\n{row}{program}\n", "PID/Program name");
    let found = (expected, String::new(), Some(0));
    assert_eq!(run(&host, "-n --program receiver.py"), found);
    assert_eq!(run(&host, &format!("-n --pid {pid}")), found);
    assert_eq!(run(&host, "-n --port 5000 -p"), found);

    let expected = format!("{HEADING}{columns}\n{row}\n");
    assert_eq!(run(&host, "-n --port 5000"), (expected, String::new(), Some(0)));

    let (stdout, stderr, status) = run(&host, "-n --port 5000 --format table --no-header");
    let words: Vec<&str> = stdout.split_whitespace().collect();
    let [.., user, _, _] = words[..] else { panic!("{stdout}") };
    let (local, foreign) = ("127.0.0.1:5000", "0.0.0.0:*");
    let expected = ["udp", "0", "0", local, foreign, &pid, "3", user, "python3", "receiver.py"];
    assert_eq!((words.as_slice(), stderr.as_str(), status), (&expected[..], "", Some(0)));

    let nothing = (String::new(), "rnetstat: no socket matches\n".to_owned(), Some(1));
    for flags in ["-n --port 5001", "-n --program sender.py --state listen", "-tn --port 5000"] {
        assert_eq!(run(&host, flags), nothing, "{flags}");
    }
}

#[test]
fn port_5000_tells_why_a_second_receiver_cannot_have_it() {
    let Some((host, _receiver, _sender, pid)) = lab() else { return };
    let second = host.command("python3").arg("tests/programs/receiver.py").output().unwrap();
    assert!(!second.status.success());
    let complaint = text(second.stderr);
    assert!(complaint.contains("Address already in use"), "{complaint}");
    let found = records(&host, "--port 5000");
    assert_eq!(found.len(), 1);
    let process = &found[0]["processes"][0];
    assert_eq!(process["pid"].to_string(), pid);
    assert_eq!(process["program"], "python3");
    assert_eq!(process["command"][1], "tests/programs/receiver.py");
}

#[test]
fn the_descriptors_and_the_other_end_of_a_connection_are_found() {
    let Some(host) = Host::new(&["python3", "mount"]) else { return };
    let mounted = host.command("mount").args(["-t", "tmpfs", "none", "/mnt"]).status().unwrap();
    assert!(mounted.success());
    for (place, filter) in [("5000", "--sport 5000"), ("/mnt/socket", "-x --program server.py")] {
        let mut server = host.start("python3", &["tests/programs/server.py", place]);
        let (pid, listener) = pair(&server.line());
        let mut client = host.start("python3", &["tests/programs/client.py", place]);
        let (client_pid, client_fd) = pair(&client.line());
        let connection: u64 = server.line().parse().unwrap();
        let found = records(&host, &format!("{filter} --peers"));
        assert_eq!(found.len(), 2, "{place}: {found:?}");
        for (fd, peer) in [(listener, None), (connection, Some((client_pid, client_fd)))] {
            let fds = serde_json::json!([fd]);
            let socket = found.iter().find(|it| it["processes"][0]["fds"] == fds).unwrap();
            assert_eq!(socket["processes"][0]["pid"], pid, "{place}");
            match peer {
                None => assert_eq!(socket["peer"], Value::Null, "{place}"),
                Some((pid, fd)) => {
                    let process = &socket["peer"]["processes"][0];
                    let found = (&process["pid"], &process["fds"][0]);
                    assert_eq!(found, (&pid.into(), &fd.into()), "{place}");
                }
            }
        }
    }
}

/// The two numbers in a line.
fn pair(line: &str) -> (u64, u64) {
    let (one, other) = line.split_once(' ').unwrap();
    (one.parse().unwrap(), other.parse().unwrap())
}

#[test]
fn what_is_waited_for_is_listed_when_it_is_there() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let waiting = host
        .command(RNETSTAT)
        .args(["-nulp", "--port", "5000", "--wait=60", "--no-header"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    thread::sleep(Duration::from_secs(1));
    let mut receiver = host.start("python3", &["tests/programs/receiver.py"]);
    let greeting = receiver.line();
    let pid = greeting.split(' ').nth(3).unwrap();
    let output = waiting.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(output.stderr)), (Some(0), String::new()));
    let (start, end) = ("udp        0      0 127.0.0.1:5000 ", format!(" {pid}/python3"));
    let row = text(output.stdout);
    assert!(row.starts_with(start) && row.trim_end().ends_with(&end), "{row}");
    assert_eq!(row.lines().count(), 1);

    let nothing = (String::new(), "rnetstat: no socket matches\n".to_owned(), Some(1));
    assert_eq!(run(&host, "-n --port 5001 --wait=0.3"), nothing);
}
