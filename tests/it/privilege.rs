//! Capabilities, allowed system calls, and the influence of the environment.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::net::UdpSocket;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::process::{Command, Stdio};
use std::thread;

use nix::errno::Errno;
use nix::libc::{O_CREAT, O_TRUNC};
use nix::sched::{CloneFlags, setns};
use rnetstat::privileges::Needs;
use rnetstat::privileges::calls::{ALLOWED, allow_only};
use tempfile::TempDir;

use crate::common::host::Host;
use crate::common::run::{RNETSTAT, RunCommand, program, rnetstat};
use crate::common::{have, is_root, needs_root, public_copy, say, without_times, words};

/// With `CAP_SYS_PTRACE` and `CAP_DAC_READ_SEARCH`, a plain user sees what root sees. But `--proc`
/// must not read files that the user may not read.
#[test]
fn two_capabilities_suffice_instead_of_root_except_with_proc_dir() {
    if !needs_root() {
        return;
    }
    let Some(host) = Host::new(&["python3", "setpriv", "setcap"]) else { return };
    let _services = host.receiver_and_connection();
    let (directory, copy) = public_copy();
    let as_nobody = |flags: &str| host.rnetstat_as_nobody(&copy, flags);
    let listings = ["-tuanp", "-tuxan --format json", "-tan --netns all -p"];
    for flags in listings {
        assert_ne!(as_nobody(flags).run(), host.rnetstat(flags).run(), "{flags}");
    }
    Command::new("setcap").arg("cap_sys_ptrace,cap_dac_read_search+ep").arg(&copy).succeed();
    for flags in listings {
        let [found, expected] =
            [as_nobody(flags), host.rnetstat(flags)].map(|mut it| without_times(&it.run().stdout));
        assert_eq!(found, expected, "{flags}");
    }
    let tree = directory.path().join("tree");
    fs::create_dir_all(tree.join("net")).unwrap();
    fs::write(tree.join("net/udp"), "secret\n").unwrap();
    fs::set_permissions(&tree, fs::Permissions::from_mode(0o700)).unwrap();
    let message = as_nobody("-uan --proc").arg(&tree).error();
    assert!(message.contains("privileges that its caller lacks"), "{message}");
    // Root may read the tree, so for root `--proc` is not refused.
    let remarks = host.rnetstat("-uan --proc").arg(&tree).run().stderr;
    assert!(remarks.contains("secret"), "{remarks}");
}

/// A program file with set-user-ID, set-group-ID or capabilities gives its caller privileges. The
/// ambient capabilities of a caller are the caller's own.
#[test]
fn proc_dir_is_refused_only_with_privileges_of_the_program_file() {
    if !needs_root() {
        return;
    }
    let Some(host) = Host::new(&["setpriv", "setcap"]) else { return };
    let (directory, copy) = public_copy();
    let tree = directory.path().join("tree");
    fs::create_dir_all(tree.join("net")).unwrap();
    fs::write(tree.join("net/udp"), "").unwrap();
    let list = |ambient: &[&str]| {
        let mut command = host.command("setpriv");
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        command.args(nobody).args(ambient).arg(&copy).args(["-uan", "--proc"]).arg(&tree).run()
    };
    let ambient =
        ["--inh-caps=+net_bind_service,+chown", "--ambient-caps=+net_bind_service,+chown"];
    let is_refused = || list(&[]).stderr.contains("privileges that its caller lacks");
    assert!(!is_refused());
    assert_eq!(list(&ambient).status, Some(0));
    for mode in [0o4755, 0o2755] {
        fs::set_permissions(&copy, fs::Permissions::from_mode(mode)).unwrap();
        assert!(is_refused(), "{mode:o}");
    }
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(!is_refused());
    Command::new("setcap").arg("cap_chown+ep").arg(&copy).succeed();
    assert!(is_refused());
    assert_eq!(list(&ambient).status, Some(2));
}

/// The system calls that are allowed besides [`ALLOWED`]: before the filter is set, and without one.
const ALSO_ALLOWED: &[&str] = &[
    // The loader and the start of the C library.
    "access",
    "arch_prctl",
    "execve",
    "set_tid_address",
    // Giving up privileges.
    "capset",
    "seccomp",
    // The size of the terminal.
    "ioctl",
    // The signals of the live view, and whether the terminal is its own. It sends a signal (kill) only
    // to suspend itself.
    "getpgid",
    "getpgrp",
    "signalfd4",
    // The resolver.
    "connect",
    "getpeername",
    "sendmmsg",
    "sendmsg",
];

/// The flags of a live view that ends by itself.
const LIVE: &str = "-tuan -c --table --numeric-users --count 2 --interval 0.1";

fn is_allowed(call: &str) -> bool {
    let is_listed = || ALLOWED.iter().any(|(name, _)| name.strip_prefix("SYS_") == Some(call));
    ALSO_ALLOWED.contains(&call) || is_listed()
}

/// Returns the name and the arguments of each call in a trace, whose lines are such as `4711
/// openat(AT_FDCWD, "/proc/net/tcp", O_RDONLY|O_CLOEXEC) = 3`.
fn calls(trace: &str) -> impl Iterator<Item = (&str, &str)> {
    trace.lines().filter_map(|line| {
        let call = line.split_once(' ')?.1.trim_start();
        // Not new calls: `<... openat resumed>`, `+++ exited with 0 +++`, `--- SIGCHLD ... ---`.
        if call.starts_with(['<', '+', '-']) { None } else { call.split_once('(') }
    })
}

/// rnetstat opens no file for writing. With `-n` it sends only netlink requests; without it, what
/// the resolver sends is not checked.
#[test]
fn only_allowed_system_calls_are_made() {
    let Some(host) = Host::new(&["python3", "strace"]) else { return };
    let _services = host.receiver_and_connection();
    // One of its sockets is bound to a network device.
    let mut kinds = host.python("every_kind.py", &[]);
    kinds.line();
    let mut elsewhere = host.start("unshare", &["-n", "sh", "-c", "echo ready; exec cat"]);
    assert_eq!(elsewhere.line(), "ready");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (flags, asks_for_names) in [
        ("-tuxanpe", false),
        ("-tuxanp --source netlink", false),
        // The table shows users by name, also with -n.
        ("-tuxan --format table --peers", true),
        ("-tuxan --format table --peers --numeric-users", false),
        ("-tuxan --format json --netns all", false),
        ("-A all -an --table --numeric-users", false),
        ("-n --format csv --program receiver", false),
        ("-tan --wait=0.1 --port 9", false),
        ("-tancp --count 2 --interval 0.1", false),
        ("-an --proc fixtures/01-lab/proc", false),
        ("--generate man", false),
        ("--help", false),
        ("--nosuch", false),
        ("-tuxape", true),
        ("-ta --format table --user root", true),
        (LIVE, false),
    ] {
        let (run, trace) = if flags == LIVE {
            host.strace_in_terminal("-s 256", flags)
        } else {
            host.strace("-s 256", flags)
        };
        assert!(matches!(run.status, Some(0..=2)), "{flags}: {run:?}");
        let is_filtered = !asks_for_names && !flags.starts_with("--") && flags != LIVE;
        let filtered = trace.split_once(" seccomp(").map(|(_, rest)| rest);
        assert_eq!(filtered.is_some(), is_filtered, "{flags}");
        assert!(!filtered.is_some_and(|it| it.contains(" ENOSYS ")), "{flags}:\n{filtered:?}");
        for (name, arguments) in calls(&trace) {
            let call = format!("{flags}: {name}({arguments}");
            assert!(is_allowed(name), "{call}");
            *counts.entry(name.to_owned()).or_default() += 1;
            // musl sends to the kernel without an address.
            let is_netlink = || ["AF_NETLINK", "{nlmsg_"].iter().any(|it| arguments.contains(it));
            match name {
                "open" | "openat" => {
                    let to_write = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"];
                    assert!(!to_write.iter().any(|flag| arguments.contains(flag)), "{call}");
                    let path = arguments.split('"').nth(1).unwrap();
                    let is_below_proc = path.starts_with("fixtures/01-lab/proc");
                    assert!(path.starts_with('/') || is_below_proc, "{call}");
                }
                "socket" if !asks_for_names => {
                    // The names of network devices come from NETLINK_ROUTE.
                    let protocols = ["NETLINK_SOCK_DIAG", "NETLINK_ROUTE"];
                    let is_allowed = protocols.iter().any(|it| arguments.contains(it));
                    assert!(is_netlink() && is_allowed, "{call}");
                }
                "bind" | "sendto" if !asks_for_names => assert!(is_netlink(), "{call}"),
                "bind" | "connect" | "sendmsg" | "sendmmsg" | "setsockopt" => {
                    assert!(asks_for_names, "{call}");
                }
                // Older versions of strace print PR_GET_AUXV as a number.
                "prctl" => {
                    let allowed = ["0x41555856", "AUXV", "PR_SET_NO_NEW_PRIVS, 1"];
                    assert!(allowed.iter().any(|it| arguments.contains(it)), "{call}");
                }
                "write" => assert!(arguments.starts_with(['1', '2', '3']), "{call}"),
                "execve" => assert!(arguments.contains("rnetstat"), "{call}"),
                _ => {}
            }
        }
    }
    assert!(counts["openat"] > 100 && counts.contains_key("sendto"), "{counts:?}");
    if is_root() {
        assert!(counts.contains_key("setns") && counts.contains_key("getxattr"), "{counts:?}");
    }
    let all: usize = counts.values().sum();
    say(&format!("{all} system calls of {} kinds are allowed", counts.len()));
}

/// Starts a program that lists again and again, and returns these lines of its `/proc/<pid>/status`
/// after the first listing.
fn status_of(command: &mut Command) -> [String; 5] {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    let status = status(&child.id().to_string());
    child.kill().unwrap();
    child.wait().unwrap();
    status
}

/// Returns the capabilities of a process (inherited, permitted and effective), and whether it can have
/// new privileges and has a filter of system calls.
fn status(pid: &str) -> [String; 5] {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    ["CapInh", "CapPrm", "CapEff", "NoNewPrivs", "Seccomp"].map(|name| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
        line.unwrap().trim().to_owned()
    })
}

/// What the resolver calls is not known, so a run that needs names has no filter of system calls.
#[test]
fn privileges_that_a_listing_does_not_need_are_given_up() {
    // The numbers of CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH and CAP_SYS_ADMIN.
    const PTRACE: u64 = 1 << 19;
    const NEEDED: u64 = PTRACE | 1 << 2;
    const WITH_NETNS: u64 = NEEDED | 1 << 21;
    let own = status("self");
    let own_set = u64::from_str_radix(&own[2], 16).unwrap();
    let kept = |set: u64, seccomp: &str| {
        let set = if own_set & PTRACE == 0 { own_set } else { own_set & set };
        let set = format!("{set:016x}");
        ["0".repeat(16), set.clone(), set, "1".to_owned(), seccomp.to_owned()]
    };
    let [filtered, unfiltered] = ["2", "0"].map(|seccomp| kept(NEEDED, seccomp));
    for (flags, expected) in [
        ("-tan", filtered.clone()),
        ("-tanp --json", filtered.clone()),
        ("-tan --netns all", kept(WITH_NETNS, "2")),
        ("-tan --table --numeric-users", filtered),
        // The table shows users by name, also with -n.
        ("-tan --table", unfiltered.clone()),
        ("-ta --netns all", kept(WITH_NETNS, "0")),
        ("-ta --proc fixtures/01-lab/proc", unfiltered.clone()),
        ("-tan --user 0", unfiltered.clone()),
        ("-tan --port ^ssh", unfiltered),
        ("-tan --no-sandbox", own.clone()),
    ] {
        let flags = format!("{flags} -c --interval 100");
        assert_eq!(status_of(&mut rnetstat(&flags)), expected, "{flags}");
    }
    if is_root() && have(&["setpriv"]) {
        // Without CAP_SYS_PTRACE, the other capabilities decide which owners are seen.
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]).arg(program());
        let found = status_of(command.args(words("-tan -c --interval 100")));
        let rest = format!("{:016x}", own_set & !PTRACE);
        assert_eq!(found[1..], [rest.clone(), rest, "1".to_owned(), "2".to_owned()]);
    }
}

/// As root and with `-n`, when most is given up.
#[test]
fn sandbox_changes_no_listing() {
    let Some(host) = Host::new(&["python3", "unshare"]) else { return };
    let _services = host.receiver_and_connection();
    let mut kinds = host.python("every_kind.py", &[]);
    kinds.line();
    let mut elsewhere = host.start("unshare", &["-n", "sh", "-c", "echo ready; exec cat"]);
    assert_eq!(elsewhere.line(), "ready");
    for flags in [
        "-tuxanpe",
        "-A all -anp --json -v",
        "-A all -anp --csv --netns all --peers -v",
        "-anp --netns all --source text --json",
        "-A all -n --csv --columns +unit,container,cgroup,cwd",
        "-A all -n --table",
        "-tuap",
        "-tan --user root --json",
    ] {
        let [sandboxed, free] = ["", " --no-sandbox"].map(|option| {
            let run = host.rnetstat(&format!("{flags}{option}")).run();
            (without_times(&run.stdout), run.stderr, run.status)
        });
        assert!(sandboxed.0.lines().count() > 1, "{flags}: {sandboxed:?}");
        assert_eq!(sandboxed, free, "{flags}");
    }
}

#[test]
fn system_calls_that_are_not_listed_are_refused() {
    let directory = TempDir::new().unwrap();
    let attempts = |needs| {
        let path = directory.path().join("made");
        // Only this thread has the filter.
        let attempt = move || {
            allow_only(needs).unwrap();
            let namespace = File::open("/proc/thread-self/ns/net").unwrap();
            let results = [
                fs::create_dir(&path),
                File::create(&path).map(drop),
                File::options().append(true).open("/dev/null").map(drop),
                // These also change files, though they open them for reading.
                File::options().read(true).custom_flags(O_CREAT).open(&path).map(drop),
                File::options().read(true).custom_flags(O_TRUNC).open("/dev/null").map(drop),
                UdpSocket::bind("127.0.0.1:0").map(drop),
                setns(namespace, CloneFlags::CLONE_NEWNET).map_err(io::Error::from),
            ];
            results.map(|it| it.is_err_and(|it| it.raw_os_error() == Some(Errno::ENOSYS as i32)))
        };
        thread::spawn(attempt).join().unwrap()
    };
    assert_eq!(attempts(Needs::default()), [true; 7]);
    let needs = Needs { namespaces: true, ..Needs::default() };
    assert_eq!(attempts(needs), [true, true, true, true, true, true, false]);
    assert!(fs::read_dir(directory.path()).unwrap().next().is_none());
}

/// With `-n`, these variables and files do not change the output on a pipe.
#[test]
fn environment_and_working_directory_have_no_influence() {
    let Some(host) = Host::new(&["python3", "env"]) else { return };
    let _services = host.receiver_and_connection();
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
        "-tuxanpe",
        "-n",
        "-tuan --format table --sort -pid --numeric-users",
        "-tuxan --format json --netns all",
        "-tuan --port 5000",
        "--help",
        "--nosuch",
        "--generate bash",
    ] {
        let mut command = host.command("env");
        let clean = command.args(["-i", "-C", "/", RNETSTAT]).args(words(flags)).run();
        let mut command = host.command("env");
        command.args(["-C", evil]);
        command.args(variables.map(|(name, value)| format!("{name}={value}")));
        let found = command.arg(RNETSTAT).args(words(flags)).run();
        assert_eq!(without_times(&found.stdout), without_times(&clean.stdout), "{flags}");
        assert_eq!((found.stderr, found.status), (clean.stderr, clean.status), "{flags}");
        compared += 1;
    }
    say(&format!("{} variables had no influence on {compared} runs", variables.len()));
}
