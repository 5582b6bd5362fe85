//! System calls that fail.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::common::host::Host;
use crate::common::run::{Run, RunCommand};
use crate::common::{FORMATS, difference, full_disk, say};

/// The system calls that read sockets, processes and namespaces.
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

/// The errors with which each of these calls fails.
const ERRORS: [&str; 5] = ["EACCES", "EIO", "EMFILE", "ENOMEM", "EINTR"];

/// Returns how often a trace has a system call: before `main` of rnetstat, and in total.
fn count(log: &str, call: &str) -> (usize, usize) {
    // Rust's runtime ignores SIGPIPE just before `main`.
    let start = log.find("rt_sigaction(SIGPIPE").unwrap();
    let calls = |log: &str| log.matches(&format!(" {call}(")).count();
    (calls(&log[..start]), calls(log))
}

/// A run in which one system call fails.
struct Job<'a> {
    flags: &'a str,
    /// The listing of a run without failures.
    expected: &'a str,
    call: &'a str,
    /// The number of the call among those with this name, from 1.
    number: usize,
    error: &'a str,
}

/// Returns a listing as JSON without what only netlink tells: if the text is read instead, it is unknown.
fn without_facts(listing: &str) -> String {
    let line =
        |line: &str| match (line.split_once(",\"interface\":"), line.split_once(",\"netns\":")) {
            (Some((start, _)), Some((_, end))) => format!("{start},\"netns\":{end}"),
            _ => line.to_owned(),
        };
    listing.split_inclusive('\n').map(line).collect()
}

impl Job<'_> {
    /// Runs the program. Returns `None` if the failure was harmless or reported, else a
    /// description.
    fn failure(&self, host: &Host) -> Option<String> {
        let Self { flags, expected, call, number, error } = self;
        let options = format!("-e inject={call}:error={error}:when={number}");
        let (Run { stdout, stderr, status }, log) = host.strace(&options, flags);
        let stdout = without_facts(&stdout);
        let is_complete = stdout == *expected && status == Some(0);
        // This remark is about the PID namespace, and not about a failure.
        let mut remarks =
            stderr.lines().filter(|line| !line.contains("outside of this PID namespace"));
        let is_reported = remarks.next().is_some() && matches!(status, Some(0 | 2));
        let ours = ["rnetstat: ", "(Not all processes", " will not be shown", "(No info could"];
        let is_clear = stderr.lines().all(|line| ours.iter().any(|ours| line.starts_with(ours)));
        // An interrupted call must be repeated.
        let is_repeated = *error != "EINTR" || is_complete && stderr.is_empty();
        let injected = log.lines().find(|line| line.contains("INJECTED"));
        if (is_complete || is_reported) && is_clear && is_repeated && injected.is_some() {
            return None;
        }
        let difference = difference(expected, &stdout).unwrap_or_default();
        Some(format!("{flags} {options}\n{injected:?}\n{status:?} {stderr}\n{difference}"))
    }
}

/// Makes each of these calls fail once after the start of `main`, with each error. Then the listing
/// is complete, or there is a remark and the status is 0 or 2.
#[test]
fn every_failed_system_call_is_harmless_or_reported() {
    let Some(host) = Host::new(&["python3", "strace"]) else { return };
    let _services = host.receiver_and_connection();
    let layouts = [
        "-tuxanp",
        "-tuxanp --source netlink",
        "-tuxan --format jsonl --netns all",
        "-tuxan --format table --numeric-users",
    ];
    let traced = layouts.map(|flags| {
        let options = format!("-e trace=rt_sigaction,{}", CALLS.join(","));
        let (run, log) = host.strace(&options, flags);
        assert_eq!((run.stderr.as_str(), run.status), ("", Some(0)), "{flags}");
        assert!(["5000", "5001"].iter().all(|port| run.stdout.contains(port)), "{}", run.stdout);
        (flags, without_facts(&run.stdout), log)
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
                    // Something else can change the host during a run, but hardly twice in
                    // succession.
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
    say(&format!("{} system calls failed in turn, and each was harmless or reported", jobs.len()));
}

#[test]
fn write_errors_are_reported() {
    let Some(host) = Host::new(&["strace"]) else { return };
    for format in FORMATS {
        let flags = format!("-tan --proc fixtures/01-lab/proc --format {format}");
        for error in ["EIO", "ENOSPC", "EACCES", "ENOMEM"] {
            // Only the first write fails: that of the listing. The message on stderr comes later.
            let (run, _) = host.strace(&format!("-e inject=write:error={error}:when=1"), &flags);
            assert!(run.stderr.starts_with("rnetstat: cannot write the output: "), "{run:?}");
            assert_eq!(run.status, Some(2), "{format} {error}");
        }
        let (complete, _) = host.strace("-e trace=write", &flags);
        let (again, _) = host.strace("-e inject=write:error=EINTR:when=1", &flags);
        assert_eq!(again, complete);
        let message = host.rnetstat(&flags).stdout(full_disk()).error();
        assert!(message.ends_with("No space left on device (os error 28)\n"), "{message}");
    }
}
