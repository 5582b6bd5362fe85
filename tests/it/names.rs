//! Names, live: a resolver that is slow, that never answers, that means harm.

use std::time::{Duration, Instant};

use crate::common::host::{Host, Service};
use crate::common::{RNETSTAT, say, text};

/// A host with this many peers, whose names come from a resolver with this pause.
fn host_with_peers(count: u8, pause: &str) -> Option<(Host, [Service; 2])> {
    let mut host = Host::new(&["python3", "mount"])?;
    host.put_names(b"", "dns");
    host.put("/etc/resolv.conf", b"nameserver 127.0.0.1\n");
    host.put("/etc/services", b"");
    let route = ["route", "add", "local", "10.99.0.0/16", "dev", "lo"];
    assert!(host.command("ip").args(route).status().unwrap().success());
    let mut resolver = host.start("python3", &["tests/programs/slow_resolver.py", pause]);
    assert_eq!(resolver.line(), "ready");
    let mut peers = host.start("python3", &["tests/programs/peers.py", &count.to_string()]);
    assert_eq!(peers.line(), "ready");
    Some((host, [resolver, peers]))
}

/// The foreign addresses of a listing, the remarks, and how long it took.
fn peers(host: &Host, flags: &[&str]) -> (Vec<String>, String, Duration) {
    let start = Instant::now();
    let output = host.command(RNETSTAT).args(flags).output().unwrap();
    let took = start.elapsed();
    assert!(output.status.success(), "{flags:?}: {}", output.status);
    let listing = text(output.stdout);
    let peers = listing.lines().skip(2).map(|row| row.split_whitespace().nth(4).unwrap());
    let mut peers: Vec<_> = peers.map(str::to_owned).collect();
    peers.sort();
    (peers, text(output.stderr), took)
}

/// What the peers are called, in order.
fn named(count: u8, name: impl Fn(u8) -> String) -> Vec<String> {
    let mut names: Vec<_> = (1..=count).map(name).collect();
    names.sort();
    names
}

/// One after the other, 200 answers of 0.2 s take 40 s; the deadline is 5 s.
#[test]
fn slow_answers_are_waited_for_side_by_side() {
    let Some((host, _services)) = host_with_peers(200, "0.2") else { return };
    let (found, remarks, took) = peers(&host, &["-uW"]);
    assert_eq!(found, named(200, |number| format!("peer-{number}.example.test:9")));
    assert_eq!(remarks, "");
    say(&format!("200 names of 0.2 s each: {took:.2?}"));
}

/// The resolver gives up after 10 s by itself, and asks for 200 names in two rounds.
#[test]
fn answers_that_never_come_leave_numbers_in_time() {
    let Some((host, _services)) = host_with_peers(200, "never") else { return };
    let (found, remarks, took) = peers(&host, &["-u", "--resolve-timeout", "0.5"]);
    assert_eq!(found, named(200, |number| format!("10.99.0.{number}:9")));
    assert!(took < Duration::from_secs(8), "{took:?}");
    say(&format!("no answer at all, with a deadline of 0.5 s: {took:.2?}"));
    assert_eq!(
        remarks,
        "rnetstat: names that were not known after 500ms: 200; numbers are shown for them \
         (-n asks for none, --resolve-timeout SECONDS waits longer)\n"
    );
}

/// An answer that misses its listing is in a later one, and each listing says what it misses.
#[test]
fn a_late_answer_serves_the_listings_that_follow() {
    let Some((host, _services)) = host_with_peers(3, "0.5") else { return };
    let flags = ["-uWc", "--resolve-timeout", "0.05", "--interval", "0.2", "--count", "15"];
    let output = host.command(RNETSTAT).args(flags).output().unwrap();
    let listing = text(output.stdout);
    let listings: Vec<_> = listing.split("Active Internet").skip(1).collect();
    let named = |listing: &str| listing.matches(".example.test:9 ").count();
    let counts: Vec<_> = listings.iter().map(|listing| named(listing)).collect();
    assert_eq!((counts.len(), counts[0], counts[14]), (15, 0, 3), "{listing}");
    let remarks = text(output.stderr);
    let missed = counts.iter().filter(|&&count| count < 3).count();
    assert_eq!(remarks.lines().count(), missed, "{counts:?}\n{remarks}");
}

#[test]
fn numbers_are_not_looked_up() {
    let Some((host, _services)) = host_with_peers(3, "never") else { return };
    for flags in [&["-un"][..], &["-u", "--numeric-hosts"]] {
        let (found, remarks, _) = peers(&host, &[flags, &["--resolve-timeout", "60"]].concat());
        assert_eq!(found, ["10.99.0.1:9", "10.99.0.2:9", "10.99.0.3:9"]);
        assert_eq!(remarks, "");
    }
}

/// With anything but files to ask, the resolver is asked; the module named here does not exist.
#[test]
fn services_are_named_by_files_and_by_the_resolver_alike() {
    let Some((mut host, _services)) = host_with_peers(1, "0") else { return };
    host.put("/etc/services", b"first 9/udp\nother 9/tcp\n");
    for sources in ["files", "db files", "nosuchmodule files"] {
        host.put("/etc/nsswitch.conf", format!("hosts: files\nservices: {sources}\n").as_bytes());
        assert_eq!(peers(&host, &["-u"]).0, ["10.99.0.1:first"], "{sources}");
    }
    host.put("/etc/nsswitch.conf", b"hosts: files\nservices: nosuchmodule\n");
    assert_eq!(peers(&host, &["-u"]).0, ["10.99.0.1:9"]);
}

#[test]
fn a_name_cannot_drive_the_terminal() {
    let Some((mut host, _services)) = host_with_peers(250, "0") else { return };
    host.put(
        "/etc/hosts",
        b"10.99.0.1 \x1b]0;owned\x07\n10.99.0.2 rtl-\xe2\x80\xaex\n10.99.0.3 \xff\n",
    );
    host.put("/etc/services", b"e\x1b[31mvil 9/udp\n");
    host.put("/etc/passwd", b"ro\x1b[31mot:x:0:0::/:/bin/sh\n");
    let output = host.command(RNETSTAT).args(["-ueW"]).output().unwrap();
    let listing = text(output.stdout);
    assert!(listing.chars().all(|char| char == '\n' || !char.is_control()), "{listing:?}");
    for shown in [" .]0;owned.:e.[31mvil ", " rtl-.x:e.[31mvil ", " ro.[31mot "] {
        assert!(listing.contains(shown), "{shown} is missing from\n{listing}");
    }
    assert!(!listing.contains('\u{202e}'), "{listing:?}");
}

/// As with chown(1), a name goes before the number that it looks like.
#[test]
fn a_user_can_be_called_like_the_number_of_another() {
    let Some(mut host) = Host::new(&["mount"]) else { return };
    host.put_names(b"", "");
    host.put("/etc/passwd", b"root:x:0:0::/:/bin/sh\n1001:x:1000:1000::/:/bin/sh\n");
    let list = |user: &str| {
        let mut command = host.command(RNETSTAT);
        command.args(["-tuan", "--proc", "fixtures/24-filters/proc", "--user", user]);
        text(command.output().unwrap().stdout)
    };
    let (thousand, root) = (list("1000"), list("root"));
    assert_eq!((thousand.lines().count(), root.lines().count()), (7, 5), "{thousand}{root}");
    assert_eq!(list("1001"), thousand);
    assert_eq!(list("0"), root);
}
