//! Hosts that hide, forbid or withhold something, live.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::common::host::Host;
use crate::common::{NOBODY, RNETSTAT, Run, difference, is_root, public_copy, run, skipped};
use serde_json::Value;
use tempfile::TempDir;

/// Runs rnetstat as a plain user of the host.
fn as_nobody(host: &Host, rnetstat: &Path, flags: &[&str]) -> Run {
    let user = [&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"];
    run(host.command("setpriv").args(user).arg(rnetstat).args(flags))
}

/// With `hidepid=1` the kernel refuses with EPERM, which netstat does not take for a refusal; with
/// `hidepid=2` the processes are not even listed.
#[test]
fn hidden_processes_are_said_to_be_hidden() {
    if !is_root() {
        return skipped("not root");
    }
    let Some(host) = Host::new(&["python3", "mount", "setpriv"]) else { return };
    let mut receiver = host.start("python3", &["tests/programs/receiver.py"]);
    receiver.line();
    let (_directory, rnetstat) = public_copy();
    let list = || as_nobody(&host, &rnetstat, &["-uanp"]);
    let expected = list();
    let remark =
        format!("(No info could be read for \"-p\": geteuid()={NOBODY} but you should be root.)\n");
    assert_eq!((expected.stderr.as_str(), expected.status), (remark.as_str(), Some(0)));
    assert!(expected.stdout.contains(":5000 "), "{}", expected.stdout);
    for mode in ["1", "2"] {
        let options = format!("remount,hidepid={mode}");
        let remount = host.command("mount").args(["-o", &options, "/proc"]).status();
        assert!(remount.unwrap().success());
        assert_eq!(list(), expected, "hidepid={mode}");
        let namespaces = as_nobody(&host, &rnetstat, &["-uan", "--netns", "all"]).stderr;
        assert!(namespaces.starts_with("rnetstat: network namespaces may be missing: "), "{mode}");
        let all = run(host.command(RNETSTAT).arg("-uanp"));
        assert_eq!((all.stderr.as_str(), all.status), ("", Some(0)), "root sees them all");
    }
}

#[test]
fn a_proc_without_tables_is_of_no_use_and_netlink_is() {
    let Some(host) = Host::new(&["python3", "mount"]) else { return };
    let mut receiver = host.start("python3", &["tests/programs/receiver.py"]);
    receiver.line();
    let expected = run(host.command(RNETSTAT).args(["-uanp", "--source", "netlink"]));
    assert!(expected.stdout.contains(":5000 "), "{}", expected.stdout);
    let mount = ["-t", "proc", "-o", "subset=pid", "proc", "/proc"];
    assert!(host.command("mount").args(mount).status().unwrap().success());
    for flags in [&["-uan"][..], &["-uanp"], &["-uan", "--format", "json"]] {
        let found = run(host.command(RNETSTAT).args(flags));
        let message = "rnetstat: no socket table can be read: /proc/net: No such file or directory \
                       (os error 2) (is /proc mounted? --proc DIR names another place, and --source \
                       netlink needs none)\n";
        let nothing = Run { stdout: String::new(), stderr: message.to_owned(), status: Some(2) };
        assert_eq!(found, nothing, "{flags:?}");
    }
    let found = run(host.command(RNETSTAT).args(["-uanp", "--source", "netlink"]));
    assert_eq!(found, expected);
}

/// There each process has its tables, and so has this one.
#[test]
fn namespaces_are_found_where_proc_has_processes_alone() {
    let Some(host) = Host::new(&["python3", "mount", "unshare"]) else { return };
    let mut receiver = host.start("python3", &["tests/programs/receiver.py"]);
    receiver.line();
    let mut other =
        host.start("unshare", &["-n", "python3", "tests/programs/threads.py", "leader"]);
    let leader = other.line();
    let mount = ["-t", "proc", "-o", "subset=pid", "proc", "/proc"];
    assert!(host.command("mount").args(mount).status().unwrap().success());
    let found = run(host.command(RNETSTAT).args(["-uanp", "--netns", "all"]));
    assert_eq!((found.stderr.as_str(), found.status), ("", Some(0)));
    let row = |port: &str| {
        let row = found.stdout.lines().find(|row| row.contains(port));
        row.unwrap_or_else(|| panic!("no {port} in\n{}", found.stdout)).to_owned()
    };
    assert!(row(":5000 ").contains("/python3"), "{}", found.stdout);
    assert!(row(":6001 ").contains(&format!(" {leader}/python3")), "{}", found.stdout);
}

/// A process goes on without its first thread, and a thread can have a namespace for itself.
#[test]
fn sockets_of_threads_are_found() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let start = |what| {
        let mut service = host.start("python3", &["tests/programs/threads.py", what]);
        let pid = service.line();
        (service, pid)
    };
    let (_leader, leader) = start("leader");
    let found = run(host.command(RNETSTAT).arg("-uanp"));
    assert_eq!((found.stderr.as_str(), found.status), ("", Some(0)));
    assert!(found.stdout.contains(&format!(" {leader}/python3 ")), "{}", found.stdout);
    let found = run(host.command(RNETSTAT).args(["-uan", "--format", "jsonl"]));
    assert_eq!((found.stderr.as_str(), found.status), ("", Some(0)));
    let socket: Value = serde_json::from_str(&found.stdout).unwrap();
    let holder = &socket["processes"][0];
    assert_eq!((&holder["pid"], &holder["program"]), (&leader.parse().unwrap(), &"python3".into()));
    assert_eq!(holder["fds"].as_array().map(Vec::len), Some(1), "its threads have it in common");
    let (_netns, pid) = start("netns");
    let found = run(host.command(RNETSTAT).args(["-uanp", "--port", "6002", "--netns", "all"]));
    assert_eq!((found.stderr.as_str(), found.status), ("", Some(0)));
    assert!(found.stdout.contains(&format!(" {pid}/python3 ")), "{}", found.stdout);
    // What the process itself is in is meant by its number.
    for (wanted, port) in [(&leader, ":6001 "), (&pid, ":6001 ")] {
        let found = run(host.command(RNETSTAT).args(["-uan", "--netns", wanted]));
        assert_eq!((found.stderr.as_str(), found.status), ("", Some(0)));
        assert!(found.stdout.contains(port) && !found.stdout.contains(":6002 "), "{wanted}");
    }
}

/// Whoever is there and shows no tables has not ended.
#[test]
fn a_tree_whose_processes_have_no_tables_says_so() {
    let root = TempDir::new().unwrap();
    for process in ["7", "8"] {
        let namespaces = root.path().join(process).join("ns");
        fs::create_dir_all(&namespaces).unwrap();
        symlink("net:[4026532201]", namespaces.join("net")).unwrap();
    }
    let mut command = Command::new(RNETSTAT);
    let found = run(command.args(["-uan", "--netns", "all", "--proc"]).arg(root.path()));
    assert_eq!((found.stdout.as_str(), found.status), ("", Some(2)));
    let start = "rnetstat: no socket table can be read: ";
    assert!(
        found.stderr.starts_with(start) && found.stderr.contains("/7/net: "),
        "{}",
        found.stderr
    );
}

/// As a container's filter does it.
#[test]
fn where_netlink_is_forbidden_the_text_has_it_all() {
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut many = host.start("python3", &["tests/programs/many.py", "1100"]);
    many.line();
    let without = |flags: &[&str]| {
        let mut command = host.command("python3");
        run(command.args(["tests/programs/without_netlink.py", RNETSTAT]).args(flags))
    };
    for flags in [&["-uanp"][..], &["-tuxan"], &["-uano"], &["-uan", "--format", "csv"]] {
        let expected = run(host.command(RNETSTAT).args(flags));
        assert_eq!((expected.stderr.as_str(), expected.status), ("", Some(0)));
        let rows = expected.stdout.lines().filter(|line| line.starts_with("udp")).count();
        assert_eq!(rows, 1100, "{flags:?}");
        let found = without(flags);
        assert_eq!(difference(&expected.stdout, &found.stdout), None, "{flags:?}");
        assert_eq!((found.stderr.as_str(), found.status), ("", Some(0)), "{flags:?}");
    }
    let refused = "Operation not permitted (os error 1)";
    let fallback = "the text of /proc/net is read in its place";
    let said = without(&["-uanv"]).stderr;
    assert_eq!(said, format!("rnetstat: sock_diag udp: {fallback}: {refused}\n"));
    let unchecked = "the text of /proc/net cannot be held to it";
    let said = without(&["-uanov"]).stderr;
    assert_eq!(said, format!("rnetstat: sock_diag udp: {unchecked}: {refused}\n"));
    let hint = "--source proc reads the text of /proc/net";
    let message =
        format!("rnetstat: no socket table can be read: sock_diag udp: {refused} ({hint})\n");
    let found = without(&["-uan", "--source", "netlink"]);
    assert_eq!(found, Run { stdout: String::new(), stderr: message, status: Some(2) });
}

#[test]
fn holders_outside_of_a_pid_namespace_are_said_to_be_out_of_sight() {
    let Some(host) = Host::new(&["python3", "unshare"]) else { return };
    let mut receiver = host.start("python3", &["tests/programs/receiver.py"]);
    receiver.line();
    let within = |flags: &[&str]| {
        let mut command = host.command("unshare");
        run(command.args(["-pmf", "--mount-proc", RNETSTAT]).args(flags))
    };
    let remark = "rnetstat: processes outside of this PID namespace cannot be seen; some of the \
                  sockets may be theirs\n";
    let found = within(&["-uanp"]);
    assert_eq!((found.stderr.as_str(), found.status), (remark, Some(0)));
    let is_nobodys = |row: &str| row.contains(":5000 ") && row.trim_end().ends_with(" -");
    assert!(found.stdout.lines().any(is_nobodys), "{}", found.stdout);
    let found = within(&["-uan", "--format", "jsonl"]);
    assert_eq!((found.stderr.as_str(), found.status), (remark, Some(0)));
    assert!(found.stdout.contains(r#""processes":null"#), "{}", found.stdout);
    // Where no such socket is listed, or no holder is asked for, nobody is missed.
    for flags in [&["-tanp"][..], &["-uan"]] {
        assert_eq!(within(flags).stderr, "", "{flags:?}");
    }
    assert_eq!(run(host.command(RNETSTAT).arg("-uanp")).stderr, "");
}

/// 16 descriptors, or 64 MiB of address space, on a host with more processes than one thread looks
/// at, and more sockets than a page shows.
#[test]
fn little_is_enough() {
    let Some(host) = Host::new(&["python3", "prlimit"]) else { return };
    let mut many = host.start("python3", &["tests/programs/many.py", "300"]);
    many.line();
    let sleeps = "for i in $(seq 100); do sleep 1000 & done; echo ready; exec cat";
    let mut sleepers = host.start("sh", &["-c", sleeps]);
    sleepers.line();
    for flags in [
        &["-tuanp"][..],
        &["-tuxap"],
        &["-tuan", "--format", "table"],
        &["-tuxan", "--format", "json", "--netns", "all", "--peers"],
        &["-tuanp", "--source", "netlink"],
    ] {
        let expected = run(host.command(RNETSTAT).args(flags));
        assert_eq!(expected.status, Some(0), "{flags:?}");
        assert!(expected.stdout.matches("python3").count() >= 300, "{}", expected.stdout);
        for limit in ["--nofile=16", "--as=67108864"] {
            let found = run(host.command("prlimit").args([limit, "--", RNETSTAT]).args(flags));
            assert_eq!(difference(&expected.stdout, &found.stdout), None, "{limit} {flags:?}");
            assert_eq!((found.stderr, found.status), (expected.stderr.clone(), Some(0)), "{limit}");
        }
    }
}
