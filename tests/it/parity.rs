//! The same output as the real netstat, byte for byte, on the same host.

use std::path::Path;
use std::process::Command;

use crate::common::host::Host;
use crate::common::run::{Run, RunCommand};
use crate::common::service::Service;
use crate::common::{difference, have, is_root, public_copy, say, skipped, words};

/// Flags that select protocols and families, in all their forms.
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

/// Returns the flags that select protocols and families on this kernel. Without UDP-Lite, as from
/// Linux 7 on, netstat stops at it, so only flags that leave it out can be compared.
fn sockets() -> Vec<&'static str> {
    let has_udplite = Path::new("/proc/net/udplite").exists();
    let leaves_out = |flags: &&str| {
        let letters = flags.strip_prefix('-').unwrap_or_default();
        let has_protocol = letters.contains(['t', 'u', 'w']);
        ["-x", "--unix"].contains(flags) || has_protocol && !letters.contains(['U', '-', ' '])
    };
    SOCKETS.into_iter().filter(|flags| has_udplite || leaves_out(flags)).collect()
}

/// Flags that select states and columns. All have `-n`.
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

/// Flags that select states and columns. None has `-n`.
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

/// Replaces the seconds of timers, as in `on (12.34/0/0)`, which differ from run to run.
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

/// Runs netstat, rnetstat and netstat again, with these flags and optionally as another user.
/// Repeats this until both outputs of netstat are equal: then the sockets have probably not
/// changed.
fn both(host: &Host, user: Option<u32>, rnetstat: &[&str], flags: &str) -> (Run, Run) {
    let run = |program: &[&str]| {
        let mut command = match user {
            Some(uid) => host.command_as(uid, program[0]),
            None => host.command(program[0]),
        };
        let run = command.args(&program[1..]).args(words(flags)).run();
        Run { stdout: without_seconds(&run.stdout), ..run }
    };
    for _ in 0..50 {
        let (before, found, after) = (run(&["netstat"]), run(rnetstat), run(&["netstat"]));
        if before == after {
            return (before, found);
        }
    }
    panic!("the sockets of the host change all the time");
}

/// Removes the remarks about tables that this kernel, or rnetstat, cannot list by netlink.
fn without_fallback(stderr: &str) -> String {
    let fallback = |line: &&str| {
        let reasons = ["No such ", "rnetstat reads these sockets only from the text"];
        line.starts_with("rnetstat: netlink ")
            && reasons.iter().any(|reason| line.contains(&format!(" is read instead: {reason}")))
    };
    stderr.split_inclusive('\n').filter(|line| !fallback(line)).collect()
}

/// Makes a host with sockets of every kind in every state, and with long names.
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
    let sockets = host.sockets_of_every_kind();
    Some((host, sockets))
}

/// Compares rnetstat with netstat (stdout and stderr) for all pairs of [`SOCKETS`] and these
/// columns, optionally as another user. Returns the number of pairs. `options` are for rnetstat
/// alone and select netlink. If there are any, what netlink does not give is left out of both
/// listings.
fn compare(host: &Host, user: Option<u32>, options: &[&str], columns: &[&str]) -> usize {
    let (_directory, program) = public_copy();
    let rnetstat = [&[program.to_str().unwrap()], options].concat();
    let mut failures = Vec::new();
    let (mut compared, mut long) = (0, 0);
    let pairs = sockets()
        .into_iter()
        .flat_map(|sockets| columns.iter().map(move |columns| (sockets, columns)));
    for (sockets, columns) in pairs {
        let flags = format!("{sockets} {columns}");
        let (mut expected, mut found) = both(host, user, &rnetstat, &flags);
        if !options.is_empty() {
            expected.stdout = as_netlink_tells_it(&expected.stdout);
            found.stdout = as_netlink_tells_it(&found.stdout);
            found.stderr = without_fallback(&found.stderr);
        }
        long += usize::from(expected.stdout.lines().count() > 2);
        let differences = [
            difference(&expected.stdout, &found.stdout),
            difference(&expected.stderr, &found.stderr),
        ];
        for difference in differences.into_iter().flatten() {
            failures.push(format!("{flags} {user:?}\n{difference}"));
        }
        compared += 1;
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(long * 10 > compared * 9, "only {long} of {compared} listings have any socket");
    compared
}

#[test]
fn output_equals_netstat() {
    let Some((host, _sockets)) = rich_host() else { return };
    let columns = [&IN_NUMBERS[..], &BY_NAME].concat();
    let compared = compare(&host, None, &[], &columns);
    say(&format!("{compared} listings compared with netstat"));
}

/// Removes from a listing what netlink does not give. UNIX sockets are sorted, because netlink
/// lists connections that wait to be accepted at other places. The listener `/mnt/full`, whose
/// queue is full, is removed, and so is the connection that waits for room in this queue: netlink
/// does not list that connection, and does not count its reference to the listener.
fn as_netlink_tells_it(text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let unix = lines.iter().position(|line| line.starts_with("unix ")).unwrap_or(lines.len());
    lines[unix..].sort_unstable();
    let full = |line: &str| line.contains(" LISTENING ") && line.ends_with("/mnt/full\n");
    lines.retain(|line| !line.contains(" UNKNOWN    DISCONNECTING 0 ") && !full(line));
    lines.concat()
}

#[test]
fn netlink_output_equals_netstat() {
    let Some((host, _sockets)) = rich_host() else { return };
    let mut columns = [&IN_NUMBERS[..], &BY_NAME].concat();
    columns.retain(|columns| !has_timers(columns));
    let compared = compare(&host, None, &["--source", "netlink"], &columns);
    say(&format!("{compared} listings by netlink compared with netstat"));
}

/// Returns true if the flags select timers, which rnetstat reads only from the text.
fn has_timers(columns: &str) -> bool {
    columns
        .split(' ')
        .any(|word| word == "--timers" || (word.contains('o') && !word.starts_with("--")))
}

#[test]
fn output_equals_netstat_as_plain_user() {
    if !is_root() {
        return skipped("not root: output_equals_netstat runs as a plain user");
    }
    let Some((host, _sockets)) = rich_host() else { return };
    // The user of some of the sockets.
    let user = Some(1000);
    let columns = ["-an", "-lp", "-anp", "-eanpo", "-nop"];
    let compared = compare(&host, user, &[], &columns);
    say(&format!("{compared} listings compared with netstat, as a plain user"));
}

#[test]
fn fixture_expectations_equal_netstat() {
    if !have(&["bash", "netstat", "unshare"]) {
        return;
    }
    let run = Command::new("tests/referee.sh").arg("check").run();
    if run.status == Some(3) {
        return skipped("no namespaces");
    }
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    say(run.stdout.trim_end());
}
