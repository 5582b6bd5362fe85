//! What holds of whatever comes from outside: one function for each fuzz target. The inputs that
//! fuzzing has found are in `fixtures/corpus`, a folder for each, and are tried again as tests.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "what does not hold is to be noticed"
)]

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use crate::cli::{self, Repeat, Request, Task};
use crate::gather::Gatherer;
pub use crate::owners::fuzzing::link;
use crate::render::table::Screen;
use crate::render::{Format, Renderer, harmless};
pub use crate::tables::fuzzing::{netlink, text};

/// A command line: words that each end with a NUL.
pub fn arguments(input: &[u8]) {
    let words = || {
        let words = input.split(|&byte| byte == 0).map(|word| OsString::from_vec(word.to_vec()));
        std::iter::once(OsString::from("rnetstat")).chain(words)
    };
    match (cli::parse(words()), cli::parse(words())) {
        (Ok(one), Ok(other)) => assert_eq!(one, other),
        (Err(one), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            assert_eq!(one.use_stderr(), one.exit_code() == 2, "{one}");
        }
        (one, other) => panic!("{one:?}, and then {other:?}"),
    }
}

/// A whole run on a /proc tree, made below `root`, which is an empty directory.
///
/// The first line has the arguments. Each part behind that begins with a line, `== PATH` or
/// `== PATH -> LINK`, and what follows are a file's bytes.
pub fn tree(input: &[u8], root: &Path) {
    let mut parts = Parts(input);
    let Some((flags, _)) = parts.next() else { return };
    let Some(request) = request(flags, root) else { return };
    for (head, content) in parts {
        plant(root, head, content);
    }
    let mut remarks = Vec::new();
    let mut gatherer = Gatherer::new(&request);
    let mut out = Vec::new();
    let width = input.len().is_multiple_of(7).then_some(80);
    if let Ok(listing) = gatherer.gather(&mut |line| remarks.push(line.to_string())) {
        gatherer.look_up(&listing, &mut |line| remarks.push(line.to_string()));
        let mut renderer = Renderer::new(request.look, Screen { width, color: false });
        renderer.write(&listing, gatherer.names(), &mut out).expect("memory can be written");
    }
    let out = String::from_utf8(out).expect("what is printed is UTF-8");
    for line in out.lines() {
        assert!(line.chars().eq(harmless(line.as_bytes())), "{line:?} drives a terminal");
    }
    match request.look.format {
        Format::Json | Format::Jsonl => {
            let values = serde_json::Deserializer::from_str(&out).into_iter();
            values.for_each(|value: Result<serde_json::Value, _>| drop(value.expect(&out)));
        }
        Format::Csv => {
            let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(out.as_bytes());
            reader.records().for_each(|record| drop(record.expect(&out)));
        }
        Format::Netstat | Format::Table => {}
    }
}

/// The head of each part, and what is in it.
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let head = self.0.iter().position(|&byte| byte == b'\n').unwrap_or(self.0.len());
        let (head, rest) = self.0.split_at(head);
        let rest = rest.get(1..).unwrap_or_default();
        let starts =
            |at: &usize| rest[*at..].starts_with(b"== ") && (*at == 0 || rest[*at - 1] == b'\n');
        let end = (0..rest.len()).find(starts).unwrap_or(rest.len());
        let (content, rest) = rest.split_at(end);
        self.0 = rest.strip_prefix(b"== ").unwrap_or(rest);
        Some((head, content))
    }
}

/// A single listing of this tree, with numbers: to look up the names of hosts would go beyond it.
fn request(flags: &[u8], root: &Path) -> Option<Request> {
    let flags = String::from_utf8_lossy(flags);
    let words = flags.split(' ').filter(|word| !word.is_empty()).map(OsString::from);
    let ends = ["-n".into(), "--proc".into(), root.into()];
    let line = std::iter::once("rnetstat".into()).chain(words).chain(ends);
    match cli::parse(line) {
        Ok(Task::List(request)) if request.repeat == Repeat::Once => Some(*request),
        _ => None,
    }
}

/// Makes a file or a link below `root`, if its path stays there.
fn plant(root: &Path, head: &[u8], content: &[u8]) {
    const DEEPEST: usize = 5;
    let path = |text: &str| -> Option<PathBuf> {
        let path = PathBuf::from(text);
        let mut parts = path.components();
        let stays = parts.all(|part| matches!(part, Component::Normal(_)));
        (stays && !text.contains('\0') && path.components().count() <= DEEPEST).then_some(path)
    };
    let Ok(head) = std::str::from_utf8(head) else { return };
    let (file, target) = match head.split_once(" -> ") {
        Some((file, target)) => (path(file), path(target)),
        None => (path(head), None),
    };
    let Some(file) = file.map(|file| root.join(file)) else { return };
    // A name that is too long, or taken, is no part of the tree.
    let _ = file.parent().map(fs::create_dir_all);
    let _ = match target {
        Some(target) => symlink(target, file),
        None if head.contains(" -> ") => Ok(()),
        None => fs::write(file, content),
    };
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use tempfile::TempDir;

    use super::*;

    /// Tries each input of a corpus.
    fn replay(name: &str, target: impl Fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus").join(name);
        let mut inputs = 0;
        for entry in fs::read_dir(corpus).unwrap() {
            let input = entry.unwrap().path();
            let bytes = fs::read(&input).unwrap();
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| target(&bytes)));
            assert!(result.is_ok(), "{} is the input", input.display());
            inputs += 1;
        }
        assert!(inputs >= 10, "only {inputs} inputs for {name} were found");
        // The test harness does not hold back what is written so.
        let _ = writeln!(io::stderr(), "{inputs} inputs of the corpus tried on {name}");
    }

    #[test]
    fn text_of_any_kind_is_rows_and_faults() {
        replay("text", text);
    }

    #[test]
    fn answers_of_any_kind_are_rows_and_faults() {
        replay("netlink", netlink);
    }

    #[test]
    fn links_of_any_kind_are_inodes_or_nothing() {
        replay("link", link);
    }

    #[test]
    fn arguments_of_any_kind_are_a_request_or_a_refusal() {
        replay("arguments", arguments);
    }

    #[test]
    fn trees_of_any_kind_are_listed_and_harmless() {
        replay("tree", |input| tree(input, TempDir::new().unwrap().path()));
    }
}
