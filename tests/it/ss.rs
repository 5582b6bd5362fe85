//! The same values as ss shows, on the same sockets. Each test writes rnetstat's rows in the notation of
//! ss. `docs/differences.md` lists what differs.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::common::host::Host;
use crate::common::run::RunCommand;
use crate::common::service::Service;
use crate::common::{difference, needs_root, say, words};

/// A host with sockets of many kinds, and with devices, users, timers and full queues.
struct Referee {
    host: Host,
    _programs: [Service; 2],
}

impl Referee {
    fn new() -> Option<Self> {
        // Packet sockets and other users need root.
        if !needs_root() {
            return None;
        }
        let host = Host::new(&["python3", "ss"])?;
        let mut programs = [host.python("every_kind.py", &[]), host.python("referee.py", &[])];
        for program in &mut programs {
            program.line();
        }
        Some(Self { host, _programs: programs })
    }

    /// Returns the lines of ss without what only ss shows, sorted.
    fn ss(&self, flags: &str) -> Vec<String> {
        let listing = self.host.command("ss").args(words(flags)).arg("-HO").succeed().stdout;
        let line = |line: &str| {
            // The address of the socket in the kernel, its cgroup, and the direction of its shutdown.
            let only_ss = ["sk:", "cgroup:", "<->"];
            let words = line.split_whitespace();
            let words = words.filter(|word| !only_ss.iter().any(|it| word.starts_with(it)));
            words.collect::<Vec<_>>().join(" ")
        };
        let lines: BTreeSet<_> = listing.lines().map(line).collect();
        lines.into_iter().collect()
    }

    /// Returns the rows of rnetstat.
    fn rows(&self, flags: &str) -> Vec<Value> {
        let flags = format!("{flags} -n --json");
        serde_json::from_str(&self.host.rnetstat(&flags).succeed().stdout).unwrap()
    }
}

/// Compares the lines of ss with these.
fn compare(flags: &str, expected: &[String], mut found: Vec<String>) {
    found.sort();
    assert_eq!(difference(&expected.join("\n"), &found.join("\n")), None, "ss {flags}");
    assert!(found.len() >= 3, "only {} sockets", found.len());
    say(&format!("{} sockets compared with ss {flags}", found.len()));
}

/// Returns an address and a port as ss writes them.
fn end(row: &Value, name: &str) -> String {
    let (address, port) = (row[name]["address"].as_str().unwrap(), &row[name]["port"]);
    let device = row["interface"].as_str().filter(|_| name == "local");
    let device = device.map_or(String::new(), |device| format!("%{device}"));
    let address = match address {
        "::" if row["ipv6_only"] == false => "*".to_owned(),
        ipv6 if ipv6.contains(':') => format!("[{ipv6}]"),
        ipv4 => ipv4.to_owned(),
    };
    let port = if *port == 0 { "*".to_owned() } else { port.to_string() };
    format!("{address}{device}:{port}")
}

/// Returns the owners, such as ` users:(("python3",pid=3,fd=4))`.
fn users(row: &Value) -> String {
    let owner = |it: &Value| {
        let fd = it["fds"].as_array().unwrap().iter().map(Value::to_string).collect::<String>();
        format!("({},pid={},fd={fd})", it["program"], it["pid"])
    };
    let owners: Vec<_> = row["processes"].as_array().unwrap().iter().map(owner).collect();
    if owners.is_empty() { String::new() } else { format!(" users:({})", owners.join(",")) }
}

/// Returns a fact such as ` uid:1000`, if there is one.
fn fact(name: &str, value: &Value) -> String {
    if value.is_null() { String::new() } else { format!(" {name}:{value}") }
}

fn state(row: &Value) -> &str {
    match row["state"].as_str() {
        None => "UNCONN",
        Some("ESTABLISHED" | "CONNECTED") => "ESTAB",
        Some("LISTENING") => "LISTEN",
        Some(other) => other,
    }
}

/// Returns the row of an internet socket as ss writes it.
fn internet(row: &Value) -> String {
    let send = if row["backlog"].is_null() { &row["send_q"] } else { &row["backlog"] };
    let timer = match row["timer"]["kind"].as_str().unwrap() {
        "off" => String::new(),
        kind => format!(" timer:({kind},{})", row["timer"]["retransmits"]),
    };
    // ss leaves out the user 0.
    let uid = if row["uid"] == 0 { &Value::Null } else { &row["uid"] };
    let ipv6_only = match row["ipv6_only"].as_bool() {
        Some(ipv6_only) => format!(" v6only:{}", u8::from(ipv6_only)),
        None => String::new(),
    };
    [
        format!(
            "{} {} {send} {} {}",
            state(row),
            row["recv_q"],
            end(row, "local"),
            end(row, "remote")
        ),
        users(row),
        timer,
        fact("uid", uid),
        fact("ino", &row["inode"]),
        ipv6_only,
    ]
    .concat()
}

/// Removes the time from a timer such as `timer:(keepalive,119min,0)`.
fn without_time(line: &str) -> String {
    let Some((start, timer)) = line.split_once("timer:(") else { return line.to_owned() };
    let [kind, _, rest] = timer.splitn(3, ',').collect::<Vec<_>>()[..] else { panic!("{line}") };
    format!("{start}timer:({kind},{rest}")
}

/// The queues, addresses, devices, owners, timers, users, inodes, and which sockets are closed to IPv4.
#[test]
fn tcp_and_udp_sockets_have_the_values_of_ss() {
    let Some(referee) = Referee::new() else { return };
    for protocol in ["t", "u"] {
        let flags = format!("-{protocol}anpeo");
        let mut expected: Vec<_> = referee.ss(&flags).iter().map(|it| without_time(it)).collect();
        expected.sort();
        let rows = referee.rows(&format!("-{protocol}a"));
        // ss of Debian 12 does not list sockets that are only bound.
        let rows = rows.iter().filter(|row| row["state"] != "BOUND");
        let found: Vec<_> = rows.map(internet).collect();
        for fact in ["%lo:", "uid:1000", "v6only:0", "v6only:1"] {
            assert!(found.iter().any(|line| line.contains(fact)), "no socket has {fact}");
        }
        compare(&flags, &expected, found);
    }
}

/// The states, queues, addresses, owners and inodes.
#[test]
fn mptcp_sockets_have_the_values_of_ss() {
    let Some(referee) = Referee::new() else { return };
    let expected = referee.ss("-Manpe");
    if expected.is_empty() {
        return say("this kernel has no MPTCP");
    }
    let found = referee.rows("--mptcp -a").iter().map(internet).collect();
    compare("-Manpe", &expected, found);
}

/// Of UNIX sockets: types, states, names, inodes, other ends and owners. ss also shows queues, and
/// rnetstat a row for each connection that waits to be accepted.
#[test]
fn unix_sockets_have_the_values_of_ss() {
    let Some(referee) = Referee::new() else { return };
    let without_queues = |line: &String| {
        let words: Vec<_> = line.split(' ').filter(|&word| word != "peers:").collect();
        // Netid, State, Recv-Q, Send-Q, the name, the inode, "*", the inode of the other end, and the
        // owner. The clients that wait to be accepted follow.
        format!("{} {} {}", words[0], words[1], words[4..9].join(" "))
    };
    let lines = referee.ss("-xanpe");
    let mut expected: Vec<_> = lines.iter().map(without_queues).collect();
    expected.sort();
    let rows = referee.rows("-xa --peers");
    let (waiting, rows): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| row["state"] == "CONNECTING" && row["inode"] == 0);
    let clients = lines.iter().filter_map(|line| line.split_once(" peers: "));
    let clients = clients.flat_map(|(_, clients)| clients.split(' ')).count();
    assert_eq!((waiting.len(), clients), (1, 1), "{lines:?}");
    let found = rows.iter().map(|row| {
        let kind = match row["type"].as_str().unwrap() {
            "STREAM" => "u_str",
            "DGRAM" => "u_dgr",
            "SEQPACKET" => "u_seq",
            other => other,
        };
        let path = row["path"].as_str().unwrap_or("*");
        let peer = row["peer"]["inode"].as_u64().unwrap_or(0);
        format!("{kind} {} {path} {} * {peer}{}", state(row), row["inode"], users(row))
    });
    compare("-xanpe", &expected, found.collect());
}

/// Of packet sockets: types, queues, protocols, devices, owners and inodes.
#[test]
fn packet_sockets_have_the_values_of_ss() {
    let Some(referee) = Referee::new() else { return };
    let without_ring = |line: &String| line.split(" ver:").next().unwrap().to_owned();
    let mut expected: Vec<_> = referee.ss("-0anpe").iter().map(without_ring).collect();
    expected.sort();
    let rows = referee.rows("-A packet -a");
    let found = rows.iter().map(|row| {
        let kind = if row["type"] == "RAW" { "p_raw" } else { "p_dgr" };
        let protocol = match row["local"]["address"].as_str().unwrap() {
            "all" => "*",
            "ip" => "[2048]",
            "none" => "[0]",
            other => other,
        };
        let device = row["interface"].as_str().unwrap_or("*");
        let inode = fact("ino", &row["inode"]);
        let ends = format!("{} 0 {protocol}:{device} *", row["recv_q"]);
        format!("{kind} UNCONN {ends}{}{inode}", users(row))
    });
    compare("-0anpe", &expected, found.collect());
}

/// Of netlink sockets: queues, protocols and ports. ss lists some twice, and its own.
#[test]
fn netlink_sockets_have_the_values_of_ss() {
    let Some(referee) = Referee::new() else { return };
    // The question of ss waits in the queue of the kernel, and the answer in that of ss.
    let asks = |line: &String| line.contains(" tcpdiag:");
    let expected: Vec<_> =
        referee.ss("-f netlink -a").into_iter().filter(|line| !asks(line)).collect();
    let rows = referee.rows("-A netlink -a");
    let (kernel, rows): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| row["local"]["address"] == "sock-diag");
    assert_eq!(kernel.len(), 1, "{kernel:?}");
    let found = rows.iter().map(|row| {
        let protocol = match row["local"]["address"].as_str().unwrap() {
            "route" => "rtnl",
            "fib-lookup" => "fiblookup",
            "netfilter" => "nft",
            "generic" => "genl",
            other => other,
        };
        let port = row["local"]["port"].as_u64().unwrap();
        let port = match row["processes"].as_array().unwrap().first() {
            _ if port == 0 => "kernel".to_owned(),
            Some(owner) if owner["pid"] == port => {
                format!("{}/{port}", owner["program"].as_str().unwrap())
            }
            // ss takes the port for a signed number.
            _ => u32::try_from(port).unwrap().cast_signed().to_string(),
        };
        let queues = format!("{} {}", row["recv_q"], row["send_q"]);
        format!("UNCONN {queues} {protocol}:{port} *")
    });
    compare("-f netlink -a", &expected, found.collect());
}

/// Of the memory of a socket, rnetstat shows the queues and the drops.
#[test]
fn drops_are_those_of_ss() {
    const FULL: &str = "\
        import socket, sys\n\
        made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]\n\
        for number, each in enumerate(made[:2]):\n\
        \x20   each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)\n\
        \x20   each.bind(('127.0.0.1', 7020 + number))\n\
        \x20   for _ in range(10 + number):\n\
        \x20       made[2].sendto(b'x' * 1000, each.getsockname())\n\
        print('ready', flush=True)\n\
        sys.stdin.read()";
    let Some(host) = Host::new(&["python3", "ss"]) else { return };
    let mut program = host.start("python3", &["-c", FULL]);
    assert_eq!(program.line(), "ready");
    let listing = host.command("ss").args(["-uanmHO"]).succeed().stdout;
    // Such as `skmem:(r4352,rb2304,t0,tb212992,f3840,w0,o0,bl0,d7)`.
    let number = |line: &str, name: &str| -> u64 {
        let (_, memory) = line.split_once("skmem:(").unwrap();
        let mut numbers = memory.trim_end().trim_end_matches(')').split(',');
        numbers.find_map(|it| it.strip_prefix(name)?.parse().ok()).unwrap()
    };
    let mut expected: Vec<_> =
        listing.lines().map(|it| (number(it, "r"), number(it, "d"))).collect();
    expected.sort_unstable();
    let found = host.rnetstat("-uan --json").succeed().stdout;
    let found: Vec<Value> = serde_json::from_str(&found).unwrap();
    let number = |row: &Value, name: &str| row[name].as_u64().unwrap();
    let mut found: Vec<_> =
        found.iter().map(|row| (number(row, "recv_q"), number(row, "drops"))).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert!(found.iter().any(|&(_, drops)| drops > 0), "{found:?}");
}

/// Of vsock sockets: states, addresses, ports and inodes.
#[test]
#[ignore = "makes the kernel load modules: tests/kernels/run runs it"]
fn vsock_sockets_have_the_values_of_ss() {
    let Some(host) = Host::new(&["python3", "ss"]) else { return };
    let mut program = host.python("every_kind.py", &["all"]);
    program.line();
    let listing = host.command("ss").args(["--vsock", "-anpeHO"]).succeed().stdout;
    let mut expected: Vec<_> = listing
        .lines()
        .map(|line| line.split_whitespace().take(6).collect::<Vec<_>>().join(" "))
        .collect();
    expected.sort();
    let rows = host.rnetstat("-A vsock -an --json").succeed().stdout;
    let rows: Vec<Value> = serde_json::from_str(&rows).unwrap();
    let mut found: Vec<_> = rows
        .iter()
        .map(|row| {
            let kind = match row["type"].as_str().unwrap() {
                "STREAM" => "v_str",
                "DGRAM" => "v_dgr",
                _ => "???",
            };
            let end = |name: &str| match row[name]["port"].as_u64() {
                Some(port) => format!("{}:{port}", row[name]["address"].as_str().unwrap()),
                None => "*:*".to_owned(),
            };
            format!("{kind} {} 0 0 {} {}", state(row), end("local"), end("remote"))
        })
        .collect();
    found.sort();
    assert_eq!(difference(&expected.join("\n"), &found.join("\n")), None);
    assert!(!found.is_empty(), "no vsock sockets");
}
