//! What it may do, and what it does.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::common::host::{Host, Service};
use crate::common::{NOBODY, RNETSTAT, is_root, public_copy, run, say, skipped};
use tempfile::{NamedTempFile, TempDir};

/// A host with a receiver, and a TCP server with a client.
fn host(tools: &[&str]) -> Option<(Host, [Service; 3])> {
    let host = Host::new(&[&["python3"], tools].concat())?;
    let start = |arguments: &[&str]| {
        let mut service = host.start("python3", arguments);
        service.line();
        service
    };
    let services = [
        start(&["tests/programs/receiver.py"]),
        start(&["tests/programs/server.py", "5001"]),
        start(&["tests/programs/client.py", "5001"]),
    ];
    Some((host, services))
}

/// Two capabilities do what root does, and do not read for anybody what he may not.
#[test]
fn two_capabilities_are_enough_and_are_not_lent() {
    if !is_root() {
        return skipped("not root");
    }
    let Some((host, _services)) = host(&["setpriv", "setcap"]) else { return };
    let (directory, rnetstat) = public_copy();
    let nobody = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
    let as_nobody = |flags: &[&str]| {
        let mut command = host.command("setpriv");
        run(command.args(&nobody).arg("--clear-groups").arg(&rnetstat).args(flags))
    };
    let listings: [&[&str]; 3] =
        [&["-tuanp"], &["-tuxan", "--format", "json"], &["-tan", "--netns", "all", "-p"]];
    for flags in listings {
        assert_ne!(as_nobody(flags), run(host.command(RNETSTAT).args(flags)), "{flags:?}");
    }
    let mut setcap = Command::new("setcap");
    setcap.arg("cap_sys_ptrace,cap_dac_read_search+ep").arg(&rnetstat);
    assert!(setcap.status().unwrap().success());
    for flags in listings {
        assert_eq!(as_nobody(flags), run(host.command(RNETSTAT).args(flags)), "{flags:?}");
    }
    let tree = directory.path().join("tree");
    fs::create_dir_all(tree.join("net")).unwrap();
    fs::write(tree.join("net/udp"), "secret\n").unwrap();
    fs::set_permissions(&tree, fs::Permissions::from_mode(0o700)).unwrap();
    let refused = as_nobody(&["-uan", "--proc", tree.to_str().unwrap()]);
    assert_eq!((refused.stdout.as_str(), refused.status), ("", Some(2)));
    assert!(refused.stderr.contains("capabilities of its own"), "{}", refused.stderr);
    // Root reads it, and so does whoever may.
    let root = run(host.command(RNETSTAT).args(["-uan", "--proc", tree.to_str().unwrap()]));
    assert!(root.stderr.contains("secret"), "{}", root.stderr);
}

/// The system calls that may appear, whoever makes them: rnetstat, the loader and the C library.
const ALLOWED: &[&str] = &[
    // Memory, threads, and the process's own matters.
    "access",
    "arch_prctl",
    "brk",
    "capget",
    "clock_nanosleep",
    "clone",
    "clone3",
    "execve",
    "exit",
    "exit_group",
    "futex",
    "getegid",
    "geteuid",
    "getgid",
    "getpid",
    "getrandom",
    "gettid",
    "getuid",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "prctl",
    "prlimit64",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "sched_getaffinity",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
    "sysinfo",
    "uname",
    // Reading.
    "close",
    "dup",
    "fcntl",
    "fstat",
    "fstatfs",
    "getdents64",
    "ioctl",
    "lseek",
    "newfstatat",
    "openat",
    "poll",
    "ppoll",
    "pread64",
    "read",
    "readlink",
    "readlinkat",
    "stat",
    "statfs",
    "statx",
    // Writing the listing, and what is amiss.
    "write",
    // Netlink, and the resolver.
    "bind",
    "connect",
    "getpeername",
    "getsockname",
    "recvfrom",
    "recvmsg",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "socket",
];

/// The calls in a trace: of each its name, and what it was called with.
fn calls(trace: &str) -> impl Iterator<Item = (&str, &str)> {
    trace.lines().filter_map(|line| {
        let call = line.split_once(' ')?.1.trim_start();
        if call.starts_with(['<', '+', '-']) { None } else { call.split_once('(') }
    })
}

#[test]
fn it_opens_nothing_to_write_and_sends_nothing_but_its_questions() {
    let Some((host, _services)) = host(&["strace"]) else { return };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (flags, asks_for_names) in [
        (&["-tuxanpe"][..], false),
        (&["-tuxanp", "--source", "netlink"], false),
        (&["-tuxan", "--format", "table", "--peers"], false),
        (&["-tuxan", "--format", "json", "--netns", "all"], false),
        (&["-n", "--format", "csv", "--program", "receiver"], false),
        (&["-tan", "--wait=0.1", "--port", "9"], false),
        (&["-tancp", "--count", "2", "--interval", "0.1"], false),
        (&["-an", "--proc", "fixtures/01-lab/proc"], false),
        (&["--generate", "man"], false),
        (&["--help"], false),
        (&["--nosuch"], false),
        (&["-tuxape"], true),
        (&["-ta", "--format", "table", "--user", "root"], true),
    ] {
        let log = NamedTempFile::new().unwrap();
        let mut command = host.command("strace");
        command.args(["-f", "-s", "256", "-o"]).arg(log.path()).arg(RNETSTAT).args(flags);
        let found = run(&mut command);
        assert!(matches!(found.status, Some(0..=2)), "{flags:?}: {found:?}");
        let trace = fs::read_to_string(log.path()).unwrap();
        for (name, arguments) in calls(&trace) {
            let call = format!("{flags:?}: {name}({arguments}");
            assert!(ALLOWED.contains(&name), "{call}");
            *counts.entry(name.to_owned()).or_default() += 1;
            let is_netlink = || arguments.contains("AF_NETLINK");
            match name {
                "openat" => {
                    let to_write = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"];
                    assert!(!to_write.iter().any(|flag| arguments.contains(flag)), "{call}");
                    let place = arguments.split('"').nth(1).unwrap();
                    let is_of_the_case = place.starts_with("fixtures/01-lab/proc");
                    assert!(place.starts_with('/') || is_of_the_case, "{call}");
                }
                "socket" if !asks_for_names => {
                    assert!(is_netlink() && arguments.contains("NETLINK_SOCK_DIAG"), "{call}");
                }
                "sendto" if !asks_for_names => assert!(is_netlink(), "{call}"),
                "bind" | "connect" | "sendmsg" | "sendmmsg" | "setsockopt" => {
                    assert!(asks_for_names, "{call}");
                }
                // Only PR_GET_AUXV, which older headers do not know.
                "prctl" => assert!(
                    arguments.contains("0x41555856") || arguments.contains("AUXV"),
                    "{call}"
                ),
                "write" => assert!(arguments.starts_with(['1', '2', '3']), "{call}"),
                "execve" => assert!(arguments.contains(RNETSTAT), "{call}"),
                _ => {}
            }
        }
    }
    assert!(counts["openat"] > 100 && counts.contains_key("sendto"), "{counts:?}");
    let all: usize = counts.values().sum();
    say(&format!("{all} system calls, of {} kinds, all of which may be", counts.len()));
}

/// With numbers, nothing of its surroundings has a say but what the README lists.
#[test]
fn neither_the_environment_nor_the_directory_changes_what_it_does() {
    let Some((host, _services)) = host(&["env"]) else { return };
    let directory = TempDir::new().unwrap();
    for name in ["proc", "net", "etc", "fixtures"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    for name in [".rnetstat", "rnetstat.toml", "rnetstatrc", "netstat", "tcp", "hosts", "passwd"] {
        fs::write(directory.path().join(name), "--source netlink -c\n").unwrap();
    }
    let evil = directory.path().to_str().unwrap();
    let variables = [
        ("HOME", evil),
        ("XDG_CONFIG_HOME", evil),
        ("PATH", evil),
        ("PWD", evil),
        ("TMPDIR", evil),
        ("TZ", "Antarctica/Troll"),
        ("TZDIR", evil),
        ("LANG", "de_DE.UTF-8"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LANGUAGE", "de"),
        ("LOCPATH", evil),
        ("NLSPATH", evil),
        ("COLUMNS", "3"),
        ("LINES", "3"),
        ("TERM", "evil"),
        ("TERMINFO", evil),
        ("CLICOLOR", "1"),
        ("CLICOLOR_FORCE", "1"),
        ("FORCE_COLOR", "1"),
        ("COLORTERM", "truecolor"),
        ("RUST_LOG", "trace"),
        ("RUST_MIN_STACK", "1"),
        ("RUSTIX_USE_LIBC", "1"),
        ("RNETSTAT", "-c"),
        ("RNETSTAT_OPTIONS", "-c"),
        ("NETSTAT", "-c"),
        ("PAGER", "false"),
        ("POSIXLY_CORRECT", "1"),
        ("PROC_ROOT", evil),
        ("HOSTALIASES", "hosts"),
        ("RES_OPTIONS", "debug"),
        ("LOCALDOMAIN", "evil"),
        ("RESOLV_HOST_CONF", "hosts"),
        ("GETCONF_DIR", evil),
        ("COMPLETE", "bash"),
        ("_CLAP_COMPLETE_INDEX", "1"),
    ];
    let mut compared = 0;
    for flags in [
        &["-tuxanpe"][..],
        &["-n"],
        &["-tuan", "--format", "table", "--sort", "-pid"],
        &["-tuxan", "--format", "json", "--netns", "all"],
        &["-tuan", "--port", "5000"],
        &["--help"],
        &["--nosuch"],
        &["--generate", "bash"],
    ] {
        let clean = run(host.command("env").args(["-i", "-C", "/", RNETSTAT]).args(flags));
        let mut command = host.command("env");
        command.args(["-C", evil]);
        command.args(variables.map(|(name, value)| format!("{name}={value}")));
        let found = run(command.arg(RNETSTAT).args(flags));
        assert_eq!(found, clean, "{flags:?}");
        compared += 1;
    }
    say(&format!("{} variables without a say, in {compared} runs", variables.len()));
}
