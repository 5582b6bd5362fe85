//! System calls that fail.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::common::host::Host;
use crate::common::{RNETSTAT, Run, difference, run, say, text};
use tempfile::NamedTempFile;

/// The system calls by which it asks the kernel.
const CALLS: [&str; 12] = [
    "openat",
    "read",
    "readlink",
    "readlinkat",
    "getdents64",
    "statx",
    "fstat",
    "newfstatat",
    "fstatfs",
    "socket",
    "sendto",
    "recvfrom",
];

/// What each of them fails with.
const ERRORS: [&str; 5] = ["EACCES", "EIO", "EMFILE", "ENOMEM", "EINTR"];

/// Runs rnetstat with these system calls traced, or changed.
fn trace(host: &Host, what: &str, flags: &[&str]) -> (Run, String) {
    let log = NamedTempFile::new().unwrap();
    let mut command = host.command("strace");
    command.args(["-f", "-o"]).arg(log.path()).args(["-e", what]).arg(RNETSTAT).args(flags);
    let run = run(&mut command);
    (run, fs::read_to_string(log.path()).unwrap())
}

/// How often a system call was made before rnetstat itself began, and in all.
fn count(log: &str, call: &str) -> (usize, usize) {
    // The last thing that is done before.
    let begun = log.find("rt_sigaction(SIGPIPE").unwrap();
    let calls = |log: &str| log.matches(&format!(" {call}(")).count();
    (calls(&log[..begun]), calls(log))
}

/// A system call that is to fail.
struct Job<'a> {
    flags: &'a [&'a str],
    expected: &'a str,
    call: &'a str,
    /// Which of the calls of this name, from 1.
    number: usize,
    error: &'a str,
}

impl Job<'_> {
    /// What is wrong with the run in which it fails, if anything is.
    fn failure(&self, host: &Host) -> Option<String> {
        let Self { flags, expected, call, number, error } = self;
        let what = format!("inject={call}:error={error}:when={number}");
        let (run, log) = trace(host, &what, flags);
        let Run { stdout, stderr, status } = &run;
        let is_whole = stdout == expected && *status == Some(0);
        // That sockets may be an outsider's says nothing of what has failed.
        let mut said =
            stderr.lines().filter(|line| !line.contains("outside of this PID namespace"));
        let is_said = said.next().is_some() && matches!(status, Some(0 | 2));
        let ours = ["rnetstat: ", "(Not all processes", " will not be shown", "(No info could"];
        let is_clear = stderr.lines().all(|line| ours.iter().any(|ours| line.starts_with(ours)));
        // What was interrupted is done again.
        let is_done = *error != "EINTR" || is_whole && stderr.is_empty();
        let injected = log.lines().find(|line| line.contains("INJECTED"));
        if (is_whole || is_said) && is_clear && is_done && injected.is_some() {
            return None;
        }
        let difference = difference(expected, stdout).unwrap_or_default();
        Some(format!("{flags:?} {what}\n{injected:?}\n{status:?} {stderr}\n{difference}"))
    }
}

/// Each system call fails in turn, with each error: either all rows are there, or it is said that
/// they are not; or there are none, and the status is 2.
#[test]
fn no_system_call_that_fails_is_kept_quiet() {
    let Some(host) = Host::new(&["python3", "strace"]) else { return };
    let mut receiver = host.start("python3", &["tests/programs/receiver.py"]);
    receiver.line();
    let mut server = host.start("python3", &["tests/programs/server.py", "5001"]);
    server.line();
    let mut client = host.start("python3", &["tests/programs/client.py", "5001"]);
    client.line();
    server.line();
    let layouts: [&[&str]; 4] = [
        &["-tuxanp"],
        &["-tuxanp", "--source", "netlink"],
        &["-tuxan", "--format", "jsonl", "--netns", "all"],
        &["-tuxan", "--format", "table"],
    ];
    let traced = layouts.map(|flags| {
        let what = format!("trace=rt_sigaction,{}", CALLS.join(","));
        let (run, log) = trace(&host, &what, flags);
        assert_eq!((run.stderr.as_str(), run.status), ("", Some(0)), "{flags:?}");
        assert!(["5000", "5001"].iter().all(|port| run.stdout.contains(port)), "{}", run.stdout);
        (flags, run.stdout, log)
    });
    let mut jobs = Vec::new();
    for (flags, expected, log) in &traced {
        for call in CALLS {
            let (before, all) = count(log, call);
            for number in before + 1..=all {
                jobs.extend(ERRORS.map(|error| Job { flags, expected, call, number, error }));
            }
        }
    }
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // Something else may have happened on the host; it does not happen twice.
                    if job.failure(&host).is_some()
                        && let Some(failure) = job.failure(&host)
                    {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        jobs.len(),
        failures.join("\n\n")
    );
    assert!(jobs.len() > 1000, "only {} calls", jobs.len());
    say(&format!("{} system calls failed in turn, and none was kept quiet", jobs.len()));
}

#[test]
fn what_cannot_be_written_is_said() {
    let Some(host) = Host::new(&["strace"]) else { return };
    for format in ["netstat", "table", "json", "jsonl", "csv"] {
        let flags = ["-tan", "--proc", "fixtures/01-lab/proc", "--format", format];
        for error in ["EIO", "ENOSPC", "EACCES", "ENOMEM"] {
            // Its own words on stderr are written after that.
            let (run, _) = trace(&host, &format!("inject=write:error={error}:when=1"), &flags);
            assert!(run.stderr.starts_with("rnetstat: cannot write the listing: "), "{run:?}");
            assert_eq!(run.status, Some(2), "{format} {error}");
        }
        let whole = trace(&host, "trace=write", &flags).0;
        let (again, _) = trace(&host, "inject=write:error=EINTR:when=1", &flags);
        assert_eq!(again, whole);
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let output = host.command(RNETSTAT).args(flags).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(text(output.stderr).ends_with("No space left on device (os error 28)\n"));
    }
}
