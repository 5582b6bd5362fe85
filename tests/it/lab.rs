//! The tasks of the lab in the README: list a UDP receiver on port 5000, and find the port's owner.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::host::Host;
use crate::common::run::{RNETSTAT, Run, RunCommand};
use crate::common::service::Service;

/// Makes a host with a receiver, which has received a message, and with the sender. Returns also
/// the PID of the receiver.
fn lab() -> Option<(Host, Service, Service, String)> {
    let mut host = Host::new(&["python3", "mount"])?;
    host.put_names(b"", "");
    host.put("/etc/services", b"");
    let (mut receiver, pid) = host.receiver();
    let mut sender = host.python("sender.py", &[]);
    sender.say("hello");
    assert_eq!(sender.line(), "Sent");
    let message = receiver.line();
    assert!(message.starts_with("Received 'hello' from 127.0.0.1:"), "{message}");
    Some((host, receiver, sender, pid))
}

#[test]
fn receiver_is_listed_with_its_pid() {
    let Some((host, mut receiver, mut sender, pid)) = lab() else { return };
    let list = |flags: &str| host.rnetstat(flags).succeed().stdout;
    for flags in ["-ua", "-ul", "-nl", "-uanp", "-ulnp", "-tuanp"] {
        let address = if flags.contains('n') { "127.0.0.1:5000" } else { "localhost:5000" };
        let row = format!("udp        0      0 {address:<23} 0.0.0.0:*                          ");
        let program = format!(" {:<20}", format!("{pid}/python3"));
        let expected = format!("{row}{}", if flags.contains('p') { &program } else { "" });
        let listing = list(flags);
        let found: Vec<_> = listing.lines().filter(|line| line.contains(":5000 ")).collect();
        assert_eq!(found, [expected], "{flags}");
    }
    for flags in ["-u", "-un", "-unp"] {
        let listing = list(flags);
        assert_eq!(listing.lines().count(), 2, "only the heading with {flags}:\n{listing}");
    }
    sender.say("exit");
    assert_eq!(receiver.line().split(" from ").next(), Some("Received 'exit'"));
    assert_eq!((sender.line().as_str(), sender.end().as_str()), ("Sent", ""));
    assert_eq!(receiver.end(), "");
    assert_eq!(list("-ua").lines().count(), 2);
}

#[test]
fn pipeline_into_grep_q_succeeds_without_messages() {
    let Some((host, _receiver, _sender, _)) = lab() else { return };
    let grep = |port: &str| {
        let line = format!("set -o pipefail; \"$0\" -tuln | grep -q '127.0.0.1:{port}'");
        host.command("bash").args(["-c", &line, RNETSTAT]).run()
    };
    let found = grep("5000");
    assert_eq!((found.status, found.stderr.as_str()), (Some(0), ""));
    assert_eq!(grep("5001").status, Some(1));
}

/// Lists JSON objects with these flags.
fn records(host: &Host, flags: &str) -> Vec<Value> {
    let listing = host.rnetstat(&format!("-n --format jsonl {flags}")).listing();
    listing.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the expected run if no socket matches.
fn no_match() -> Run {
    Run::failure("rnetstat: no socket matches\n", 1)
}

#[test]
fn program_pid_and_port_filters_each_find_the_receiver() {
    const HEADING: &str = "Active Internet connections (servers and established)\n";
    let Some((host, _receiver, _sender, pid)) = lab() else { return };
    let columns = "Proto Recv-Q Send-Q Local Address           Foreign Address         State      ";
    let row = "udp        0      0 127.0.0.1:5000          0.0.0.0:*                          ";
    let program = format!(" {:<20}", format!("{pid}/python3"));
    let expected = format!("{HEADING}{columns} {:<20}\n{row}{program}\n", "PID/Program name");
    for filter in ["--program receiver.py", &format!("--pid {pid}"), "--port 5000 -p"] {
        let found = host.rnetstat(&format!("-n {filter}")).run();
        assert_eq!(found, Run::success(&*expected), "{filter}");
    }

    let expected = format!("{HEADING}{columns}\n{row}\n");
    assert_eq!(host.rnetstat("-n --port 5000").run(), Run::success(expected));

    let listing = host.rnetstat("-n --port 5000 --format table --no-header").listing();
    let words: Vec<&str> = listing.split_whitespace().collect();
    let [.., user, _, _] = words[..] else { panic!("{listing}") };
    let (local, foreign) = ("127.0.0.1:5000", "0.0.0.0:*");
    let expected = ["udp", "0", "0", local, foreign, &pid, "3", user, "python3", "receiver.py"];
    assert_eq!(words, expected);

    for flags in ["-n --port 5001", "-n --program sender.py --state listen", "-tn --port 5000"] {
        assert_eq!(host.rnetstat(flags).run(), no_match(), "{flags}");
    }
}

/// sudo, sshd and tmux give the shell or rnetstat sockets or pipes for input and output, and have
/// the question in their own arguments.
#[test]
fn arguments_of_ancestors_do_not_match_the_program_filter() {
    const PARENT: &str = "\
import socket, subprocess, sys
kept, given = socket.socketpair()
sys.exit(subprocess.run(sys.argv[1:], stdin=given).returncode)";
    let Some(host) = Host::new(&["python3", "bash", "env"]) else { return };
    let list = |shell: &[&str], filter: &str| {
        let mut parent = host.command("python3");
        parent.args(["-c", PARENT]).args(shell);
        parent.args([RNETSTAT, "-xn", "--no-header", "-p", "--program", filter]).run()
    };
    let question = "true; \"$0\" \"$@\"; status=$?; true receiver.py; exit $status";
    let login = ["bash", "--noprofile", "-lc", question];
    let wrapped = ["env", "sh", "-c", question];
    for shell in [&[][..], &login, &wrapped] {
        assert_eq!(list(shell, "receiver.py"), no_match(), "{shell:?}");
    }
    for (shell, filter) in [(&login[..], "BASH"), (&wrapped, "sh"), (&login, "python3")] {
        let found = list(shell, filter);
        assert_eq!((found.status, found.stderr.as_str()), (Some(0), ""), "{shell:?} {filter}");
        let name = filter.to_lowercase();
        assert!(found.stdout.contains(&format!("/{name} ")), "{filter}: {}", found.stdout);
    }
}

#[test]
fn owner_of_a_port_in_use_is_found() {
    let Some((host, _receiver, _sender, pid)) = lab() else { return };
    let second = host.command("python3").arg("tests/programs/receiver.py").run();
    assert_ne!(second.status, Some(0));
    assert!(second.stderr.contains("Address already in use"), "{}", second.stderr);
    let found = records(&host, "--port 5000");
    assert_eq!(found.len(), 1);
    let process = &found[0]["processes"][0];
    assert_eq!(process["pid"].to_string(), pid);
    assert_eq!(process["program"], "python3");
    assert_eq!(process["command"][1], "tests/programs/receiver.py");
}

#[test]
fn descriptors_and_peers_of_connections_are_found() {
    let Some(host) = Host::new(&["python3", "mount"]) else { return };
    host.mount_tmpfs("/mnt");
    for (place, filter) in [("5000", "--sport 5000"), ("/mnt/socket", "-x --program server.py")] {
        let mut server = host.python("server.py", &[place]);
        let (pid, listener) = pair(&server.line());
        let mut client = host.python("client.py", &[place]);
        let (client_pid, client_fd) = pair(&client.line());
        let connection: u64 = server.line().parse().unwrap();
        let found = records(&host, &format!("{filter} --peers"));
        assert_eq!(found.len(), 2, "{place}: {found:?}");
        for (fd, peer) in [(listener, None), (connection, Some((client_pid, client_fd)))] {
            let socket = found.iter().find(|it| it["processes"][0]["fds"] == json!([fd])).unwrap();
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

/// Parses a line of two numbers.
fn pair(line: &str) -> (u64, u64) {
    let (one, other) = line.split_once(' ').unwrap();
    (one.parse().unwrap(), other.parse().unwrap())
}

#[test]
fn option_wait_lists_a_socket_as_soon_as_it_is_open() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let waiting = host.rnetstat("-nulp --port 5000 --wait=60 --no-header").start();
    thread::sleep(Duration::from_secs(1));
    let (_receiver, pid) = host.receiver();
    let found = Run::end_of(waiting);
    assert_eq!((found.stderr.as_str(), found.status), ("", Some(0)));
    let (start, end) = ("udp        0      0 127.0.0.1:5000 ", format!(" {pid}/python3"));
    let row = found.stdout;
    assert!(row.starts_with(start) && row.trim_end().ends_with(&end), "{row}");
    assert_eq!(row.lines().count(), 1);
    assert_eq!(host.rnetstat("-n --port 5001 --wait=0.3").run(), no_match());
}
