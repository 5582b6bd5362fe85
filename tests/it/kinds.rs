//! Sockets that netstat does not list: they are found by a search, a family, or another format.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::host::Host;
use crate::common::kinds::{Kinds, load_modules};
use crate::common::run::RunCommand;
use crate::common::{difference, needs_root, say};

/// The number of sockets that `every_kind.py` can open on every kernel.
const ON_EVERY_KERNEL: usize = 50;

#[test]
fn every_socket_of_a_process_is_found() {
    let Some(kinds) = Kinds::new() else { return };
    assert!(kinds.sockets.len() > ON_EVERY_KERNEL, "{:?}", kinds.sockets);
    for flags in [
        "-A all -an --json".to_owned(),
        "-A all -an --json --source netlink".to_owned(),
        "python3 -n --json".to_owned(),
        format!("--pid {} -n --json", kinds.pid),
        "--user root -n --json".to_owned(),
    ] {
        assert_eq!(kinds.missing(&flags), [""; 0], "{flags}");
    }
    let rows = kinds.rows("-A all -an --json");
    for (name, inode) in &kinds.sockets {
        let protocols = &rows[inode];
        let expected = match &name[..] {
            "packet of all" | "packet of lo" | "packet silent" => "packet",
            "netlink route" => "netlink",
            "netlink unbound" => "NETLINK",
            "tcp unbound" => "TCP",
            "udp6 unbound" => "UDPv6",
            "icmp bound" | "icmp6 connected" => "icmp",
            "mptcp server" | "mptcp client" | "mptcp6 accepted" => "mptcp",
            _ => continue,
        };
        assert!(protocols.iter().any(|it| it == expected), "{name}: {protocols:?}");
    }
    say(&format!("{} sockets of {} rows found", kinds.sockets.len(), rows.len()));
}

/// Each of these listings has what netstat prints, and nothing else.
#[test]
fn flags_of_netstat_list_only_what_netstat_lists() {
    let Some(kinds) = Kinds::new() else { return };
    for flags in ["-an", "-anpe", "-tan", "-wan", "-xan", "-tuaneo"] {
        let expected = kinds.host.command("netstat").args(flags.split(' ')).run().stdout;
        let found = kinds.run(flags).stdout;
        // The timers of connections run on.
        let without_timers = |text: &str| {
            text.lines().map(|line| line.split(" (").next().unwrap()).collect::<Vec<_>>().join("\n")
        };
        let different = difference(&without_timers(&expected), &without_timers(&found));
        assert_eq!(different, None, "{flags}");
    }
}

/// Descriptors tell of sockets that no table had. The tables are then read again, so that a socket that
/// was opened after its table was read is not taken for one without a table.
#[test]
fn every_socket_is_listed_once_while_others_move() {
    const TIME: Duration = Duration::from_secs(5);
    let Some(kinds) = Kinds::new() else { return };
    let mut programs: Vec<_> = (0..2).map(|_| kinds.host.python("moving.py", &[])).collect();
    for program in &mut programs {
        assert_eq!(program.line(), "ready");
    }
    let expected = kinds.rows("-A all -an --json");
    let (start, mut listings, mut seen) = (Instant::now(), 0, 0);
    while start.elapsed() < TIME || listings < 10 {
        let mut rows = kinds.rows("-A all -an --json");
        // Sockets of the kernel, and closed connections.
        rows.remove(&0);
        for (name, inode) in &kinds.sockets {
            assert_eq!(rows.get(inode), expected.get(inode), "{name} in listing {listings}");
        }
        for (inode, protocols) in &rows {
            // An MPTCP socket and its subflow share an inode.
            let is_once = protocols.len() == 1 || protocols[..] == ["tcp", "mptcp"];
            assert!(is_once, "the socket {inode}: {protocols:?}");
            // These have a row of their table as long as they exist.
            let has_table = |name: &String| ["PACKET", "UNIX", "UNIX-STREAM"].contains(&&name[..]);
            assert!(!protocols.iter().any(has_table), "the socket {inode}: {protocols:?}");
        }
        seen += rows.len();
        listings += 1;
    }
    let moved: u32 = programs.into_iter().map(|it| it.end().trim().parse::<u32>().unwrap()).sum();
    assert!(moved > 100, "only {moved} sockets moved");
    say(&format!(
        "{listings} listings, {seen} rows: {} sockets each once, while {moved} others moved",
        kinds.sockets.len()
    ));
}

/// The kernel lists them from Linux 6.8 on.
#[test]
fn port_of_a_socket_that_does_not_listen_is_found() {
    let Some(kinds) = Kinds::new() else { return };
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let number = |index| release.split(['.', '-']).nth(index).unwrap().parse::<u32>().unwrap();
    if (number(0), number(1)) < (6, 8) {
        return say("this kernel does not list bound TCP sockets");
    }
    for (flags, rows) in [
        (
            "6004 -n --no-header --columns proto,local,state",
            "tcp   127.0.0.1:6004  BOUND\ntcp6  [::1]:6004      BOUND\n",
        ),
        ("-tn --state bound --no-header --columns proto,sport", "tcp   6004\ntcp6  6004\n"),
        ("-an --sport 6004 -6 --no-header --columns local", "[::1]:6004\n"),
    ] {
        assert_eq!(kinds.run(flags).stdout, rows, "{flags}");
    }
}

/// A server is not ready before it listens.
#[test]
fn socket_that_is_only_bound_is_no_server() {
    let Some(kinds) = Kinds::new() else { return };
    for flags in ["-tl --sport 6004 -n", "-tln --sport 6004 --json", "-ln 6004"] {
        assert_eq!(kinds.run(flags).status, Some(1), "{flags}");
    }
    assert_eq!(kinds.run("-tln --sport 6004 --wait-gone=5").status, Some(0));
}

#[test]
fn sniffer_of_a_device_that_is_gone_is_found() {
    const SNIFFER: &str = "import socket, sys\n\
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300)\n\
        sniffer.bind(('veth7', 3))\n\
        print('ready', flush=True)\n\
        sys.stdin.read()";
    if !needs_root() {
        return;
    }
    let Some(host) = Host::new(&["python3", "ip"]) else { return };
    let ip = |arguments: &str| host.command("ip").args(arguments.split(' ')).succeed();
    ip("link add veth7 type veth peer name veth8");
    ip("link set veth7 up");
    let mut sniffer = host.start("python3", &["-c", SNIFFER]);
    assert_eq!(sniffer.line(), "ready");
    ip("link del veth7");
    let run = host.rnetstat("-A packet -an --no-header --columns type,local,interface").run();
    assert_eq!((run.stdout.trim_end(), &run.stderr[..]), ("RAW  all", ""));
}

/// The kernel puts ping sockets of one family also into the table of the other one.
#[test]
fn each_ping_socket_is_listed_once() {
    const PINGS: &str = "import socket, sys\n\
        pings = []\n\
        for family, protocol, address in [(socket.AF_INET, 1, '127.0.0.1'), (socket.AF_INET6, 58, '::1')]:\n\
        \x20   for number in range(300, 340):\n\
        \x20       pings.append(socket.socket(family, socket.SOCK_DGRAM, protocol))\n\
        \x20       pings[-1].bind((address, number))\n\
        print('ready', flush=True)\n\
        sys.stdin.read()";
    let Some(host) = Host::new(&["python3", "sysctl"]) else { return };
    host.command("sysctl").args(["-qw", "net.ipv4.ping_group_range=0 100"]).succeed();
    let mut pings = host.start("python3", &["-c", PINGS]);
    assert_eq!(pings.line(), "ready");
    let run = host.rnetstat("--icmp -an --group proto --no-header --columns recv-q").succeed();
    let rows: Vec<Vec<_>> =
        run.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows, [["icmp", "40", "0"], ["icmp6", "40", "0"]]);
    let found = host.rnetstat("312 -n --no-header --columns proto,local").succeed().stdout;
    assert_eq!(found, "icmp   127.0.0.1:312\nicmp6  [::1]:312\n");
}

#[test]
fn process_in_another_namespace_is_named() {
    let Some(host) = Host::new(&["python3", "unshare"]) else { return };
    let mut other = host.start(
        "unshare",
        &[
            "-n",
            "python3",
            "-c",
            "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()",
        ],
    );
    let pid = other.line();
    let run = host.rnetstat(&format!("-n --pid {pid}")).run();
    let hint =
        format!("rnetstat: process {pid} is in another network namespace: use --netns {pid}\n");
    assert_eq!((run.status, run.stderr), (Some(1), format!("rnetstat: no socket matches\n{hint}")));
}

#[test]
fn sniffer_is_found_with_what_it_reads() {
    let Some(kinds) = Kinds::new() else { return };
    let run = kinds.run("-A packet -an --no-header --columns proto,type,local,interface");
    assert_eq!(
        run.stdout.lines().map(str::trim_end).collect::<Vec<_>>(),
        ["packet  RAW    all", "packet  DGRAM  ip    lo", "packet  RAW    none"]
    );
    let run = kinds.run("-A packet -anp");
    let mut lines = run.stdout.lines();
    assert_eq!(lines.next(), Some("Active other sockets (servers and established)"));
    let heading = "Proto       Recv-Q Send-Q Local Address           Foreign Address         State       I-Node   PID/Program name    ";
    assert_eq!(lines.next(), Some(heading));
    assert_eq!(lines.clone().filter(|line| line.contains("/python3")).count(), 3);
}

/// The queue of an MPTCP connection is that of its own socket, not of its subflows.
#[test]
fn queue_of_an_mptcp_connection_is_shown() {
    let Some(kinds) = Kinds::new() else { return };
    if !kinds.has("mptcp server") {
        return say("this kernel has no MPTCP");
    }
    let run = kinds
        .run("--mptcp -an --sport 6030 --state established --no-header --columns proto,recv-q");
    // The kernel counts its own memory, too.
    let queues: Vec<_> = run.stdout.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(queues.iter().map(|(proto, _)| *proto).collect::<Vec<_>>(), ["mptcp", "mptcp6"]);
    assert!(
        queues.iter().all(|(_, queue)| queue.trim().parse::<u32>().unwrap() >= 5000),
        "{queues:?}"
    );
}

#[test]
fn subflows_of_mptcp_are_marked() {
    let Some(kinds) = Kinds::new() else { return };
    if !kinds.has("mptcp server") {
        return say("this kernel has no MPTCP");
    }
    // Without the table of MPTCP as well.
    for flags in ["-tan --json", "-an --json", "-A all -an --json", "-tan --sport 6030 --json"] {
        let rows: Vec<Value> = serde_json::from_str(&kinds.run(flags).stdout).unwrap();
        let tcp = || rows.iter().filter(|row| row["protocol"] == "tcp");
        let of_port = |row: &&Value, port| {
            ["local", "remote"].into_iter().any(|end| row[end]["port"] == port)
        };
        let subflows: Vec<_> = tcp().filter(|row| of_port(row, 6030)).collect();
        assert!(subflows.iter().all(|row| row["mptcp"] == true), "{flags}: {subflows:?}");
        assert!(subflows.len() > 2, "{flags}: {subflows:?}");
        let others = tcp().filter(|row| !of_port(row, 6030) && row["inode"] != 0);
        assert!(others.clone().all(|row| row["mptcp"] == false), "{flags}");
    }
    let table = kinds.run("-tan --sport 6030 --table").stdout;
    assert!(table.lines().next().unwrap().contains("  MPTCP  "), "{table}");
    let table = kinds.run("-tan --sport 6004 --table").stdout;
    assert!(!table.contains("MPTCP"), "{table}");
}

/// The kernel can load modules for these families, so only `tests/kernels/run` runs this.
#[test]
#[ignore = "makes the kernel load modules: tests/kernels/run runs it"]
fn sockets_of_every_family_are_found() {
    load_modules();
    let Some(kinds) = Kinds::of_every_family() else { return };
    assert_eq!(kinds.missing("-A all -an --json"), [""; 0]);
    say(&format!(
        "{} of {} sockets of every family found",
        kinds.sockets.len(),
        kinds.sockets.len()
    ));
}

/// The kernel lets one connection more wait than the backlog says.
#[test]
fn server_with_a_full_queue_is_red_and_bold() {
    const FULL: &str = "\
        import socket, sys\n\
        servers = [socket.create_server(('127.0.0.1', port), backlog=backlog)\n\
        \x20   for port, backlog in ((7000, 2), (7001, 2), (7002, 0))]\n\
        clients = [socket.create_connection(servers[index].getsockname()) for index in (0, 0, 0, 2)]\n\
        print('ready', flush=True)\n\
        sys.stdin.read()";
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut server = host.start("python3", &["-c", FULL]);
    assert_eq!(server.line(), "ready");
    let flags =
        "-tln --table --color always --no-header --sort sport --columns recv-q,backlog,sport";
    let run = host.rnetstat(flags).succeed();
    let [full, free] = ["\x1b[1;31m", "\x1b[32m"];
    let expected = [(full, "3  2  7000"), (free, "0  2  7001"), (full, "1  0  7002")];
    let expected = expected.map(|(color, row)| format!("{color}{row}\x1b[m\n"));
    assert_eq!(run.stdout, expected.concat());
}
