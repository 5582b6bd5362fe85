//! Sockets of other network namespaces, as `ip netns` and containers make them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::common::host::Host;
use crate::common::run::{RNETSTAT, Run, RunCommand};
use crate::common::schema::{assert_valid, schema};
use crate::common::service::Service;
use crate::common::{needs_root, public_copy, words};

/// Makes a host with a receiver in the host's own namespace, a server on port 5000 in the namespace
/// `blue` (also called `cyan`), and the namespaces `green` and `1`, which have no process. Returns
/// also the PIDs of the receiver and of the server.
fn host() -> Option<(Host, [Service; 2], String, String)> {
    if !needs_root() {
        return None;
    }
    let host = Host::new(&["python3", "mount", "setpriv"])?;
    host.mount_tmpfs("/run");
    let script = "ip netns add blue && ip netns add green && ip netns add 1 && \
                  ip -n blue link set lo up && touch /run/netns/cyan /run/netns/left-over";
    host.command("sh").args(["-c", script]).succeed();
    host.mount(&["--bind", "/run/netns/blue", "/run/netns/cyan"]);
    let (receiver, own) = host.receiver();
    let inside = ["netns", "exec", "blue", "python3", "tests/programs/server.py", "5000"];
    let mut server = host.start("ip", &inside);
    let blue = server.line().split(' ').next().unwrap().to_owned();
    Some((host, [receiver, server], own, blue))
}

/// The row of the server in `blue`, up to the column State.
const ROW: &str =
    "tcp        0      0 127.0.0.1:5000          0.0.0.0:*               LISTEN      ";

#[test]
fn sockets_and_owners_of_other_namespaces_are_found() {
    let Some((host, _services, own, blue)) = host() else { return };
    let number = |pid: &str| {
        let link = host.command("readlink").arg(format!("/proc/{pid}/ns/net")).run().stdout;
        let number = link.trim().strip_prefix("net:[").unwrap().strip_suffix(']').unwrap();
        number.parse::<u64>().unwrap()
    };

    let found = host.rnetstat("-n --port 5000 --netns all --format json").run();
    // Namespaces without a process are entered by their names.
    assert_eq!((found.stderr.as_str(), found.status), ("", Some(0)));
    let empty = "rnetstat: network namespaces without a process: 2 (1, green); /proc does not show \
                 their sockets\n";
    let without = host.rnetstat("-n --port 5000 --netns all --source text").run();
    assert_eq!((without.stderr.as_str(), without.status), (empty, Some(0)));
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
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
    let expected = format!("{columns}{ROW}{:<20} blue        \n", format!("{blue}/python3"));
    for wanted in ["blue", "cyan", &blue, &number(&blue).to_string()] {
        let found = host.rnetstat(&format!("-tlnp --netns {wanted}")).run();
        assert_eq!(found, Run::success(&*expected), "{wanted}");
    }

    // The name `1` of a namespace has precedence over the PID 1.
    for name in ["green", "1"] {
        let message = format!(
            "rnetstat: the network namespace {name} has no process, so /proc does not show its \
             sockets: run ip netns exec {name} rnetstat\n"
        );
        let found = host.rnetstat(&format!("-tan --netns {name} --source text")).run();
        assert_eq!(found, Run::failure(message, 2));
        let entered = host.rnetstat(&format!("-tan --netns {name} --no-header")).run();
        assert_eq!(entered, Run::success(""));
    }
    let message = host.rnetstat("-tan --netns red").error();
    assert!(message.starts_with("rnetstat: there is no network namespace red: "), "{message}");
}

#[test]
fn wait_also_waits_for_the_namespace() {
    let Some((host, ..)) = host() else { return };
    let flags = "-tln --port 7000 --no-header --wait=60 --netns";
    let run = host.rnetstat(&flags.replace("60", "0.3")).arg("red").run();
    assert_eq!(run.status, Some(1));
    let message = "rnetstat: there is no network namespace red: ";
    assert!(
        run.stderr.starts_with(message) && run.stderr.ends_with("no socket matches\n"),
        "{run:?}"
    );
    let listing = host.rnetstat(flags).arg("red").start();
    let script = "ip netns add red && ip -n red link set lo up && \
                  exec ip netns exec red python3 tests/programs/server.py 7000";
    let mut server = host.start("sh", &["-c", script]);
    server.line();
    let found = Run::end_of(listing);
    assert_eq!((found.status, found.stderr.as_str()), (Some(0), ""));
    assert!(found.stdout.contains(" 127.0.0.1:7000 "), "{}", found.stdout);
}

/// If the process through which rnetstat reads a namespace ends, rnetstat uses another one in it.
#[test]
fn continuous_listing_of_a_namespace_survives_the_end_of_a_process() {
    let Some((host, ..)) = host() else { return };
    let stays = ["netns", "exec", "blue", "sh", "-c", "echo $$; exec cat"];
    let mut visitor = host.start("ip", &stays);
    let pid = visitor.line();
    let flags = format!("-tlnc --interval 0.1 --no-header --netns {pid}");
    let mut child = host.rnetstat(&flags).start();
    let mut rows = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = rows.next().unwrap().unwrap();
    assert!(first.contains(" 127.0.0.1:5000 "), "{first}");
    visitor.end();
    for _ in 0..10 {
        assert_eq!(rows.next().map(Result::unwrap), Some(first.clone()));
    }
    drop(rows);
    assert_eq!(Run::end_of(child).status, Some(0));
}

/// The kernel shows a zombie in /proc, but neither its tables nor its namespace.
#[test]
fn namespace_is_read_through_another_process_if_the_first_is_a_zombie() {
    let Some(host) = Host::new(&["python3", "strace", "unshare", "ip"]) else { return };
    for tables in ["tcp", "tcp6"] {
        let mut processes = host.python("zombie.py", &[]);
        let pid = processes.line();
        let log = NamedTempFile::new().unwrap();
        // The search finds the process alive. Opening one of its tables then takes time.
        let options = format!(
            "-f -P /proc/{pid}/ns/net -P /proc/{pid}/net/{tables} -e inject=openat:delay_enter=2000000"
        );
        let mut command = host.command("strace");
        command.args(words(&options)).arg("-o").arg(log.path()).arg(RNETSTAT);
        let listing = command.args(words("-tln --netns all")).start();
        while !fs::read_to_string(log.path()).unwrap().contains("ns/net") {
            thread::sleep(Duration::from_millis(10));
        }
        processes.say("end");
        assert_eq!(processes.line(), "zombie");
        let run = Run::end_of(listing);
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{tables}");
        assert_eq!(run.stdout.matches(" 127.0.0.1:5000 ").count(), 1, "{tables}\n{}", run.stdout);
        processes.end();
    }
}

/// In a container, the /proc of the host can be mounted. On the host, a container's /proc is below
/// `/proc/PID/root`. Its link `self` leads to rnetstat, so `net` would be the wrong namespace.
#[test]
fn other_proc_file_system_shows_the_namespace_of_its_process_1() {
    let Some(mut host) = Host::new(&["python3", "unshare", "pgrep", "mount"]) else { return };
    host.put("/etc/passwd", b"somebody:x:0:0::/:/bin/sh\n");
    let _receiver = host.receiver();
    let script = "ip link set lo up && exec python3 tests/programs/server.py 5001";
    let mut server = host.start("unshare", &["-npmf", "--mount-proc", "sh", "-c", script]);
    assert_eq!(server.line().split(' ').next(), Some("1"));
    let pid = host.command("pgrep").args(["-nf", "server.py 5001"]).succeed();
    let pid = pid.stdout.trim();
    for flags in ["", "--netns 1", "--netns all"] {
        let flags = format!("-tuln --format jsonl --proc /proc/{pid}/root/proc {flags}");
        let listing = host.rnetstat(&flags).listing();
        let rows: Vec<Value> =
            listing.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [row] = &rows[..] else { panic!("{flags}: {listing}") };
        assert_eq!((&row["local"]["port"], &row["processes"][0]["pid"]), (&5001.into(), &1.into()));
    }
    let users = format!("-tl --numeric-ports --format jsonl --proc /proc/{pid}/root/proc");
    let row: Value = serde_json::from_str(&host.rnetstat(&users).listing()).unwrap();
    assert_eq!((&row["user"], &row["local"]["host"]), (&"somebody".into(), &Value::Null));
}

/// For processes of other users, the kernel hides the descriptors and the network namespace from a
/// plain user. But their `/proc/PID/net` still shows the sockets of that namespace.
#[test]
fn plain_user_sees_sockets_of_other_namespaces_without_owners() {
    let Some((host, _services, _, blue)) = host() else { return };
    let (_directory, copy) = public_copy();
    let list = |flags: &str| host.rnetstat_as_nobody(&copy, flags);
    let listing = list("-tuln --netns all").listing();
    let rows: Vec<_> = listing.lines().filter(|line| line.starts_with("tcp ")).collect();
    assert_eq!(rows, [format!("{ROW}{:<12}", format!("pid:{blue}"))]);
    // The receiver's namespace is hidden too. But it is also rnetstat's own, and its sockets must
    // not be listed twice.
    assert_eq!(listing.matches("\nudp ").count(), 1, "{listing}");

    let record = list("-tln --netns all --format jsonl").run().stdout;
    let record: Value = serde_json::from_str(record.trim_end()).unwrap();
    assert_eq!(
        (&record["netns"], &record["netns_name"]),
        (&Value::Null, &format!("pid:{blue}").into())
    );
    let message = list("-tln --netns blue").error();
    let start = "rnetstat: no network namespace blue was found, but some hide their names ";
    assert!(message.starts_with(start), "{message}");

    host.hide_processes("1");
    let found = list("-tuln --netns all").run();
    assert_eq!((found.stdout.lines().count(), found.status), (3, Some(0)), "{}", found.stdout);
    let end = " of the processes hide their namespace\n";
    assert!(found.stderr.ends_with(end), "{}", found.stderr);
    assert_eq!(found.stderr.lines().count(), 1, "{}", found.stderr);
}

/// netlink tells each namespace only about itself, so rnetstat enters them.
#[test]
fn netlink_is_asked_in_other_namespaces() {
    const LEAVE: &str = "\
        import ctypes, os, socket, sys\n\
        here, green = os.open('/proc/self/ns/net', 0), os.open('/run/netns/green', 0)\n\
        setns = ctypes.CDLL(None).setns\n\
        setns(green, 0)\n\
        server = socket.create_server(('0.0.0.0', 6000), backlog=7)\n\
        pair = socket.socketpair()\n\
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300)\n\
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'lo')\n\
        bound.bind(('', 6001))\n\
        setns(here, 0)\n\
        print(os.getpid(), flush=True)\n\
        sys.stdin.read()";
    let Some((host, _services, ..)) = host() else { return };
    let mut server = host.start("python3", &["-c", LEAVE]);
    let pid = server.line();
    let list = |flags: &str| -> Vec<Value> {
        let flags = format!("-an --netns green --json {flags}");
        serde_json::from_str(&host.rnetstat(&flags).succeed().stdout).unwrap()
    };
    let found = list("-t");
    let [server] = &found[..] else { panic!("{found:?}") };
    assert_eq!((&server["backlog"], &server["local"]["port"]), (&7.into(), &6000.into()));
    assert_eq!(server["processes"][0]["pid"].to_string(), pid);
    assert_eq!(server["netns_name"], "green");
    // The other end of a UNIX socket is known as well.
    let found = list("-x --peers");
    let [one, other] = &found[..] else { panic!("{found:?}") };
    assert_eq!(one["peer"]["inode"], other["inode"]);
    // The kernel has these only as text, and only for a thread in the namespace.
    let found = list("-A packet");
    let [sniffer] = &found[..] else { panic!("{found:?}") };
    assert_eq!(sniffer["processes"][0]["pid"].to_string(), pid);
    // Devices have names of their own in each namespace.
    for flags in ["-u --interface lo", "0.0.0.0%lo:6001", "-u --interface lo --netns all"] {
        let found = list(flags);
        assert_eq!((found.len(), &found[0]["interface"]), (1, &"lo".into()), "{flags}");
    }
    let refused = host.rnetstat("-uan --netns green --interface lo9").error();
    assert_eq!(refused, "rnetstat: there is no interface 'lo9': ip link lists them\n");
    // Only the text may be read: it has no backlog, and this namespace has no text.
    let refused = host.rnetstat("-tan --netns green --source text").error();
    assert!(refused.contains("the network namespace green has no process"), "{refused}");
    let blue = host.rnetstat("-tan --netns blue --json --source text").succeed().stdout;
    let blue: Value = serde_json::from_str(&blue).unwrap();
    assert_eq!(blue[0]["backlog"], Value::Null);
    let blue = host.rnetstat("-tan --netns blue --json --source netlink").succeed().stdout;
    let blue: Value = serde_json::from_str(&blue).unwrap();
    assert_ne!(blue[0]["backlog"], Value::Null);
}

#[test]
fn json_of_sockets_of_every_kind_matches_the_schema() {
    let Some(host) = Host::new(&["python3", "mount"]) else { return };
    let _sockets = host.sockets_of_every_kind();
    let schema = schema();
    for flags in ["-a", "-an --peers", "-ano", "-an --source netlink", "-an --netns all"] {
        let listing = host.rnetstat(&format!("{flags} --format json")).succeed().stdout;
        let listing: Value = serde_json::from_str(&listing).unwrap();
        assert_valid(&schema, flags, &listing);
        // Connections that wait to be accepted have inode 0. Their peers are known only with
        // `--source netlink`.
        let waiting = listing.as_array().unwrap().iter();
        let waiting = waiting.filter(|it| it["protocol"] == "unix" && it["inode"] == 0);
        let peers: Vec<_> = waiting.map(|it| it["peer"].clone()).collect();
        assert!(flags.contains("netlink") || peers.len() > 1, "{flags}");
        assert!(flags.contains("netlink") || peers.iter().all(Value::is_null), "{flags}");
        let table = host.rnetstat(&format!("{flags} --no-header")).run().stdout;
        // Without a format of its own, only what netstat lists.
        let is_netstats = |it: &&Value| {
            let protocols = ["tcp", "sctp", "udp", "udplite", "raw", "unix"];
            protocols.contains(&it["protocol"].as_str().unwrap()) && it["state"] != "BOUND"
        };
        let listed = listing.as_array().unwrap().iter().filter(is_netstats).count();
        // An association of SCTP has a line for each of its addresses.
        let lines = table.lines().filter(|line| !line.starts_with(' ')).count();
        assert!(listed > 50 && listed == lines, "{flags}: {listed} sockets, {lines} lines");
    }
}
