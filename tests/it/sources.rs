//! Which of the kernel's interfaces the tables come from, live.

use std::fs;
use std::process::Command;

use crate::common::host::{Host, Service};
use crate::common::{NOBODY, RNETSTAT, difference, is_root, public_copy, rnetstat, skipped, text};
use tempfile::NamedTempFile;

/// A host with this many UDP sockets.
fn host(sockets: &str) -> Option<(Host, Service)> {
    let host = Host::new(&["python3", "strace"])?;
    let mut many = host.start("python3", &["tests/programs/many.py", sockets]);
    assert_eq!(many.line(), "ready");
    Some((host, many))
}

/// What rnetstat prints on the host, its status, and the system calls of these sorts that it
/// made on the way. What is to be injected of them is said as to strace.
fn traced(
    host: &Host,
    flags: &[&str],
    inject: Option<&str>,
) -> (String, String, Option<i32>, String) {
    let log = NamedTempFile::new().unwrap();
    let mut command: Command = host.command("strace");
    command.args(["-f", "-e", "trace=socket,openat,recvfrom", "-o"]).arg(log.path());
    if let Some(inject) = inject {
        command.args(["-e", &format!("inject={inject}")]);
    }
    let output = command.arg(RNETSTAT).args(flags).output().unwrap();
    let calls = fs::read_to_string(log.path()).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code(), calls)
}

/// No socket is to be had.
const REFUSED: Option<&str> = Some("socket:error=EPERM");

/// What does not come from the kernel at once can miss sockets, so that netlink completes it.
#[test]
fn few_sockets_are_read_as_text_and_many_by_netlink() {
    let (text, both, netlink) = ((true, false), (true, true), (false, true));
    for (sockets, flags, read) in [
        ("10", &["-uan"][..], text),
        ("100", &["-uan"], both),
        ("1100", &["-uan"], netlink),
        ("1100", &["-tan"], text),
        ("1100", &["-uano"], both),
        ("1100", &["-uan", "--format", "json"], both),
        ("1100", &["-uan", "--source", "proc"], text),
        ("1100", &["-uan", "--proc", "/proc"], text),
        ("1", &["-uan", "--source", "netlink"], netlink),
    ] {
        let Some((host, _many)) = host(sockets) else { return };
        let (stdout, stderr, status, calls) = traced(&host, flags, None);
        assert_eq!((stderr.as_str(), status), ("", Some(0)));
        let rows = stdout.lines().filter(|line| line.starts_with("udp ")).count();
        let json = stdout.matches(r#""udp""#).count();
        let expected = if flags == ["-tan"] { "0" } else { sockets };
        assert_eq!((rows + json).to_string(), expected, "{sockets} {flags:?}");
        let by_text = ["/net/udp\"", "/net/tcp\""].iter().any(|table| calls.contains(table));
        assert_eq!((by_text, calls.contains("AF_NETLINK")), read, "{sockets} {flags:?}\n{calls}");
    }
}

#[test]
fn where_netlink_is_refused_the_text_is_read() {
    let Some((host, _many)) = host("1100") else { return };
    let (expected, ..) = traced(&host, &["-uan", "--source", "proc"], None);
    let (stdout, stderr, status, _) = traced(&host, &["-uan"], REFUSED);
    assert_eq!(difference(&expected, &stdout), None);
    assert_eq!((stderr.as_str(), status), ("", Some(0)));

    let (stdout, stderr, ..) = traced(&host, &["-uanv"], REFUSED);
    assert_eq!(difference(&expected, &stdout), None);
    assert_eq!(
        stderr,
        "rnetstat: sock_diag udp: the text of /proc/net is read in its place: Operation not \
         permitted (os error 1)\n"
    );

    let (stdout, stderr, status, _) = traced(&host, &["-uan", "--source", "netlink"], REFUSED);
    assert_eq!((stdout.as_str(), status), ("", Some(2)));
    assert_eq!(
        stderr,
        "rnetstat: no socket table can be read: sock_diag udp: Operation not permitted (os error \
         1) (--source proc reads the text of /proc/net)\n"
    );
}

#[test]
fn answers_that_break_off_or_say_nothing_are_not_waited_for() {
    let Some((host, _many)) = host("1100") else { return };
    let (expected, ..) = traced(&host, &["-uan", "--source", "proc"], None);
    for inject in ["recvfrom:retval=0", "recvfrom:error=ENOBUFS:when=3", "recvfrom:error=EAGAIN"] {
        let (stdout, stderr, status, calls) = traced(&host, &["-uan"], Some(inject));
        assert_eq!(difference(&expected, &stdout), None, "{inject}");
        assert_eq!((stderr.as_str(), status), ("", Some(0)), "{inject}");
        assert!(calls.contains("(INJECTED)") && calls.contains("/net/udp\""), "{inject}\n{calls}");
    }
}

/// The netlink socket of rnetstat's own is nothing that it has found out about others.
#[test]
fn who_sees_nothing_is_told_so_by_netlink_too() {
    if !is_root() {
        return skipped("not root");
    }
    let Some((host, _many)) = host("1100") else { return };
    let sleeps = "for i in $(seq 60); do sleep 1000 & done; echo ready; exec cat";
    let mut sleepers = host.start("sh", &["-c", sleeps]);
    assert_eq!(sleepers.line(), "ready");
    let (_directory, rnetstat) = public_copy();
    for _ in 0..20 {
        let mut command = host.command("setpriv");
        command
            .args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"])
            .arg(&rnetstat)
            .arg("-uanp");
        let stderr = text(command.output().unwrap().stderr);
        assert!(stderr.starts_with("(No info could be read for \"-p\": geteuid()="), "{stderr}");
    }
}

#[test]
fn netlink_is_not_for_what_it_does_not_know() {
    for (flags, what) in [(&["-o"][..], "timers"), (&["--proc", "fixtures/01-lab/proc"], "--proc")]
    {
        let output = rnetstat(&[&["-tan", "--source", "netlink"], flags].concat());
        assert_eq!((output.status.code(), text(output.stdout)), (Some(2), String::new()));
        let stderr = text(output.stderr);
        assert!(stderr.contains(what) && stderr.ends_with(": use --source proc\n"), "{stderr}");
        assert_eq!(stderr.lines().count(), 1);
    }
}
