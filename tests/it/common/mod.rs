//! What the tests share: the program under test, comparing texts, and hosts of their own.

pub mod host;
pub mod schema;

use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The program under test.
pub const RNETSTAT: &str = env!("CARGO_BIN_EXE_rnetstat");

/// A user who is not root and owns nothing.
pub const NOBODY: u32 = 65534;

/// Whether the tests run as root.
pub fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

/// Runs the program under test.
pub fn rnetstat(arguments: &[&str]) -> Output {
    Command::new(RNETSTAT).args(arguments).output().expect("rnetstat should run")
}

/// What a run printed, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    pub stdout: String,
    pub stderr: String,
    pub status: Option<i32>,
}

/// Runs a command that reads nothing.
pub fn run(command: &mut Command) -> Run {
    let output = command.stdin(Stdio::null()).output().expect("the command should run");
    Run { stdout: text(output.stdout), stderr: text(output.stderr), status: output.status.code() }
}

/// The text of an output, which is UTF-8 whatever a process calls itself.
pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("the output should be UTF-8")
}

/// A directory that every user can enter, with a copy of the program under test.
pub fn public_copy() -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a temporary directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let program = directory.path().join("rnetstat");
    // Were it written by this process, another thread's child could hold it open to be written, and
    // a file that is cannot be run.
    let copied = Command::new("cp").arg(RNETSTAT).arg(&program).status().expect("cp should run");
    assert!(copied.success());
    (directory, program)
}

/// The first lines that differ between two texts, side by side; none when they are the same.
pub fn difference(expected: &str, found: &str) -> Option<String> {
    const SHOWN: usize = 4;
    if expected == found {
        return None;
    }
    let (mut one, mut other) = (expected.split('\n'), found.split('\n'));
    let pairs = std::iter::from_fn(|| match (one.next(), other.next()) {
        (None, None) => None,
        pair => Some(pair),
    });
    let differing = (1..).zip(pairs).filter(|(_, (expected, found))| expected != found);
    let shown = differing.take(SHOWN).map(|(number, (expected, found))| {
        let line = |line: Option<&str>| line.map_or("(nothing)".to_owned(), |it| format!("{it:?}"));
        format!("line {number}\n  expected {}\n  found    {}\n", line(expected), line(found))
    });
    Some(shown.collect())
}

/// Whether these programs are there. Without one a test says that it is skipped, but where
/// `CI` is set that is a failure.
pub fn have(tools: &[&str]) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let found =
        |tool: &&str| env::split_paths(&path).any(|directory| directory.join(tool).exists());
    match tools.iter().find(|tool| !found(tool)) {
        Some(tool) => {
            skipped(&format!("no {tool}"));
            false
        }
        None => true,
    }
}

/// Says that a test is skipped, or fails it where `CI` is set.
pub fn skipped(why: &str) {
    assert!(env::var_os("CI").is_none(), "this test may not be skipped here: {why}");
    say(&format!("skipped: {why}"));
}

/// Says something on stderr that the test harness does not hold back.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Copies a tree, symbolic links as they are.
pub fn copy_tree(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-dR").args([from, to]).status().expect("cp should run");
    assert!(copied.success());
}
