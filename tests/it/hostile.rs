//! Whatever other processes call themselves and their sockets, it cannot drive a terminal, nor
//! make rows of its own.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::host::{Host, Service};
use crate::common::{RNETSTAT, is_root, public_copy, run, say, skipped, text};
use nix::pty::{Winsize, openpty};
use tempfile::TempDir;

/// Escape sequences, a control character of eight bits, and characters that change direction or
/// are invisible.
const HARM: &str = "\x1b[31m\x07\u{9b}2J\u{202e}\u{2066}\u{200b}";

/// What each name begins with, before the harm.
const NAMES: [&str; 7] = ["program", "argument", "path", "host", "service", "user", "netns"];

/// How a listing looks, and what is behind the beginning of a name there.
const LAYOUTS: [(&str, &str, Shown); 5] = [
    ("netstat", ".[31m", Shown::Title),
    ("table", ".[31m", Shown::All),
    ("json", r"\u001b[31m", Shown::All),
    ("jsonl", r"\u001b[31m", Shown::All),
    ("csv", ".[31m", Shown::All),
];

/// Which names a layout has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Of the command line the program alone.
    Title,
    All,
}

/// The host, with the inode of a UDP socket on it and the PID that holds it.
fn host() -> Option<(Host, Service, String)> {
    let mut host = Host::new(&["python3", "mount", "touch"])?;
    host.put_names(format!("10.99.0.1 host{HARM}\n").as_bytes(), "");
    host.put("/etc/services", format!("service{HARM} 9/udp\n").as_bytes());
    host.put("/etc/passwd", format!("user{HARM}:x:0:0::/:/bin/sh\n").as_bytes());
    let prepare = "ip route add local 10.99.0.0/16 dev lo
        mkdir -p /run/netns && mount -t tmpfs none /run/netns
        touch \"/run/netns/netns$0\" \"/run/netns/empty$0\"
        mount --bind /proc/self/ns/net \"/run/netns/netns$0\"";
    assert!(host.command("sh").args(["-ec", prepare, HARM]).status().unwrap().success());
    let mut hostile = host.start("python3", &["tests/programs/hostile.py", HARM]);
    let line = hostile.line();
    Some((host, hostile, line))
}

/// The first character that no terminal should be given.
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

/// Each name in each layout, from both of the kernel's interfaces, by root and by a plain user.
#[test]
fn no_name_drives_a_terminal_in_any_layout() {
    if !is_root() {
        return skipped("not root");
    }
    let Some((host, _hostile, _)) = host() else { return };
    let mut checked = 0;
    for source in ["auto", "proc", "netlink"] {
        for (format, behind, shown) in LAYOUTS {
            // netlink is not for other namespaces.
            let netns: &[&str] = if source == "auto" { &["--netns", "all"] } else { &[] };
            let mut command = host.command(RNETSTAT);
            command.args(["-uxaeWpv", "--format", format, "--source", source]).args(netns);
            let output = command.output().unwrap();
            let (listing, remarks) = (text(output.stdout), text(output.stderr));
            assert_eq!(output.status.code(), Some(0), "{remarks}");
            assert_eq!(harm_in(&listing), None, "{format} {source}\n{listing:?}");
            assert_eq!(harm_in(&remarks), None, "{format} {source}\n{remarks:?}");
            for name in NAMES {
                let is_left_out = name == "argument" && shown == Shown::Title
                    || name == "netns" && netns.is_empty();
                let is_there = listing.contains(&format!("{name}{behind}"));
                assert_eq!(is_there, !is_left_out, "{name}: {format} {source}\n{listing}");
                checked += usize::from(is_there);
            }
            if !netns.is_empty() {
                assert!(remarks.contains("empty.[31m"), "{remarks}");
            }
        }
    }
    say(&format!("{checked} names that mean harm were shown, and none does any"));
}

#[test]
fn no_name_drives_the_terminal_of_a_live_view() {
    let Some((host, _hostile, _)) = host() else { return };
    let size = Winsize { ws_row: 24, ws_col: 250, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = openpty(&size, None).unwrap();
    let mut command = host.command(RNETSTAT);
    command.args(["-uxac", "--count", "3", "--interval", "0.2", "--format", "table"]);
    command.args(["--netns", "all", "--color", "always"]).env("TERM", "xterm");
    let input = terminal.slave.try_clone().unwrap();
    let mut child =
        command.stdin(input).stdout(terminal.slave).stderr(Stdio::piped()).spawn().unwrap();
    // The command has copies of the terminal's other end, which would keep it open.
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut shown = Vec::new();
    // Linux has an error for the end of a terminal.
    let _ = fs::File::from(terminal.master).read_to_end(&mut shown).unwrap_err();
    assert!(child.wait().unwrap().success());
    let mut view = text(shown).replace("\r\n", "\n");
    // What the view itself says to the terminal: screen, cursor, wrap, place, and looks.
    for own in [
        "\x1b[?1049h",
        "\x1b[?1049l",
        "\x1b[?25l",
        "\x1b[?25h",
        "\x1b[?7l",
        "\x1b[?7h",
        "\x1b[H",
        "\x1b[K",
        "\x1b[J",
        "\x1b[24;1H",
        "\x1b[m",
        "\x1b[0m",
        "\x1b[1m",
        "\x1b[2m",
        "\x1b[7m",
        "\x1b[9m",
        "\x1b[32m",
        "\x1b[33m",
    ] {
        view = view.replace(own, "");
    }
    assert_eq!(harm_in(&view), None, "{view:?}");
    for name in NAMES {
        assert!(view.contains(&format!("{name}.[31m")), "{name} is missing from\n{view}");
    }
}

/// A newline in the name of a UNIX socket makes rows in the kernel's text, and none in ours.
#[test]
fn no_name_makes_a_row() {
    let Some((host, _hostile, line)) = host() else { return };
    let (inode, pid) = line.split_once(' ').unwrap();
    let raw = text(host.command("cat").arg("/proc/net/unix").output().unwrap().stdout);
    assert!(raw.contains("\nffff888000000000: "), "{raw}");
    for format in ["netstat", "table", "json", "jsonl", "csv"] {
        let mut command = host.command(RNETSTAT);
        command.args(["-xanp", "--program", "program", "--format", format]);
        let output = command.output().unwrap();
        let (listing, remarks) = (text(output.stdout), text(output.stderr));
        assert_eq!((remarks.as_str(), output.status.code()), ("", Some(0)));
        assert_eq!(listing.matches("/run/forged").count(), 1, "{format}\n{listing}");
        let rows: Vec<_> = listing.lines().filter(|row| row.contains("/run/forged")).collect();
        let path = if format.starts_with("json") { r"@line\nffff" } else { "@line.ffff" };
        let [row] = rows[..] else { panic!("{listing}") };
        assert!(row.contains(path) && row.contains(pid), "{format}\n{row}");
        let fields = row.split(|char: char| !char.is_ascii_digit());
        let own = fields.filter(|field| *field == inode).count();
        assert_eq!(own, 1, "the inode is in the path alone: {row}");
    }
}

/// The identifier of a container, whole and as it is shown.
const CONTAINER: (&str, &str) =
    ("4f1c3a5e7b9d0000000000000000000000000000000000000000000000000000", "4f1c3a5e7b9d");

/// A tree with several namespaces, whose processes are all in this control group.
fn in_group(group: &str) -> TempDir {
    let root = TempDir::new().unwrap();
    crate::common::copy_tree(Path::new("fixtures/26-namespaces/proc"), root.path());
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

/// Of a control group nothing is shown but the digits of a container's identifier.
#[test]
fn a_control_group_drives_no_terminal() {
    let (id, shown) = CONTAINER;
    let root = in_group(&format!("/{HARM}/docker-{id}{HARM}"));
    for format in ["netstat", "table", "json", "jsonl", "csv"] {
        let mut command = Command::new(RNETSTAT);
        command.args(["-an", "--netns", "all", "--format", format, "--proc"]);
        let listing = text(command.arg(root.path().join("proc")).output().unwrap().stdout);
        assert!(listing.contains(shown), "{format}\n{listing}");
        assert!(harm_in(&listing).is_none() && !listing.contains("[31m"), "{format}\n{listing:?}");
    }
}

/// Whoever may make control groups can call one like another's container.
#[test]
fn a_container_that_is_called_like_another_does_not_take_its_place() {
    let (id, shown) = CONTAINER;
    let root = in_group(&format!("/docker-{id}.scope"));
    for wanted in [shown, id] {
        let mut command = Command::new(RNETSTAT);
        command.args(["-tan", "--netns", wanted, "--proc"]).arg(root.path().join("proc"));
        let found = run(&mut command);
        assert_eq!((found.stdout.as_str(), found.status), ("", Some(2)), "{found:?}");
        let start = format!("rnetstat: several network namespaces are called {wanted}: ");
        assert!(found.stderr.starts_with(&start), "{found:?}");
        assert!(found.stderr.contains("4026532201"), "{found:?}");
    }
}

/// However many lines are no rows, none is kept.
#[test]
fn lines_that_are_no_rows_cost_no_memory() {
    const LINES: usize = 500_000;
    if !crate::common::have(&["prlimit"]) {
        return;
    }
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("net")).unwrap();
    fs::write(root.path().join("net/tcp"), "x\n".repeat(LINES)).unwrap();
    let mut command = Command::new("prlimit");
    command.args(["--as=67108864", "--", RNETSTAT, "-tan", "--proc"]).arg(root.path());
    let found = run(&mut command);
    assert_eq!((found.stderr.lines().count(), found.status), (LINES, Some(0)));
}

/// Where netlink is not asked, a row that somebody made up takes no other's place.
#[test]
fn a_row_that_is_made_up_takes_no_place() {
    let root = TempDir::new().unwrap();
    let net = root.path().join("net");
    fs::create_dir(&net).unwrap();
    let row = |flags: &str, state: &str, path: &str| {
        format!("0000000000000000: 00000003 00000000 {flags} 0001 {state} 4711 {path}\n")
    };
    let forged = row("00000000", "03", "@victim");
    let real = row("00010000", "01", "@victim");
    fs::write(net.join("unix"), format!("{forged}{real}{real}")).unwrap();
    let mut command = Command::new(RNETSTAT);
    let output = command.args(["-xan", "--no-header", "--proc"]).arg(root.path()).output().unwrap();
    let listing = text(output.stdout);
    assert_eq!(listing.lines().count(), 2, "{listing}");
    assert!(listing.contains("[ ACC ]     STREAM     LISTENING     4711"), "{listing}");
}

/// What a plain user puts in a tree for root to look at is not read through its links.
#[test]
fn a_tree_does_not_show_what_its_links_lead_to() {
    let (directory, program) = public_copy();
    let secret = directory.path().join("secret");
    fs::write(&secret, "root:$y$secret:1::\n").unwrap();
    let proc = directory.path().join("proc");
    fs::create_dir_all(proc.join("net")).unwrap();
    fs::create_dir_all(proc.join("7/fd")).unwrap();
    let row = fs::read_to_string("fixtures/01-lab/proc/net/udp").unwrap();
    fs::write(proc.join("net/udp"), &row).unwrap();
    let inode = row.lines().nth(1).unwrap().split_whitespace().nth(9).unwrap();
    std::os::unix::fs::symlink(format!("socket:[{inode}]"), proc.join("7/fd/3")).unwrap();
    for link in ["net/tcp", "7/cmdline", "7/status", "7/cgroup", "net/unix", "net/sockstat"] {
        std::os::unix::fs::symlink(&secret, proc.join(link)).unwrap();
    }
    for format in ["netstat", "json"] {
        let mut command = Command::new(&program);
        command.args(["-anpv", "--format", format, "--proc"]).arg(&proc);
        let output = command.output().unwrap();
        let (listing, remarks) = (text(output.stdout), text(output.stderr));
        assert_eq!(output.status.code(), Some(0), "{remarks}");
        assert!(remarks.contains("net/tcp: this table is not complete: not a regular file"));
        assert!(remarks.contains("7/cmdline: "), "{remarks}");
        assert!(!listing.contains("secret:") && !remarks.contains("secret:"), "{listing}{remarks}");
    }
}

/// A good row of each kind of table, whose inode is INODE.
const TCP_ROW: &str = "   0: ADDRESS:1388 PEER:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 INODE 1 0000000000000000 100 0 0 10 0";
const UDP_ROW: &str = "  10: ADDRESS:1388 PEER:0000 07 00000000:00000000 00:00000000 00000000  1000        0 INODE 2 0000000000000000 0";
const UNIX_ROW: &str = "0000000000000000: 00000002 00000000 00010000 0001 01 INODE /run/a";

/// Lines that are no rows, between good ones, in every table: each costs itself, and is named.
#[test]
fn a_line_that_is_no_row_costs_itself_in_every_table() {
    let root = TempDir::new().unwrap();
    let net = root.path().join("net");
    fs::create_dir(&net).unwrap();
    let tables = ["tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "unix"];
    let mut expected = Vec::new();
    let mut good = 0;
    for table in tables {
        let row = if table == "unix" {
            UNIX_ROW.to_owned()
        } else {
            let row = if table.starts_with("tcp") { TCP_ROW } else { UDP_ROW };
            let words = if table.ends_with('6') { 4 } else { 1 };
            row.replace("ADDRESS", &"0100007F".repeat(words))
                .replace("PEER", &"00000000".repeat(words))
        };
        let with = |inode: &str| row.replace("INODE", inode).into_bytes();
        let (begin, end) = row.split_at(row.len() / 2);
        let mut bad = vec![
            with("18446744073709551616"),
            with("-1"),
            with("47\0"),
            begin.as_bytes().to_vec(),
            end.as_bytes().to_vec(),
            // Two writers at once.
            format!("{begin}{row}").into_bytes(),
            b"\0".repeat(300),
            b"1".repeat(1 << 20),
            Vec::new(),
        ];
        if table != "unix" {
            for (from, to) in [
                (":1388", ":FFFFF"),
                (" 1000 ", " -1 "),
                (" 0A ", " FF "),
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
        let mut command = Command::new(RNETSTAT);
        command.args(["-an", "--no-header", "--format", format, "--proc"]).arg(root.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let (listing, remarks) = (text(output.stdout), text(output.stderr));
        assert_eq!(listing.lines().filter(|line| !line.is_empty()).count(), good, "{listing}");
        assert_eq!(remarks.lines().count(), expected.len(), "{remarks}");
        for (remark, expected) in remarks.lines().zip(&expected) {
            assert!(remark.contains(expected.as_str()), "{remark}\nis not about {expected}");
            assert!(remark.len() < 300 && harm_in(remark).is_none(), "{remark:?}");
        }
    }
    say(&format!(
        "{} lines that are no rows cost themselves, beside {good} that are",
        expected.len()
    ));
}
