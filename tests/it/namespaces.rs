//! Other network namespaces, live, as containers have them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::common::host::{Host, Service};
use crate::common::schema::{assert_valid, schema};
use crate::common::{NOBODY, is_root, public_copy, skipped, text};
use serde_json::Value;

/// A host with namespaces `blue`, in which a server has port 5000, and `green`, in which there is
/// no process, beside a receiver in the host's own.
fn host() -> Option<(Host, Service, Service, String, String)> {
    if !is_root() {
        skipped("not root");
        return None;
    }
    let host = Host::new(&["python3", "mount", "setpriv"])?;
    let script = "mount -t tmpfs none /run && ip netns add blue && ip netns add green && \
                  ip netns add 1 && ip -n blue link set lo up && touch /run/netns/cyan && \
                  mount --bind /run/netns/blue /run/netns/cyan";
    assert!(host.command("sh").args(["-c", script]).status().unwrap().success());
    let mut receiver = host.start("python3", &["tests/programs/receiver.py"]);
    let own = receiver.line().split(' ').nth(3).unwrap().to_owned();
    let inside = ["netns", "exec", "blue", "python3", "tests/programs/server.py", "5000"];
    let mut server = host.start("ip", &inside);
    let blue = server.line().split(' ').next().unwrap().to_owned();
    Some((host, receiver, server, own, blue))
}

/// What a command prints, on stderr too, and its status.
fn run(command: &mut Command) -> (String, String, Option<i32>) {
    let output = command.output().unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

const EMPTY: &str = "rnetstat: network namespaces that no process is in, so that /proc does not \
                     show their sockets: 2 (1, green)\n";

#[test]
fn sockets_of_other_namespaces_are_found_with_their_holders() {
    let Some((host, _receiver, _server, own, blue)) = host() else { return };
    let (_directory, rnetstat) = public_copy();
    let rnetstat = rnetstat.to_str().unwrap();
    let list = |flags: &str| run(host.command(rnetstat).args(flags.split(' ')));
    let number = |pid: &str| {
        let (link, ..) = run(host.command("readlink").arg(format!("/proc/{pid}/ns/net")));
        let number = link.trim().strip_prefix("net:[").unwrap().strip_suffix(']').unwrap();
        number.parse::<u64>().unwrap()
    };

    let (stdout, stderr, status) = list("-n --port 5000 --netns all --format json");
    assert_eq!((stderr.as_str(), status), (EMPTY, Some(0)));
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_valid(&schema(), "--netns all", &found);
    let facts = |socket: &Value| {
        let pid = socket["processes"][0]["pid"].to_string();
        (socket["netns"].as_u64(), socket["netns_name"].clone(), pid)
    };
    let found: Vec<_> = found.as_array().unwrap().iter().map(facts).collect();
    let expected = [
        (Some(number(&own)), Value::Null, own),
        (Some(number(&blue)), "blue".into(), blue.clone()),
    ];
    assert_eq!(found, expected);

    let columns = "Active Internet connections (only servers)\n\
                   Proto Recv-Q Send-Q Local Address           Foreign Address         State       \
                   PID/Program name     Netns       \n";
    let row = "tcp        0      0 127.0.0.1:5000          0.0.0.0:*               LISTEN      ";
    let expected = format!("{columns}{row}{:<20} blue        \n", format!("{blue}/python3"));
    for wanted in ["blue", "cyan", &blue, &number(&blue).to_string()] {
        let listed = list(&format!("-tlnp --netns {wanted}"));
        assert_eq!(listed, (expected.clone(), String::new(), Some(0)), "{wanted}");
    }

    // A name goes before the number of a process.
    for name in ["green", "1"] {
        let message = format!(
            "rnetstat: no process is in the network namespace {name}, and /proc shows those of \
             processes alone: ip netns exec {name} rnetstat looks from within\n"
        );
        let found = list(&format!("-tan --netns {name}"));
        assert_eq!(found, (String::new(), message, Some(2)));
    }
    let (stdout, stderr, status) = list("-tan --netns red");
    assert_eq!((stdout.as_str(), status), ("", Some(2)));
    assert!(stderr.starts_with("rnetstat: there is no network namespace red: "), "{stderr}");
}

/// The process by which a namespace was found may end while it is watched.
#[test]
fn a_namespace_is_watched_for_as_long_as_anybody_is_in_it() {
    let Some((host, _receiver, _server, ..)) = host() else { return };
    let stays = ["netns", "exec", "blue", "sh", "-c", "echo $$; exec cat"];
    let mut visitor = host.start("ip", &stays);
    let pid = visitor.line();
    let flags = ["-tlnc", "--interval", "0.1", "--no-header", "--netns", &pid];
    let mut command = host.command(crate::common::RNETSTAT);
    let mut child = command.args(flags).stdout(Stdio::piped()).spawn().unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = rows.next().unwrap().unwrap();
    assert!(first.contains(" 127.0.0.1:5000 "), "{first}");
    visitor.end();
    for _ in 0..10 {
        assert_eq!(rows.next().map(Result::unwrap), Some(first.clone()));
    }
    drop(rows);
    assert!(child.wait().unwrap().success());
}

/// The kernel tells a plain user neither who holds what, nor which namespaces others are in; it
/// tells the sockets all the same.
#[test]
fn a_plain_user_sees_what_proc_shows() {
    let Some((host, _receiver, _server, _, blue)) = host() else { return };
    let (_directory, rnetstat) = public_copy();
    let run_as_nobody = |flags: &str| {
        let mut command = host.command("setpriv");
        command
            .args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"])
            .arg(&rnetstat);
        run(command.args(flags.split(' ')))
    };
    let list = || run_as_nobody("-tuln --netns all");
    let (stdout, stderr, status) = list();
    assert_eq!((stderr.as_str(), status), ("", Some(0)));
    let rows: Vec<_> = stdout.lines().filter(|line| line.starts_with("tcp ")).collect();
    let row = "tcp        0      0 127.0.0.1:5000          0.0.0.0:*               LISTEN      ";
    assert_eq!(rows, [format!("{row}{:<12}", format!("pid:{blue}"))]);
    // The own one is known by its number, and is that of the receiver, which is somebody else's.
    assert_eq!(stdout.matches("\nudp ").count(), 1, "{stdout}");

    // Records have something to tell them apart by, too.
    let (stdout, ..) = run_as_nobody("-tln --netns all --format jsonl");
    let record: Value = serde_json::from_str(stdout.trim_end()).unwrap();
    assert_eq!(
        (&record["netns"], &record["netns_name"]),
        (&Value::Null, &format!("pid:{blue}").into())
    );
    let (stdout, stderr, status) = run_as_nobody("-tln --netns blue");
    assert_eq!((stdout.as_str(), status), ("", Some(2)));
    let start = "rnetstat: no network namespace is known to be blue, but there are some ";
    assert!(stderr.starts_with(start), "{stderr}");

    let hide = host.command("mount").args(["-o", "remount,hidepid=1", "/proc"]).status();
    assert!(hide.unwrap().success());
    let (stdout, stderr, status) = list();
    assert_eq!((stdout.lines().count(), status), (3, Some(0)), "{stdout}");
    let start = "rnetstat: network namespaces may be missing: of ";
    assert!(stderr.starts_with(start) && stderr.lines().count() == 1, "{stderr}");
}

/// Each socket of a host in every state is as the schema says, by name and number.
#[test]
fn json_of_a_rich_host_is_what_the_schema_says() {
    let Some(host) = Host::new(&["python3", "mount"]) else { return };
    let mounted = host.command("mount").args(["-t", "tmpfs", "none", "/mnt"]).status().unwrap();
    assert!(mounted.success());
    let users = if is_root() { "root" } else { "alone" };
    let mut sockets = host.start("python3", &["tests/programs/parity_host.py", "/mnt", users]);
    assert_eq!(sockets.line(), "ready");
    let schema = schema();
    for flags in [
        &["-a"][..],
        &["-an", "--peers"],
        &["-ano"],
        &["-an", "--source", "netlink"],
        &["-an", "--netns", "all"],
    ] {
        let (stdout, _, status) =
            run(host.command(crate::common::RNETSTAT).args(flags).args(["--format", "json"]));
        assert_eq!(status, Some(0), "{flags:?}");
        let listing: Value = serde_json::from_str(&stdout).unwrap();
        assert_valid(&schema, &format!("{flags:?}"), &listing);
        // Of connections that wait to be accepted nobody can tell which is whose.
        let waiting = listing.as_array().unwrap().iter();
        let waiting = waiting.filter(|it| it["protocol"] == "unix" && it["inode"] == 0);
        let peers: Vec<_> = waiting.map(|it| it["peer"].clone()).collect();
        assert!(flags.contains(&"netlink") || peers.len() > 1, "{flags:?}");
        assert!(flags.contains(&"netlink") || peers.iter().all(Value::is_null), "{flags:?}");
        let (table, ..) = run(host.command(crate::common::RNETSTAT).args(flags).arg("--no-header"));
        let listed = listing.as_array().unwrap().len();
        assert!(listed > 50 && listed == table.lines().count(), "{flags:?}: {listed} sockets");
    }
}
