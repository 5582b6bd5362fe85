//! Missing permissions, a restricted /proc, refused netlink, low resource limits.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;
use tempfile::TempDir;

use crate::common::host::Host;
use crate::common::run::{RNETSTAT, Run, RunCommand, rnetstat};
use crate::common::{NOBODY, difference, needs_root, public_copy, words};

/// With `hidepid=1` the kernel answers EPERM, which netstat does not count as a hidden process.
/// With `hidepid=2` it does not list the processes at all. rnetstat must report both.
#[test]
fn processes_hidden_by_hidepid_are_reported() {
    if !needs_root() {
        return;
    }
    let Some(host) = Host::new(&["python3", "mount", "setpriv"]) else { return };
    let _receiver = host.receiver();
    let (_directory, copy) = public_copy();
    let list = || host.rnetstat_as_nobody(&copy, "-uanp").run();
    let expected = list();
    let remark =
        format!("(No info could be read for \"-p\": geteuid()={NOBODY} but you should be root.)\n");
    assert_eq!((expected.stderr.as_str(), expected.status), (remark.as_str(), Some(0)));
    assert!(expected.stdout.contains(":5000 "), "{}", expected.stdout);
    for mode in ["1", "2"] {
        host.hide_processes(mode);
        assert_eq!(list(), expected, "hidepid={mode}");
        let namespaces = host.rnetstat_as_nobody(&copy, "-uan --netns all").run().stderr;
        assert!(namespaces.starts_with("rnetstat: network namespaces may be missing: "), "{mode}");
        // Root sees all processes.
        host.rnetstat("-uanp").listing();
    }
}

#[test]
fn tables_are_read_by_netlink_if_proc_has_none() {
    let Some(host) = Host::new(&["python3", "mount"]) else { return };
    let _receiver = host.receiver();
    let expected = host.rnetstat("-uanp --source netlink").run();
    assert!(expected.stdout.contains(":5000 "), "{}", expected.stdout);
    host.mount_proc_without_tables();
    for flags in ["-uanp", "-uan --source netlink -p"] {
        assert_eq!(host.rnetstat(flags).run(), expected, "{flags}");
    }
    let json = host.rnetstat("-uan --format jsonl").listing();
    assert!(json.contains(r#""port":5000"#) && json.contains(r#""kind":"off""#), "{json}");
    let message = "rnetstat: no socket table can be read: /proc/net: No such file or directory (os \
                   error 2) (is /proc mounted? --proc DIR reads a copy of it, --source netlink works \
                   without it)\n";
    assert_eq!(host.rnetstat("-uan --source text").run(), Run::failure(message, 2));
}

/// If /proc is mounted with `subset=pid`, there is no `/proc/net`. The tables, also those of
/// rnetstat's own namespace, are then only in `/proc/PID/net`.
#[test]
fn netns_all_works_with_a_proc_that_has_only_processes() {
    let Some(host) = Host::new(&["python3", "mount", "unshare"]) else { return };
    let _receiver = host.receiver();
    let mut other =
        host.start("unshare", &["-n", "python3", "tests/programs/threads.py", "leader"]);
    let leader = other.line();
    host.mount_proc_without_tables();
    let listing = host.rnetstat("-uanp --netns all").listing();
    let row = |port: &str| {
        let row = listing.lines().find(|row| row.contains(port));
        row.unwrap_or_else(|| panic!("no {port} in\n{listing}"))
    };
    assert!(row(":5000 ").contains("/python3"), "{listing}");
    assert!(row(":6001 ").contains(&format!(" {leader}/python3")), "{listing}");
}

/// The first thread of a process can end before the others, and a thread can have a network
/// namespace for itself.
#[test]
fn sockets_not_visible_through_the_main_thread_are_found() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut leader = host.python("threads.py", &["leader"]);
    let leader = leader.line();
    let listing = host.rnetstat("-uanp").listing();
    assert!(listing.contains(&format!(" {leader}/python3 ")), "{listing}");
    let listing = host.rnetstat("-uan --format jsonl").listing();
    let socket: Value = serde_json::from_str(&listing).unwrap();
    let owner = &socket["processes"][0];
    assert_eq!((&owner["pid"], &owner["program"]), (&leader.parse().unwrap(), &"python3".into()));
    assert_eq!(owner["fds"].as_array().map(Vec::len), Some(1), "threads share the descriptor");
    let mut thread = host.python("threads.py", &["netns"]);
    let pid = thread.line();
    let listing = host.rnetstat("-uanp --port 6002 --netns all").listing();
    assert!(listing.contains(&format!(" {pid}/python3 ")), "{listing}");
    // A PID selects the namespace of the process, and not those of its threads.
    for wanted in [&leader, &pid] {
        let listing = host.rnetstat(&format!("-uan --netns {wanted}")).listing();
        assert!(listing.contains(":6001 ") && !listing.contains(":6002 "), "{wanted}");
    }
}

#[test]
fn owner_is_found_while_all_its_threads_are_short_lived() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut process = host.python("threads.py", &["chain"]);
    let pid = process.line();
    for number in 0..200 {
        let listing = host.rnetstat("-uanp").listing();
        assert!(listing.contains(&format!(" {pid}/python3 ")), "listing {number}\n{listing}");
    }
}

/// rnetstat must not take a process without tables for a process that has ended.
#[test]
fn netns_all_reports_processes_without_tables() {
    let root = TempDir::new().unwrap();
    for process in ["7", "8"] {
        let namespaces = root.path().join(process).join("ns");
        fs::create_dir_all(&namespaces).unwrap();
        symlink("net:[4026532201]", namespaces.join("net")).unwrap();
    }
    let message = rnetstat("-uan --netns all --proc").arg(root.path()).error();
    let start = "rnetstat: no socket table can be read: ";
    assert!(message.starts_with(start) && message.contains("/7/net: "), "{message}");
}

/// Containers can forbid netlink with a seccomp filter.
#[test]
fn netlink_refused_by_seccomp_falls_back_to_text() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let _many = host.udp_sockets("1100");
    let without = |flags: &str| {
        let mut command = host.command("python3");
        command.args(["tests/programs/without_netlink.py", RNETSTAT]).args(words(flags));
        command
    };
    for flags in ["-uanp", "-tuxan", "-uano", "-uan --format csv"] {
        let expected = host.rnetstat(flags).listing();
        let rows = expected.lines().filter(|line| line.starts_with("udp")).count();
        assert_eq!(rows, 1100, "{flags}");
        assert_eq!(difference(&expected, &without(flags).listing()), None, "{flags}");
    }
    let refused = "Operation not permitted (os error 1)";
    let fallback = "the text of /proc/net is read instead";
    let remark = without("-uanv").run().stderr;
    assert_eq!(remark, format!("rnetstat: netlink udp: {fallback}: {refused}\n"));
    let remark = without("-uanov").run().stderr;
    assert_eq!(remark, format!("rnetstat: netlink udp: {fallback}: {refused}\n"));
    let hint = "--source text reads the text of /proc/net";
    let message =
        format!("rnetstat: no socket table can be read: netlink udp: {refused} ({hint})\n");
    assert_eq!(without("-uan --source netlink").run(), Run::failure(message, 2));
}

#[test]
fn possible_owners_outside_the_pid_namespace_are_reported() {
    let Some(host) = Host::new(&["python3", "unshare"]) else { return };
    let _receiver = host.receiver();
    let within = |flags: &str| {
        let mut command = host.command("unshare");
        command.args(["-pmf", "--mount-proc", RNETSTAT]).args(words(flags)).run()
    };
    let remark = "rnetstat: processes outside of this PID namespace cannot be seen; some of the \
                  sockets may be theirs\n";
    let found = within("-uanp");
    assert_eq!((found.stderr.as_str(), found.status), (remark, Some(0)));
    let has_no_owner = |row: &str| row.contains(":5000 ") && row.trim_end().ends_with(" -");
    assert!(found.stdout.lines().any(has_no_owner), "{}", found.stdout);
    let found = within("-uan --format jsonl");
    assert_eq!((found.stderr.as_str(), found.status), (remark, Some(0)));
    assert!(found.stdout.contains(r#""processes":null"#), "{}", found.stdout);
    // The remark appears only if owners are listed, and one of the listed sockets has none.
    for flags in ["-tanp", "-uan"] {
        assert_eq!(within(flags).stderr, "", "{flags}");
    }
    assert_eq!(host.rnetstat("-uanp").run().stderr, "");
}

/// The host has so many processes that several threads read them, and more sockets than fit in a
/// page of text.
#[test]
fn listing_works_with_a_limit_of_16_descriptors_or_64_mib() {
    let Some(host) = Host::new(&["python3", "prlimit"]) else { return };
    let _many = host.udp_sockets("300");
    let _sleepers = host.sleepers(100);
    for flags in [
        "-tuanp",
        "-tuxap",
        "-tuan --format table",
        "-tuxan --format json --netns all --peers",
        "-tuanp --source netlink",
    ] {
        let expected = host.rnetstat(flags).run();
        assert_eq!(expected.status, Some(0), "{flags}");
        assert!(expected.stdout.matches("python3").count() >= 300, "{}", expected.stdout);
        for limit in ["--nofile=16", "--as=67108864"] {
            let mut command = host.command("prlimit");
            let found = command.args([limit, "--", RNETSTAT]).args(words(flags)).run();
            assert_eq!(difference(&expected.stdout, &found.stdout), None, "{limit} {flags}");
            assert_eq!((&found.stderr, found.status), (&expected.stderr, Some(0)), "{limit}");
        }
    }
}
