//! Looking up the names of hosts, services and users.

use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use crate::common::host::Host;
use crate::common::run::{RNETSTAT, Run, RunCommand};
use crate::common::service::Service;
use crate::common::{library, say};

/// Makes a host that is connected to this many peers. A DNS server gives their names, after this
/// pause for each answer.
fn host_with_peers(count: u8, pause: &str) -> Option<(Host, [Service; 2])> {
    let mut host = Host::new(&["python3", "mount"])?;
    host.put("/etc/services", b"");
    let services = host.named_peers(count, pause, "");
    Some((host, services))
}

/// Runs rnetstat. Returns the sorted foreign addresses of the listing, and the remarks.
fn peers(host: &Host, flags: &str) -> (Vec<String>, String) {
    let Run { stdout, stderr, .. } = host.rnetstat(flags).succeed();
    let peers = stdout.lines().skip(2).map(|row| row.split_whitespace().nth(4).unwrap());
    let mut peers: Vec<_> = peers.map(str::to_owned).collect();
    peers.sort();
    (peers, stderr)
}

/// Returns the sorted names of this many peers.
fn named(count: u8, name: impl Fn(u8) -> String) -> Vec<String> {
    let mut names: Vec<_> = (1..=count).map(name).collect();
    names.sort();
    names
}

/// 200 answers of 0.2 s would take 40 s if they came one after the other. The deadline is 5 s.
#[test]
fn names_are_looked_up_in_parallel() {
    let Some((host, _services)) = host_with_peers(200, "0.2") else { return };
    let start = Instant::now();
    let (found, remarks) = peers(&host, "-uW");
    let took = start.elapsed();
    assert_eq!(found, named(200, |number| format!("peer-{number}.example.test:9")));
    assert_eq!(remarks, "");
    say(&format!("200 names of 0.2 s each: {took:.2?}"));
}

/// The C library's resolver gives up after 10 s, and only 128 look-ups run at a time. So without a
/// deadline, 200 names would take 20 s.
#[test]
fn unanswered_names_become_numbers_at_the_deadline() {
    let Some((host, _services)) = host_with_peers(200, "never") else { return };
    let start = Instant::now();
    let (found, remarks) = peers(&host, "-u --resolve-timeout 0.5");
    let took = start.elapsed();
    assert_eq!(found, named(200, |number| format!("10.99.0.{number}:9")));
    assert!(took < Duration::from_secs(8), "{took:?}");
    say(&format!("no answer, with a deadline of 0.5 s: {took:.2?}"));
    assert_eq!(
        remarks,
        "rnetstat: names not found within 500ms: 200; numbers are shown instead (-n looks up no \
         names, --resolve-timeout SECONDS waits longer)\n"
    );
}

#[test]
fn late_answers_appear_in_later_listings() {
    let Some((host, _services)) = host_with_peers(3, "0.5") else { return };
    let flags = "-uWc --resolve-timeout 0.05 --interval 0.2 --count 15";
    let run = host.rnetstat(flags).run();
    let listings: Vec<_> = run.stdout.split("Active Internet").skip(1).collect();
    let named = |listing: &str| listing.matches(".example.test:9 ").count();
    let counts: Vec<_> = listings.iter().map(|listing| named(listing)).collect();
    assert_eq!((counts.len(), counts[0], counts[14]), (15, 0, 3), "{}", run.stdout);
    // It is not said again for the next listings, which lack the same names.
    assert_eq!(run.stderr.lines().count(), 1, "{counts:?}\n{}", run.stderr);
}

/// The resolver asks about a host for 90 s, so its threads are busy as long as the test runs.
#[test]
fn hosts_that_hang_do_not_delay_later_hosts() {
    let Some(mut host) = Host::new(&["python3", "mount"]) else { return };
    let _services = host.named_peers(3, "never-below-4", "options timeout:30 attempts:3\n");
    let mut child = host.rnetstat("-uWc --numeric-ports --interval 0.3").start();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The first listing ends with the deadline.
    assert!(lines.any(|line| line.contains(" 10.99.0.1:9 ")));
    let _later = host.python_ready("peers.py", &["4", "4"]);
    let first = lines.find(|line| line.contains(" 10.99.0.4:9 ") || line.contains(" peer-4."));
    assert!(first.unwrap().contains(" peer-4.example.test:9 "));
    // rnetstat ends when its output is closed.
    drop(lines);
    child.wait().unwrap();
}

/// For the error SERVFAIL, the resolver says `EAI_AGAIN`.
#[test]
fn failed_look_ups_are_reported_once_and_repeated() {
    let Some(mut host) = Host::new(&["python3", "mount"]) else { return };
    let _services = host.named_peers(2, "fails-once", "options attempts:1\n");
    let message = "rnetstat: names that the resolver failed to find: 2 (Temporary failure in name \
                   resolution); numbers are shown instead (-n looks up no names)\n";
    let mut child = host.rnetstat("-uWc --numeric-ports --interval 0.1").start();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains(" 10.99.0.1:9 ")));
    assert!(lines.any(|line| line.contains(" peer-1.example.test:9 ")));
    // rnetstat ends when its output is closed.
    drop(lines);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    child.wait().unwrap();
    assert_eq!(stderr, message);
}

#[test]
fn numeric_flags_look_up_no_names() {
    let Some((host, _services)) = host_with_peers(3, "never") else { return };
    for flags in ["-un", "-u --numeric-hosts"] {
        let (found, remarks) = peers(&host, &format!("{flags} --resolve-timeout 60"));
        assert_eq!(found, ["10.99.0.1:9", "10.99.0.2:9", "10.99.0.3:9"]);
        assert_eq!(remarks, "");
    }
}

/// If `files` is the only source (a `db` without a database does not count), rnetstat reads
/// /etc/services itself. Otherwise it asks the C library, which ignores a missing NSS module.
#[test]
fn service_names_come_from_files_or_from_the_resolver() {
    let Some((mut host, _services)) = host_with_peers(1, "0") else { return };
    host.put("/etc/services", b"first 9/udp\nother 9/tcp\n");
    for sources in ["files", "db files", "nosuchmodule files"] {
        host.put("/etc/nsswitch.conf", format!("hosts: files\nservices: {sources}\n").as_bytes());
        assert_eq!(peers(&host, "-u").0, ["10.99.0.1:first"], "{sources}");
    }
    host.put("/etc/nsswitch.conf", b"hosts: files\nservices: nosuchmodule\n");
    assert_eq!(peers(&host, "-u").0, ["10.99.0.1:9"]);
}

#[test]
fn control_characters_in_looked_up_names_are_replaced() {
    let Some((mut host, _services)) = host_with_peers(250, "0") else { return };
    host.put(
        "/etc/hosts",
        b"10.99.0.1 \x1b]0;owned\x07\n10.99.0.2 rtl-\xe2\x80\xaex\n10.99.0.3 \xff\n",
    );
    host.put("/etc/services", b"e\x1b[31mvil 9/udp\n");
    host.put("/etc/passwd", b"ro\x1b[31mot:x:0:0::/:/bin/sh\n");
    let listing = host.rnetstat("-ueW").run().stdout;
    assert!(listing.chars().all(|char| char == '\n' || !char.is_control()), "{listing:?}");
    for shown in [" .]0;owned.:e.[31mvil ", " rtl-.x:e.[31mvil ", " ro.[31mot "] {
        assert!(listing.contains(shown), "{shown} is missing from\n{listing}");
    }
    assert!(!listing.contains('\u{202e}'), "{listing:?}");
}

/// As in chown(1), a user name has precedence over the UID that it looks like.
#[test]
fn user_name_takes_precedence_over_an_equal_uid() {
    let Some(mut host) = Host::new(&["mount", "python3"]) else { return };
    host.put_names(b"", "");
    host.put("/etc/passwd", b"root:x:0:0::/:/bin/sh\n1001:x:0:0::/:/bin/sh\n0:x:7:7::/:/bin/sh\n");
    let _receiver = host.receiver();
    let list = |user: &str| host.rnetstat(&format!("-un --user {user}")).run();
    for user in ["root", "1001"] {
        assert!(list(user).stdout.contains(" 127.0.0.1:5000 "), "{user}");
    }
    assert_eq!(list("0").status, Some(1));
}

/// netstat neither cuts names of SCTP hosts nor shows SCTP services. With any numeric option it shows
/// the hosts as numbers.
#[test]
fn hosts_of_sctp_are_shown_by_netstats_rules() {
    const NAME: &str = "a.host.whose.name.is.much.longer.than.its.column.example.org";
    let Some(mut host) = Host::new(&["mount"]) else { return };
    host.put_names(format!("10.8.8.1 {NAME}\n10.8.8.2 near\n10.8.8.77 far\n").as_bytes(), "");
    host.put("/etc/services", b"server 5002/sctp\n");
    let list = |flags: &str| {
        let tree = "-S --proc fixtures/40-sctp/proc --resolve-timeout 5 --no-header";
        host.rnetstat(&format!("{tree} {flags}")).succeed().stdout
    };
    let server = |first: &str, second: &str, third: &str| {
        format!("sctp{:16}{first:47} LISTEN     \n", "")
            + &format!("{:20}{second:47} {:11}\n{:20}{third:47} {:11}\n", "", "", "", "")
    };
    assert_eq!(
        list("-l --port 5002"),
        server("localhost:5002", &format!("{NAME}:5002"), "near:5002")
    );
    assert_eq!(
        list("--sport 45021"),
        format!("sctp       0      0 {NAME}:45021 far:5999                CLOSE      \n")
            + &format!("{:20}{:23} {:23} {:11}\n", "", "near", "", "")
    );
    assert!(list("-l --sport 5004").contains(" [::]:5004 "));
    for flags in ["--numeric-hosts", "--numeric-ports", "--numeric-users"] {
        let expected = server("127.0.0.1:5002", "10.8.8.1:5002", "10.8.8.2:5002");
        assert_eq!(list(&format!("-l --sport 5002 {flags}")), expected, "{flags}");
        assert!(list(&format!("-l --sport 5004 {flags}")).contains(" :::5004 "), "{flags}");
    }
    let table = list("--sport 45021 --numeric-ports --format table");
    assert!(table.contains(&format!(" {NAME}:45021 +1 ")), "{table}");
}

/// The resolver could know a user whose name is a number. If it does not answer, the number is used.
#[test]
fn users_are_looked_up_in_parallel() {
    let Some(host) = Host::new(&["python3", "cc"]) else { return };
    let (_receiver, _) = host.receiver();
    let (_directory, library) = library("hanging_users.c");
    let list = |users: &str, timeout: &str| {
        let mut command = host.command("env");
        command.arg(format!("LD_PRELOAD={}", library.display())).arg(RNETSTAT);
        command.args(["-un", "--no-header", "--user", users, "--resolve-timeout", timeout]).run()
    };
    let start = Instant::now();
    let run = list("0,1,2,3,4,5,6,7,8,9", "3");
    // One after the other, the users would take 30 s.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(run.stdout.contains(" 127.0.0.1:5000 "), "{run:?}");
    assert_eq!(
        run.stderr,
        "rnetstat: --user 0,1,2,3,4,5,6,7,8,9: taken as numbers, because the resolver did not say \
         whether users have such names\n"
    );
    let message = "rnetstat: the number of user 'root' was not found within 100ms: give the number \
                   itself, or wait longer with --resolve-timeout SECONDS\n";
    assert_eq!(list("0,root", "0.1"), Run::failure(message, 2));
}
