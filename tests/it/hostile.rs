//! Names and lines that a hostile process chooses: they must not control the terminal or hide a
//! socket, and with netlink they must not forge rows.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::common::host::Host;
use crate::common::pty::Pty;
use crate::common::run::{RNETSTAT, RunCommand, rnetstat};
use crate::common::service::Service;
use crate::common::{FORMATS, copy_tree, have, needs_root, proc_tree, public_copy, say};

/// Escape sequences, an 8-bit control character, and characters that change the direction of text
/// or are invisible.
const HARM: &str = "\x1b[31m\x07\u{9b}2J\u{202e}\u{2066}\u{200b}";

/// The word that begins each harmful name on [`host`]. [`HARM`] follows it.
const NAMES: [&str; 7] = ["program", "argument", "path", "host", "service", "user", "netns"];

/// Each format, what it prints for the escape sequence, and what it shows of a command line.
const LAYOUTS: [(&str, &str, Shown); 5] = [
    ("netstat", ".[31m", Shown::Program),
    ("table", ".[31m", Shown::CommandLine),
    ("json", r"\u001b[31m", Shown::CommandLine),
    ("jsonl", r"\u001b[31m", Shown::CommandLine),
    ("csv", ".[31m", Shown::CommandLine),
];

/// The part of the command line of an owner that a layout shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Program,
    CommandLine,
}

/// Makes a host where every name contains the harmful text. Returns also the line that `hostile.py`
/// prints: the inode of a UDP socket, and the PID of its owner.
fn host() -> Option<(Host, Service, String)> {
    let mut host = Host::new(&["python3", "mount", "touch", "unshare"])?;
    host.put_names(format!("10.99.0.1 host{HARM}\n").as_bytes(), "");
    host.put("/etc/services", format!("service{HARM} 9/udp\n").as_bytes());
    host.put("/etc/passwd", format!("user{HARM}:x:0:0::/:/bin/sh\n").as_bytes());
    host.route_peers();
    host.mount_tmpfs("/run");
    host.command("mkdir").arg("/run/netns").succeed();
    let [netns, empty] = ["netns", "empty"].map(|name| format!("/run/netns/{name}{HARM}"));
    host.command("touch").args([&netns, &empty]).succeed();
    host.mount(&["--bind", "/proc/self/ns/net", &netns]);
    // A namespace that has no process once `unshare` has ended.
    let empty = ["-n", "mount", "--bind", "/proc/self/ns/net", &empty];
    host.command("unshare").args(empty).succeed();
    let mut hostile = host.python("hostile.py", &[HARM]);
    let line = hostile.line();
    Some((host, hostile, line))
}

/// Returns the first character that must not be printed on a terminal.
fn harm_in(text: &str) -> Option<char> {
    let is_harmful = |&char: &char| {
        let is_line_end = char == '\n';
        let is_invisible = matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        char.is_control() && !is_line_end || is_invisible
    };
    text.chars().find(is_harmful)
}

/// Removes escape sequences in the form of those of the view: ESC, `[`, numbers and a letter.
fn without_sequences(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| {
        part.trim_start_matches(|it: char| it.is_ascii_digit() || it == ';' || it == '?')
            .get(1..)
            .unwrap_or_default()
    });
    first + &rest.collect::<String>()
}

#[test]
fn no_layout_prints_control_characters_from_names() {
    if !needs_root() {
        return;
    }
    let Some((host, _hostile, _)) = host() else { return };
    let mut checked = 0;
    for source in ["auto", "text", "netlink"] {
        for (format, escaped, shown) in LAYOUTS {
            let netns = if source == "netlink" { "" } else { "--netns all" };
            let flags = format!("-uxaeWpv --format {format} --source {source} {netns}");
            let run = host.rnetstat(&flags).run();
            let (listing, remarks) = (run.stdout, run.stderr);
            assert_eq!(run.status, Some(0), "{remarks}");
            assert_eq!(harm_in(&listing), None, "{format} {source}\n{listing:?}");
            assert_eq!(harm_in(&remarks), None, "{format} {source}\n{remarks:?}");
            for name in NAMES {
                let is_left_out = name == "argument" && shown == Shown::Program
                    || name == "netns" && netns.is_empty();
                let is_there = listing.contains(&format!("{name}{escaped}"));
                assert_eq!(is_there, !is_left_out, "{name}: {format} {source}\n{listing}");
                checked += usize::from(is_there);
            }
            // Without netlink, a namespace without a process cannot be entered.
            if source == "text" {
                assert!(remarks.contains("empty.[31m"), "{remarks}");
            }
        }
    }
    say(&format!("{checked} harmful names were printed without harm"));
}

#[test]
fn live_view_prints_no_control_characters_from_names() {
    let Some((host, _hostile, _)) = host() else { return };
    let pty = Pty::new(400);
    let mut command =
        host.rnetstat("-uxac --count 3 --interval 0.2 --format table --netns all --color always");
    let run = pty.run_interactive(command.env("TERM", "xterm"));
    assert_eq!(run.status, Some(0));
    // The view uses no such sequence itself.
    assert!(!run.stdout.contains("\x1b[31m"), "{:?}", run.stdout);
    let view = without_sequences(&run.stdout);
    assert_eq!(harm_in(&view), None, "{view:?}");
    for name in NAMES {
        assert!(view.contains(&format!("{name}.[31m")), "{name} is missing from\n{view}");
    }
}

/// A newline in the name of a UNIX socket begins a new row in the text of the kernel.
#[test]
fn newline_in_the_name_of_a_unix_socket_forges_no_row() {
    let Some((host, _hostile, line)) = host() else { return };
    let (inode, pid) = line.split_once(' ').unwrap();
    let raw = host.command("cat").arg("/proc/net/unix").run().stdout;
    assert!(raw.contains("\nffff888000000000: "), "{raw}");
    for format in FORMATS {
        let listing =
            host.rnetstat(&format!("-xanp --program program --format {format}")).listing();
        assert_eq!(listing.matches("/run/forged").count(), 1, "{format}\n{listing}");
        let rows: Vec<_> = listing.lines().filter(|row| row.contains("/run/forged")).collect();
        let path = if format.starts_with("json") { r"@line\nffff" } else { "@line.ffff" };
        let [row] = rows[..] else { panic!("{listing}") };
        assert!(row.contains(path) && row.contains(pid), "{format}\n{row}");
        let fields = row.split(|char: char| !char.is_ascii_digit());
        let own = fields.filter(|field| *field == inode).count();
        assert_eq!(own, 1, "only the path contains the inode: {row}");
    }
}

/// The identifier of a container, and its short form.
const CONTAINER: (&str, &str) =
    ("4f1c3a5e7b9d0000000000000000000000000000000000000000000000000000", "4f1c3a5e7b9d");

/// Makes a tree with several namespaces. All its processes are in this control group.
fn in_group(group: &str) -> TempDir {
    let root = TempDir::new().unwrap();
    copy_tree(Path::new("fixtures/26-namespaces/proc"), root.path());
    let mut groups = 0;
    for entry in fs::read_dir(root.path().join("proc")).unwrap() {
        let file = entry.unwrap().path().join("cgroup");
        if file.exists() {
            fs::write(&file, format!("0::{group}\n")).unwrap();
            groups += 1;
        }
    }
    assert!(groups > 0);
    root
}

/// A user who may make control groups chooses the names of units and of lxc containers. A process
/// chooses its directory.
#[test]
fn names_of_control_groups_and_directories_are_harmless() {
    const MORE: [&str; 3] = [
        "table --columns unit,container,cgroup,cwd",
        "csv --group unit,container,cgroup,cwd",
        "openmetrics --group unit,container,cgroup,cwd,command",
    ];
    let (id, shown) = CONTAINER;
    for group in [
        format!("/{HARM}/docker-{id}{HARM}"),
        format!("/a{HARM}.service"),
        format!("/lxc.payload.a{HARM}"),
    ] {
        let root = in_group(&group);
        for entry in fs::read_dir(root.path().join("proc")).unwrap() {
            let process = entry.unwrap().path();
            if process.join("cgroup").exists() && !process.is_symlink() {
                symlink(format!("/srv/{HARM}"), process.join("cwd")).unwrap();
            }
        }
        for format in FORMATS.into_iter().chain(MORE) {
            let mut command = rnetstat(&format!("-an --netns all --format {format} --proc"));
            let listing = command.arg(root.path().join("proc")).run().stdout;
            assert!(!group.contains(id) || listing.contains(shown), "{format}\n{listing}");
            assert!(harm_in(&listing).is_none(), "{format}\n{listing:?}");
        }
    }
}

/// A user who may make control groups can give one the name of a container of another user.
#[test]
fn ambiguous_container_identifier_is_an_error() {
    let (id, shown) = CONTAINER;
    let root = in_group(&format!("/docker-{id}.scope"));
    for wanted in [shown, id] {
        let mut command = rnetstat(&format!("-tan --netns {wanted} --proc"));
        let message = command.arg(root.path().join("proc")).error();
        let start = format!("rnetstat: several network namespaces are called {wanted}: ");
        assert!(message.starts_with(&start), "{message}");
        assert!(message.contains("4026532201"), "{message}");
    }
}

#[test]
fn bad_lines_are_not_kept_in_memory() {
    const LINES: usize = 500_000;
    if !have(&["prlimit"]) {
        return;
    }
    let root = proc_tree(&[("net/tcp", &"x\n".repeat(LINES))]);
    let mut command = Command::new("prlimit");
    command.args(["--as=67108864", "--", RNETSTAT, "-tan", "--proc"]).arg(root.path());
    let found = command.run();
    assert_eq!((found.stderr.lines().count(), found.status), (LINES, Some(0)));
}

/// Without netlink, rnetstat cannot recognize a forged row. It must still list the real one.
#[test]
fn forged_unix_row_does_not_replace_a_real_row() {
    let row = |flags: &str, state: &str| {
        format!("0000000000000000: 00000003 00000000 {flags} 0001 {state} 4711 @victim\n")
    };
    let (forged, real) = (row("00000000", "03"), row("00010000", "01"));
    let root = proc_tree(&[("net/unix", &format!("{forged}{real}{real}"))]);
    let listing = rnetstat("-xan --no-header --proc").arg(root.path()).run().stdout;
    assert_eq!(listing.lines().count(), 2, "{listing}");
    assert!(listing.contains("[ ACC ]     STREAM     LISTENING     4711"), "{listing}");
}

/// Root can list a tree that another user made. Its links can point to files that only root may
/// read.
#[test]
fn links_in_a_tree_are_not_followed() {
    let (directory, program) = public_copy();
    let secret = directory.path().join("secret");
    fs::write(&secret, "root:$y$secret:1::\n").unwrap();
    let proc = directory.path().join("proc");
    fs::create_dir_all(proc.join("net")).unwrap();
    fs::create_dir_all(proc.join("7/fd")).unwrap();
    let table = fs::read_to_string("fixtures/01-lab/proc/net/udp").unwrap();
    fs::write(proc.join("net/udp"), &table).unwrap();
    let inode = table.lines().nth(1).unwrap().split_whitespace().nth(9).unwrap();
    symlink(format!("socket:[{inode}]"), proc.join("7/fd/3")).unwrap();
    for link in ["net/tcp", "7/cmdline", "7/status", "7/cgroup", "net/unix", "net/sockstat"] {
        symlink(&secret, proc.join(link)).unwrap();
    }
    for format in ["netstat", "json"] {
        let mut command = Command::new(&program);
        command.args(["-anpv", "--format", format, "--proc"]);
        let run = command.arg(&proc).succeed();
        let (listing, remarks) = (run.stdout, run.stderr);
        assert!(remarks.contains("net/tcp: this table is not complete: not a regular file"));
        assert!(remarks.contains("7/cmdline: "), "{remarks}");
        assert!(!listing.contains("secret:") && !remarks.contains("secret:"), "{listing}{remarks}");
    }
}

/// A valid row of a TCP table. `ADDRESS`, `PEER` and `INODE` are placeholders.
const TCP_ROW: &str = "   0: ADDRESS:1388 PEER:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 INODE 1 0000000000000000 100 0 0 10 0";
/// A valid row of a table of UDP, UDP-Lite or raw sockets.
const UDP_ROW: &str = "  10: ADDRESS:1388 PEER:0000 07 00000000:00000000 00:00000000 00000000  1000        0 INODE 2 0000000000000000 0";
/// A valid row of the table of SCTP servers.
const ENDPOINT_ROW: &str = "c233aab0 b4a6fa30 2   10  53   5000   1000 INODE 127.0.0.1 ";
/// A valid row of the table of SCTP associations.
const ASSOCIATION_ROW: &str = "54fef8b0 b4a6fa30 2   1   3  0       6        0        0    1000 INODE 5000  34031  127.0.0.1 <-> *127.0.0.2 \t    7500    10    10   10    0    0        0        1        0   212992   212992";
/// A valid row of the table of UNIX sockets.
const UNIX_ROW: &str = "0000000000000000: 00000002 00000000 00010000 0001 01 INODE /run/a";

#[test]
fn bad_lines_are_left_out_and_reported_in_every_table() {
    let root = TempDir::new().unwrap();
    let net = root.path().join("net");
    fs::create_dir_all(net.join("sctp")).unwrap();
    // A process without sockets, so that the owners are known.
    fs::create_dir_all(root.path().join("1/fd")).unwrap();
    let tables = "tcp tcp6 sctp/eps sctp/assocs udp udp6 udplite udplite6 raw raw6 unix";
    let mut expected = Vec::new();
    let mut good = 0;
    for table in tables.split(' ') {
        let row = match table {
            "tcp" | "tcp6" => TCP_ROW,
            "sctp/eps" => ENDPOINT_ROW,
            "sctp/assocs" => ASSOCIATION_ROW,
            "unix" => UNIX_ROW,
            _ => UDP_ROW,
        };
        let words = if table.ends_with('6') { 4 } else { 1 };
        let row = row.replace("ADDRESS", &"0100007F".repeat(words));
        let row = row.replace("PEER", &"00000000".repeat(words));
        let with = |inode: &str| row.replace("INODE", inode).into_bytes();
        let (begin, end) = row.split_at(row.len() / 2);
        let mut bad = vec![
            with("18446744073709551616"),
            with("-1"),
            with("47\0"),
            begin.as_bytes().to_vec(),
            end.as_bytes().to_vec(),
            // Half a row, and then a whole one.
            format!("{begin}{row}").into_bytes(),
            b"\0".repeat(300),
            b"1".repeat(1 << 20),
        ];
        if table != "unix" {
            for (from, to) in [
                (":1388", ":FFFFF"),
                (" 1000 ", " -2147483649 "),
                (" 0A ", " FF "),
                (" 5000 ", " 65536 "),
                (" 127.0.0.1 ", " 127.0.0 "),
                ("<->", "-"),
                (" 07 ", " FF "),
                ("00000000:00000000 00:", "00000000:00000000 "),
            ] {
                let line = row.replace(from, to).replace("INODE", "4711");
                bad.extend(row.contains(from).then(|| line.into_bytes()));
            }
        }
        let mut text = Vec::new();
        for (number, line) in (0..).zip(&bad) {
            good += 1;
            text.extend(with(&(100 * (good + 1)).to_string()));
            text.push(b'\n');
            text.extend(line);
            text.push(b'\n');
            expected.push(format!("/net/{table}:{}: this line is left out: ", 2 * number + 2));
        }
        fs::write(net.join(table), text).unwrap();
    }
    for format in ["jsonl", "netstat", "table"] {
        let mut command = rnetstat(&format!("-an --no-header --format {format} --proc"));
        let run = command.arg(root.path()).succeed();
        let (listing, remarks) = (run.stdout, run.stderr);
        assert_eq!(listing.lines().filter(|line| !line.is_empty()).count(), good, "{listing}");
        assert_eq!(remarks.lines().count(), expected.len(), "{remarks}");
        for (remark, expected) in remarks.lines().zip(&expected) {
            assert!(remark.contains(expected.as_str()), "{remark}\ndoes not contain {expected}");
            assert!(remark.len() < 300 && harm_in(remark).is_none(), "{remark:?}");
        }
    }
    say(&format!("{} bad lines among {good} rows were left out", expected.len()));
}
