//! When a table is read as text, by netlink, or both.

use std::collections::HashSet;
use std::fmt::Write;

use crate::common::host::Host;
use crate::common::run::{Run, RunCommand, rnetstat};
use crate::common::service::Service;
use crate::common::{difference, needs_root, public_copy};

/// Makes a host with this many UDP sockets.
fn host(sockets: &str) -> Option<(Host, Service)> {
    let host = Host::new(&["python3", "strace"])?;
    let many = host.udp_sockets(sockets);
    Some((host, many))
}

/// Runs rnetstat with this failure injected by strace. Returns also the trace of the calls that
/// open files and sockets, and that receive answers.
fn traced(host: &Host, flags: &str, inject: Option<&str>) -> (Run, String) {
    let inject = inject.map_or(String::new(), |inject| format!("-e inject={inject}"));
    host.strace(&format!("-e trace=socket,openat,recvfrom {inject}"), flags)
}

/// The injected failure that refuses all sockets.
const REFUSED: Option<&str> = Some("socket:error=EPERM");

/// Text that takes more than one read can miss sockets, so netlink adds them.
#[test]
fn few_sockets_are_read_as_text_and_many_by_netlink() {
    let (text, both, netlink) = ((true, false), (true, true), (false, true));
    for (sockets, flags, read) in [
        ("10", "-uan", text),
        ("100", "-uan", both),
        ("1100", "-uan", netlink),
        ("1100", "-tan", netlink),
        ("1100", "-uano", netlink),
        ("100", "-uano", both),
        ("10", "-uan --format json", netlink),
        ("1100", "-uan --source text", text),
        ("1100", "-uan --proc /proc", text),
        ("1", "-uan --source netlink", netlink),
    ] {
        let Some((host, _many)) = host(sockets) else { return };
        let (run, calls) = traced(&host, flags, None);
        assert_eq!((run.stderr.as_str(), run.status), ("", Some(0)));
        let rows = run.stdout.lines().filter(|line| line.starts_with("udp ")).count();
        let json = run.stdout.matches(r#""udp""#).count();
        let expected = if flags == "-tan" { "0" } else { sockets };
        assert_eq!((rows + json).to_string(), expected, "{sockets} {flags}");
        let by_text = ["/net/udp\"", "/net/tcp\""].iter().any(|table| calls.contains(table));
        assert_eq!((by_text, calls.contains("AF_NETLINK")), read, "{sockets} {flags}\n{calls}");
    }
}

/// To read an empty table of TCP takes 2 ms.
#[test]
fn table_of_tcp_without_sockets_is_not_read_if_the_other_one_has_some() {
    const LISTEN: &str = "\
        import socket, sys\n\
        family = lambda it: socket.AF_INET6 if ':' in it else socket.AF_INET\n\
        servers = [socket.create_server((it, 5000), family=family(it)) for it in sys.argv[1:]]\n\
        print('ready', flush=True)\n\
        sys.stdin.read()";
    for (addresses, read) in [
        (&["127.0.0.1"][..], [true, false]),
        (&["::1"], [false, true]),
        (&["127.0.0.1", "::1"], [true, true]),
        // netlink confirms it.
        (&[], [false, false]),
    ] {
        let Some(host) = Host::new(&["python3", "strace"]) else { return };
        let mut server = host.start("python3", &[&["-c", LISTEN][..], addresses].concat());
        assert_eq!(server.line(), "ready");
        let (run, calls) = traced(&host, "-tan", None);
        assert_eq!((run.stderr.as_str(), run.status), ("", Some(0)));
        assert_eq!(run.stdout.matches("LISTEN").count(), addresses.len(), "{}", run.stdout);
        let found = ["/net/tcp\"", "/net/tcp6\""].map(|table| calls.contains(table));
        assert_eq!(found, read, "{addresses:?}\n{calls}");
    }
}

#[test]
fn text_is_read_if_netlink_is_refused() {
    let Some((host, _many)) = host("1100") else { return };
    let expected = traced(&host, "-uan --source text", None).0.stdout;
    let (found, _) = traced(&host, "-uan", REFUSED);
    assert_eq!(difference(&expected, &found.stdout), None);
    assert_eq!((found.stderr.as_str(), found.status), ("", Some(0)));

    let (found, _) = traced(&host, "-uanv", REFUSED);
    assert_eq!(difference(&expected, &found.stdout), None);
    assert_eq!(
        found.stderr,
        "rnetstat: netlink udp: the text of /proc/net is read instead: Operation not \
         permitted (os error 1)\n"
    );

    let (found, _) = traced(&host, "-uan --source netlink", REFUSED);
    let message = "rnetstat: no socket table can be read: netlink udp: Operation not permitted \
                   (os error 1) (--source text reads the text of /proc/net)\n";
    assert_eq!(found, Run::failure(message, 2));
}

#[test]
fn text_is_read_if_netlink_answers_are_incomplete() {
    let Some((host, _many)) = host("1100") else { return };
    let expected = traced(&host, "-uan --source text", None).0.stdout;
    for inject in ["recvfrom:retval=0", "recvfrom:error=ENOBUFS:when=3", "recvfrom:error=EAGAIN"] {
        let (found, calls) = traced(&host, "-uan", Some(inject));
        assert_eq!(difference(&expected, &found.stdout), None, "{inject}");
        assert_eq!((found.stderr.as_str(), found.status), ("", Some(0)), "{inject}");
        assert!(calls.contains("(INJECTED)") && calls.contains("/net/udp\""), "{inject}\n{calls}");
    }
}

#[test]
fn text_is_read_if_a_netlink_message_is_malformed() {
    let Some((host, _many)) = host("1100") else { return };
    let (expected, calls) = traced(&host, "-uan --source netlink", None);
    let (_, length) = calls.split_once("nlmsg_len=").expect(&calls);
    let length: u32 = length.split_once(',').unwrap().0.parse().unwrap();
    // The first message keeps its header, but its socket gets the state 255.
    let header = [&length.to_ne_bytes()[..], &20_u16.to_ne_bytes(), &2_u16.to_ne_bytes()];
    let rest = [&1_u32.to_ne_bytes()[..], &0_u32.to_ne_bytes(), &[2, 255]];
    let bytes = [header.concat(), rest.concat()].concat();
    let mut inject = "recvfrom:poke_exit=@arg2=".to_owned();
    for byte in bytes {
        write!(inject, "{byte:02x}").unwrap();
    }
    inject += ":when=1";

    let message = "its state is malformed: \"255\"\n";
    let (found, _) = traced(&host, "-uanv", Some(&inject));
    assert_eq!(found.stdout.lines().count(), expected.stdout.lines().count());
    let start = "rnetstat: netlink udp: the text of /proc/net is read instead: ";
    assert!(found.stderr.starts_with(start) && found.stderr.ends_with(message), "{}", found.stderr);
    // Few sockets come in one message, so that none is read again.
    let Some((host, _few)) = self::host("10") else { return };
    let (found, _) = traced(&host, "-uan --source netlink", Some(&inject));
    assert_eq!(found.stdout.matches("udp ").count(), 9, "{}", found.stdout);
    let start = "rnetstat: netlink udp:1: this message is left out: ";
    assert_eq!(found.stderr, format!("{start}{message}"));
}

/// The netlink socket of rnetstat has a visible owner, rnetstat itself. The remark must still say
/// that no owner is visible.
#[test]
fn owner_of_the_own_netlink_socket_does_not_count_as_visible() {
    if !needs_root() {
        return;
    }
    let Some((host, _many)) = host("1100") else { return };
    let _sleepers = host.sleepers(60);
    let (_directory, copy) = public_copy();
    for _ in 0..20 {
        let remark = host.rnetstat_as_nobody(&copy, "-uanp").run().stderr;
        assert!(remark.starts_with("(No info could be read for \"-p\": geteuid()="), "{remark}");
    }
}

#[test]
fn source_netlink_is_refused_with_proc_dir() {
    let message = rnetstat("-tan --source netlink --proc fixtures/01-lab/proc").error();
    let reason = "--source netlink reads only this host and not --proc DIR: use --source text";
    assert_eq!(message, format!("rnetstat: {reason}\n"));
}

/// If sockets go away, the kernel skips others after the end of a piece. The next reading must not skip
/// the same ones.
#[test]
fn pieces_of_each_reading_by_netlink_end_at_other_sockets() {
    let Some(host) = Host::new(&["python3", "strace"]) else { return };
    let mut program = host.python("chain.py", &["udp", "1500"]);
    while program.line() != "ready" {}
    let (_, calls) = traced(&host, "-uan --source netlink", None);
    let (mut readings, mut places) = (0, HashSet::new());
    for reading in calls.split("socket(AF_NETLINK").skip(1) {
        let sizes = reading.lines().filter(|line| line.contains("recvfrom("));
        let sizes = sizes.filter_map(|line| line.rsplit_once("= ")?.1.trim().parse::<usize>().ok());
        // Not the acknowledgement before the first piece, and the end of the dump.
        let sizes: Vec<_> = sizes.filter(|&size| size > 100).collect();
        let Some((_, before_last)) = sizes.split_last().filter(|(_, it)| it.len() > 2) else {
            continue;
        };
        let ends = before_last.iter().scan(0, |end, size| {
            *end += size;
            Some(*end)
        });
        for end in ends {
            assert!(places.insert(end), "two pieces end after {end} bytes\n{calls}");
        }
        readings += 1;
    }
    assert!(readings >= 2, "only {readings} readings\n{calls}");
}
