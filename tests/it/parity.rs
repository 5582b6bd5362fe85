//! The referee is the real netstat: both programs list one host, and print the same bytes.

use std::path::Path;
use std::process::Command;

use crate::common::host::{Host, Service};
use crate::common::{difference, have, is_root, public_copy, say, skipped, text};

/// Which sockets: protocols and families, in all the ways to say so.
const SOCKETS: [&str; 24] = [
    "",
    "-t",
    "-u",
    "-U",
    "-w",
    "-x",
    "-tu",
    "-tuwU",
    "-tx",
    "-xwu",
    "-4",
    "-6",
    "-46",
    "-4t",
    "-6u",
    "-46tw",
    "-4x",
    "--inet",
    "--inet6",
    "--unix",
    "-A inet",
    "-A inet6,unix",
    "--protocol=inet,inet6",
    "--tcp --udplite --raw",
];

/// What of them and how, in numbers.
const IN_NUMBERS: [&str; 12] = [
    "-n",
    "-an",
    "-ln",
    "-lan",
    "-anp",
    "-lnep",
    "-ane",
    "-nop",
    "-eanpo",
    "-naWoeep",
    "-nlW",
    "--all --numeric --extend --timers --programs --wide",
];

/// And by name.
const BY_NAME: [&str; 8] = [
    "-a",
    "-lp",
    "-ae",
    "-aWe",
    "-poeWa",
    "-ae --numeric-hosts",
    "-ae --numeric-ports",
    "-ae --numeric-users",
];

/// What every line of a listing may differ in: the seconds of a timer, which run.
fn without_seconds(text: &str) -> String {
    let mut masked = String::new();
    for line in text.split_inclusive('\n') {
        let open = line.rfind(" (").map(|place| place + 2);
        let seconds = open.and_then(|open| line[open..].find('/').map(|end| (open, open + end)));
        match seconds {
            Some((open, end)) if line[open..end].parse::<f64>().is_ok() => {
                masked += &line[..open];
                masked += "S.SS";
                masked += &line[end..];
            }
            _ => masked += line,
        }
    }
    masked
}

/// What a program prints on stdout and stderr.
type Printed = (String, String);

/// What netstat and rnetstat print, as this user, on a host that held still meanwhile: netstat
/// prints the same before and after.
fn both(host: &Host, user: &[&str], flags: &str, rnetstat: &[&str]) -> (Printed, Printed) {
    let run = |program: &[&str]| -> Printed {
        let flags = flags.split(' ').filter(|flag| !flag.is_empty());
        let words: Vec<&str> = [user, program].concat().into_iter().chain(flags).collect();
        let output = host.command(words[0]).args(&words[1..]).output().unwrap();
        (without_seconds(&text(output.stdout)), text(output.stderr))
    };
    for _ in 0..50 {
        let (before, found, after) = (run(&["netstat"]), run(rnetstat), run(&["netstat"]));
        if before == after {
            return (before, found);
        }
    }
    panic!("the host does not hold still");
}

/// What rnetstat says on stderr, but for which tables this kernel cannot list by netlink.
fn without_fallback(stderr: &str) -> String {
    let fallback = |line: &&str| {
        line.starts_with("rnetstat: sock_diag ") && line.contains(" is read in its place: No such ")
    };
    stderr.split_inclusive('\n').filter(|line| !fallback(line)).collect()
}

/// A host with sockets of every kind, in every state.
fn rich_host() -> Option<(Host, Service)> {
    let mut host = Host::new(&["netstat", "python3", "mount"])?;
    host.put_names(
        b"127.78.0.1 a.host.whose.name.is.long.example.org\n10.77.0.2 far\n2001:db8::1 six\n\
          127.0.1.1 b.host.whose.name.is.longer.than.that.example.org\nfe80::78 link\n0.0.0.0 any\n:: any\n",
        "",
    );
    host.put(
        "/etc/services",
        b"www 80/tcp\nhttp 80/tcp web\nUPPER 81/TCP\nhttps 443/tcp\nhttps 443/udp\na-service-with-a-long-name 8600/tcp\n\
          another-of-them 9100/udp\nbootpc 68/udp\necho 7/tcp\n\
          lite 5003/udp\nheavy 5003/tcp\n",
    );
    host.put(
        "/etc/passwd",
        b"root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n\
          a-user-with-a-name:x:1000:1000::/:/bin/sh\n",
    );
    let mounted = host.command("mount").args(["-t", "tmpfs", "none", "/mnt"]).status().unwrap();
    assert!(mounted.success());
    let users = if is_root() { "root" } else { "alone" };
    let mut sockets = host.start("python3", &["tests/programs/parity_host.py", "/mnt", users]);
    assert_eq!(sockets.line(), "ready");
    Some((host, sockets))
}

/// Compares the listings of these flag sets, and says how many. rnetstat has these options too.
fn compare<'a>(
    host: &Host,
    user: &[&str],
    options: &[&str],
    flags: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> usize {
    let (_directory, program) = public_copy();
    let rnetstat = [&[program.to_str().unwrap()], options].concat();
    let mut failures = Vec::new();
    let mut compared = 0;
    let mut long = 0;
    for (sockets, columns) in flags {
        let flags = format!("{sockets} {columns}");
        let (expected, found) = both(host, user, &flags, &rnetstat);
        let (expected, found) = if options.is_empty() {
            (expected, found)
        } else {
            (
                (as_netlink_tells_it(&expected.0), expected.1),
                (as_netlink_tells_it(&found.0), without_fallback(&found.1)),
            )
        };
        long += usize::from(expected.0.lines().count() > 2);
        for (expected, found) in [(expected.0, found.0), (expected.1, found.1)] {
            if let Some(difference) = difference(&expected, &found) {
                failures.push(format!("{flags} {user:?}\n{difference}"));
            }
        }
        compared += 1;
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(long * 10 > compared * 9, "only {long} of {compared} listings have any socket");
    compared
}

#[test]
fn both_list_a_rich_host_the_same() {
    let Some((host, _sockets)) = rich_host() else { return };
    let columns = IN_NUMBERS.iter().chain(&BY_NAME);
    let flags = SOCKETS.iter().flat_map(|sockets| columns.clone().map(move |it| (*sockets, *it)));
    let compared = compare(&host, &[], &[], flags);
    say(&format!("{compared} listings compared with netstat"));
}

/// A listing as far as netlink can tell it. Its UNIX connections that wait to be accepted have no
/// place of their own, so that all UNIX sockets are put in order of their rows; of those for
/// which there is no room yet it does not tell, nor that they refer to their listener.
fn as_netlink_tells_it(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let unix = lines.iter().position(|line| line.starts_with("unix ")).unwrap_or(lines.len());
    lines[unix..].sort_unstable();
    let full = |line: &str| line.contains(" LISTENING ") && line.ends_with("/mnt/full\n");
    lines.retain(|line| !line.contains(" UNKNOWN    DISCONNECTING 0 ") && !full(line));
    lines.concat()
}

/// The kernel's binary interface gives what its text does.
#[test]
fn netlink_lists_a_rich_host_the_same() {
    let Some((host, _sockets)) = rich_host() else { return };
    let columns = IN_NUMBERS.iter().chain(&BY_NAME).filter(|columns| !has_timers(columns));
    let flags = SOCKETS.iter().flat_map(|sockets| columns.clone().map(move |it| (*sockets, *it)));
    let compared = compare(&host, &[], &["--source", "netlink"], flags);
    say(&format!("{compared} listings by netlink compared with netstat"));
}

/// Timers are told by the text alone.
fn has_timers(columns: &str) -> bool {
    columns
        .split(' ')
        .any(|word| word == "--timers" || (word.contains('o') && !word.starts_with("--")))
}

#[test]
fn both_list_a_rich_host_the_same_to_a_plain_user() {
    if !is_root() {
        return skipped("not root, so the other test is this one");
    }
    let Some((host, _sockets)) = rich_host() else { return };
    let user = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"];
    let columns = ["-an", "-lp", "-anp", "-eanpo", "-nop"];
    let flags = SOCKETS.iter().flat_map(|sockets| columns.map(|columns| (*sockets, columns)));
    let compared = compare(&host, &user, &[], flags);
    say(&format!("{compared} listings compared with netstat, as a plain user"));
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
