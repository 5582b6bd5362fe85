//! The checks that every input must pass: one function for each fuzz target. The tests replay the
//! inputs that fuzzing found; each target has a folder of them in `fixtures/corpus`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a check that fails panics"
)]

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use crate::cli::{self, Task};
use crate::fields::Groups;
use crate::gather::Gatherer;
use crate::harmless::harmless;
pub use crate::owners::fuzzing::link;
use crate::remark::Remark;
use crate::render::Renderer;
use crate::render::table::Screen;
use crate::request::{Format, Repeat, Request};
pub use crate::tables::fuzzing::{netlink, text};

/// Checks that a command line is parsed twice with the same result. NULs separate its words.
pub fn arguments(input: &[u8]) {
    let words = || {
        let words = input.split(|&byte| byte == 0).map(|word| OsString::from_vec(word.to_vec()));
        std::iter::once(OsString::from("rnetstat")).chain(words)
    };
    match (cli::parse(words()), cli::parse(words())) {
        (Ok(one), Ok(other)) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
        (Err(one), Err(other)) => assert_eq!(one.lines(), other.lines()),
        (one, other) => panic!("{one:?}, and then {other:?}"),
    }
}

/// Checks a whole run on a /proc tree, which is made in the empty directory `root`.
///
/// The first line of the input has the arguments. Each part after it begins with a line `== PATH`
/// or `== PATH -> LINK`; the bytes of the file follow.
pub fn tree(input: &[u8], root: &Path) {
    let mut parts = Parts(input);
    let Some((flags, _)) = parts.next() else { return };
    let Some(request) = request(flags, root) else { return };
    for (head, content) in parts {
        plant(root, head, content);
    }
    let mut out = Vec::new();
    let width = input.len().is_multiple_of(7).then_some(80);
    let mut each = |remark: Remark| assert!(!remark.lines().is_empty());
    if let Ok(mut gatherer) = Gatherer::new(&request, &mut |_| ())
        && let Ok(listing) = gatherer.gather(&mut each)
    {
        let look = &request.look;
        let mut renderer = Renderer::new(look.clone(), Screen { width, color: false });
        if let Some(grouping) = &look.grouping {
            let groups = Groups::new(&listing, grouping);
            gatherer.look_up_groups(&groups, &mut each);
            let written = renderer.write_groups(&groups, listing.time, gatherer.names(), &mut out);
            written.expect("memory can be written");
        } else {
            gatherer.look_up(&listing, &mut each);
            renderer.write(&listing, gatherer.names(), &mut out).expect("memory can be written");
        }
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
        Format::Netstat | Format::Table | Format::Openmetrics => {}
    }
}

/// Iterates over the parts. An item is the first line of a part, and the rest of the part.
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

/// Returns a request for one listing of this tree. Adds `-n`: names are not part of the tree.
fn request(flags: &[u8], root: &Path) -> Option<Request> {
    let flags = String::from_utf8_lossy(flags);
    let words = flags.split(' ').filter(|word| !word.is_empty()).map(OsString::from);
    let ends = ["-n".into(), "--proc".into(), root.into()];
    let line = std::iter::once("rnetstat".into()).chain(words).chain(ends);
    let is_single = |request: &Request| {
        !request.look.is_continuous && matches!(request.repeat, Repeat::Rounds(_))
    };
    match cli::parse(line) {
        Ok(Task::List(request)) if is_single(&request) => Some(*request),
        _ => None,
    }
}

/// Makes a file or a link, if its path stays below `root`.
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
    // Ignore errors: the name can be too long, or can exist already.
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

    /// Checks every input of a corpus.
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
        assert!(inputs >= 20, "only {inputs} inputs for {name} were found");
        // `eprintln!` would be captured by the test harness.
        let _ = writeln!(io::stderr(), "{inputs} inputs of the corpus tried on {name}");
    }

    #[test]
    fn checks_hold_for_all_texts_in_the_corpus() {
        replay("text", text);
    }

    #[test]
    fn checks_hold_for_all_netlink_datagrams_in_the_corpus() {
        replay("netlink", netlink);
    }

    #[test]
    fn checks_hold_for_all_descriptor_links_in_the_corpus() {
        replay("link", link);
    }

    #[test]
    fn checks_hold_for_all_command_lines_in_the_corpus() {
        replay("arguments", arguments);
    }

    #[test]
    fn checks_hold_for_all_proc_trees_in_the_corpus() {
        replay("tree", |input| tree(input, TempDir::new().unwrap().path()));
    }
}
