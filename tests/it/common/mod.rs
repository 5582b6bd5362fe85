//! Helpers for all tests: skipped tests, missing tools, differences between texts, and files.

pub mod host;
pub mod kinds;
pub mod pty;
pub mod rows;
pub mod run;
pub mod schema;
pub mod service;
pub mod terminal;

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use run::RunCommand;

/// The UID of the user nobody, who owns no process and no file.
pub const NOBODY: u32 = 65534;

/// The values of `--format`.
pub const FORMATS: [&str; 5] = ["netstat", "table", "json", "jsonl", "csv"];

/// Returns true if the tests run as root.
pub fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

/// Returns true if the tests run as root, and reports the test as skipped if not.
pub fn needs_root() -> bool {
    if !is_root() {
        skipped("not root");
    }
    is_root()
}

/// Returns true if all these programs are on PATH, and reports the test as skipped if not.
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

/// Reports that a test is skipped. Fails if the variable `CI` is set.
pub fn skipped(why: &str) {
    assert!(env::var_os("CI").is_none(), "a test was skipped with CI set: {why}");
    say(&format!("skipped: {why}"));
}

/// Writes a line to stderr. `eprintln!` would be captured by the test harness.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Returns the first lines that differ between two texts, or `None` if the texts are equal.
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

/// Splits flags or other arguments at spaces.
pub fn words(arguments: &str) -> impl Iterator<Item = &str> {
    arguments.split(' ').filter(|word| !word.is_empty())
}

/// Copies the program under test to a new directory that every user can enter.
pub fn public_copy() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = directory.path().join("rnetstat");
    // Let cp write the copy. If this process wrote it, a program that another test starts at that
    // moment would have the descriptor until its exec, and running the copy would fail (ETXTBSY).
    Command::new("cp").arg(run::program()).arg(&program).succeed();
    (directory, program)
}

/// Compiles a program of `tests/programs/` to a library for `LD_PRELOAD`. Needs `cc`.
pub fn library(source: &str) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let library = directory.path().join("library.so");
    let source = format!("tests/programs/{source}");
    Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).succeed();
    (directory, library)
}

/// Copies a tree. Symbolic links stay links.
pub fn copy_tree(from: &Path, to: &Path) {
    Command::new("cp").arg("-dR").args([from, to]).succeed();
}

/// Makes a /proc tree with these files, given as path and content.
pub fn proc_tree(files: &[(&str, &str)]) -> TempDir {
    let root = TempDir::new().unwrap();
    for (path, content) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    root
}

/// Opens `/dev/full`, where every write fails because the disk is full.
pub fn full_disk() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// Returns a listing as JSON without the times since data was sent and received, which run on.
pub fn without_times(json: &str) -> String {
    let mut parts = json.split("\"last_");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.trim_start_matches(|it: char| it != ','));
    first + &rest.collect::<String>()
}
