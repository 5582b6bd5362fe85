//! The table for people on a terminal: the pager, and who may have one. What it looks like is in
//! `fixtures/`.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use tempfile::{NamedTempFile, TempDir};

use crate::common::host::Host;
use crate::common::pty::Pty;
use crate::common::run::{RNETSTAT, Run, RunCommand, program, rnetstat};
use crate::common::{have, needs_root, proc_tree, public_copy};

/// A pager that marks each line. It is not in the current directory.
const MARKING: &str = "sed s/^/paged:/";

/// Returns a tree with this many sockets.
fn tree(sockets: u16) -> TempDir {
    let mut table = "   sl  local_address rem_address   st tx_queue rx_queue\n".to_owned();
    for number in 0..sockets {
        let zeros = "00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0";
        writeln!(table, "{number}: 0100007F:{number:04X} {zeros} {} 2 0 0", 7000 + number).unwrap();
    }
    proc_tree(&[("net/udp", &table)])
}

/// Runs a listing on a terminal with 24 lines.
fn run(tree: &TempDir, flags: &str, pager: Option<&str>) -> Run {
    let mut command = rnetstat(&format!("-uan --color never {flags} --proc"));
    command.arg(tree.path()).env("TERM", "xterm").env_remove("LESS").env_remove("PAGER");
    if let Some(pager) = pager {
        command.env("PAGER", pager);
    }
    Pty::new(100).run_interactive(&mut command)
}

#[test]
fn only_a_table_with_more_lines_than_the_terminal_goes_through_the_pager() {
    let (long, short) = (tree(30), tree(20));
    for (tree, flags, is_paged) in [
        (&long, "--table", true),
        (&long, "--table --wait=5", true),
        // A heading, an empty line and the counts.
        (&short, "--table", false),
        (&tree(21), "--table", true),
        (&long, "--table --no-pager", false),
        (&long, "", false),
        (&long, "--csv", false),
        (&long, "--group local", false),
        (&long, "--table -c --count 1 --changes", false),
    ] {
        let Run { stdout, status, .. } = run(tree, flags, Some(MARKING));
        let marked = stdout.lines().filter(|line| line.starts_with("paged:")).count();
        let expected = if is_paged { stdout.lines().count() } else { 0 };
        assert_eq!((marked, status), (expected, Some(0)), "{flags}:\n{stdout}");
    }
}

#[test]
fn missing_or_empty_pager_is_no_error() {
    let long = tree(30);
    let expected = run(&long, "--table --no-pager", None);
    assert_eq!(expected.stdout.lines().count(), 33, "{}", expected.stdout);
    for pager in ["", " ", "/nowhere/pager -x", "cat"] {
        assert_eq!(run(&long, "--table", Some(pager)), expected, "{pager:?}");
    }
}

/// A pager hides what was printed before it starts.
#[test]
fn remarks_are_below_the_listing_in_the_pager() {
    let tree = tree(30);
    let remark =
        "rnetstat: columns that do not fit: Foreign, FD, User; use a wider terminal or a pipe";
    for (pager, last) in [(MARKING, format!("paged:{remark}")), ("", remark.to_owned())] {
        let mut command = rnetstat("-uan --color never --table --columns +interface,+cwd --proc");
        command.arg(tree.path()).env("TERM", "xterm").env("PAGER", pager);
        let Run { stdout, status, .. } = Pty::new(60).run_alone(&mut command);
        assert_eq!((stdout.lines().last(), status), (Some(&*last), Some(0)), "{stdout}");
    }
}

/// The pager can run as root, for a user who may run only rnetstat as root.
#[test]
fn less_starts_no_programs_and_passes_colours() {
    let shown = run(&tree(30), "--table", Some("env")).stdout;
    for variable in ["LESSSECURE=1", "LESS=FRX"] {
        assert!(shown.lines().any(|line| line == variable), "{shown}");
    }
}

#[test]
fn program_with_privileges_of_its_own_starts_no_pager() {
    if !needs_root() {
        return;
    }
    let Some(host) = Host::new(&["python3", "setpriv", "setcap"]) else { return };
    let sockets = "\
        import socket, sys\n\
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(30)]\n\
        for it in sockets: it.bind(('127.0.0.1', 0))\n\
        print('ready', flush=True)\n\
        sys.stdin.read()";
    let mut python = host.start("python3", &["-c", sockets]);
    assert_eq!(python.line(), "ready");
    let (_directory, copy) = public_copy();
    let is_paged = || {
        let mut command = host.command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&copy);
        command.args(["-uan", "--table"]).env("TERM", "xterm").env("PAGER", MARKING);
        let shown = Pty::new(100).run_interactive(&mut command).stdout;
        assert!(shown.contains("30 sockets"), "{shown}");
        shown.starts_with("paged:")
    };
    assert!(is_paged());
    Command::new("setcap").arg("cap_sys_ptrace,cap_dac_read_search+ep").arg(&copy).succeed();
    assert!(!is_paged());
}

/// The usual pager needs no privileges. A chosen one can be confined by snap or firejail, whose programs
/// have privileges of their own.
#[test]
fn only_a_chosen_pager_may_gain_privileges() {
    if !have(&["strace"]) {
        return;
    }
    let tree = tree(30);
    for (pager, is_forbidden) in [(None, true), (Some("cat"), false)] {
        let log = NamedTempFile::new().unwrap();
        let mut command = Command::new("strace");
        command.args(["-f", "-e", "trace=prctl", "-o"]).arg(log.path()).arg(program());
        command.args(["-uan", "--table", "--proc"]).arg(tree.path());
        command.env("TERM", "xterm").env_remove("LESS").env_remove("PAGER");
        if let Some(pager) = pager {
            command.env("PAGER", pager);
        }
        Pty::new(100).run_interactive(&mut command);
        let trace = fs::read_to_string(log.path()).unwrap();
        assert_eq!(trace.contains("PR_SET_NO_NEW_PRIVS"), is_forbidden, "{pager:?}: {trace}");
    }
}

/// Users are shown by name with `-n`, unless the user asks for their numbers.
#[test]
fn table_shows_users_by_name_also_with_n() {
    let tree = "--proc fixtures/44-questions/proc --port 5000 --no-header";
    for (flags, user) in [
        ("-n --table --columns user", "student"),
        ("--numeric-users --table --columns user", "1000"),
        ("-n --numeric-users --table --columns user", "1000"),
        ("-n --group user", "1000"),
        ("-n --csv --columns user", "1000,"),
    ] {
        let listing = Command::new(RNETSTAT).args(flags.split(' ')).args(tree.split(' ')).listing();
        let first = listing.trim_end().split("  ").next().unwrap();
        assert_eq!(first, user, "{flags}");
    }
}
