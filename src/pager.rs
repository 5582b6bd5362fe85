//! Shows a listing that is longer than the terminal in a pager.
//!
//! The listing is collected in memory that belongs to no file system (`man 2 memfd_create`). Then the
//! pager takes the place of this program, so that keys such as Ctrl-C are for the pager alone.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::process::Command;

use memchr::memchr_iter;
use rustix::fs::{MemfdFlags, memfd_create};

/// The usual pager: it ends at once if the listing fits on one screen (F), lets colours pass (R), and
/// leaves the listing on the screen (X).
const LESS: [&str; 2] = ["less", "-FRX"];
/// The directories where the usual pager is searched. With sudo, `PATH` can be that of another user.
const PATH: &str = "/usr/bin:/bin";

/// A pager.
#[derive(Debug)]
pub struct Pager {
    command: Command,
    /// The user chose the program.
    is_chosen: bool,
}

impl Pager {
    /// Returns the pager that the value of `PAGER` names: words with spaces between them. Without a
    /// value it is `less -FRX`. An empty value means no pager. `less` is the value of `LESS`.
    ///
    /// `less` starts no other programs and writes no files (`LESSSECURE`), as it can run as root.
    pub fn new(pager: Option<OsString>, less: Option<OsString>) -> Option<Self> {
        let is_chosen = pager.is_some();
        let mut command = match pager {
            None => {
                let [program, options] = LESS;
                let mut command = Command::new(program);
                command.arg(options).env("PATH", PATH);
                command
            }
            Some(pager) => {
                let words = pager.as_bytes().split(u8::is_ascii_whitespace);
                let words = words.filter(|word| !word.is_empty());
                let mut words = words.map(|word| OsString::from_vec(word.to_vec()));
                let mut command = Command::new(words.next()?);
                command.args(words);
                command
            }
        };
        command.env("LESSSECURE", "1").env("LESS", less.unwrap_or_else(|| "FRX".into()));
        Some(Self { command, is_chosen })
    }
}

/// Where a listing goes: to standard output, or to a pager if it is long.
#[derive(Debug)]
pub struct Output {
    out: BufWriter<File>,
    collected: Option<Collected>,
}

#[derive(Debug)]
struct Collected {
    pager: Pager,
    /// The lines of the terminal.
    screen: usize,
    text: BufWriter<File>,
    lines: usize,
}

impl Output {
    /// Returns an output to `out`: through a pager, if there is one, and if the listing has more lines
    /// than the screen.
    pub fn new(out: File, paged: Option<(Pager, u16)>) -> Self {
        let collected = paged.and_then(|(pager, screen)| {
            // If the kernel has no such memory, there is no pager.
            let file = memfd_create("rnetstat", MemfdFlags::CLOEXEC).ok()?;
            let text = BufWriter::new(file.into());
            Some(Collected { pager, screen: screen.into(), text, lines: 0 })
        });
        Self { out: BufWriter::with_capacity(64 * 1024, out), collected }
    }

    /// Returns true if the listing is collected first, as a pager may show it.
    pub fn is_collected(&self) -> bool {
        self.collected.is_some()
    }

    /// Returns true if a pager may start that the user chose.
    pub fn has_chosen_pager(&self) -> bool {
        self.collected.as_ref().is_some_and(|collected| collected.pager.is_chosen)
    }

    /// Writes what is left. If the listing is long, this starts the pager, and returns only if that is
    /// not possible.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(Collected { mut pager, screen, text, lines }) = self.collected.take() {
            let mut file = text.into_inner()?;
            file.seek(SeekFrom::Start(0))?;
            if lines >= screen {
                // Without the pager, the listing is printed.
                let _ = pager.command.stdin(file.try_clone()?).exec();
            }
            io::copy(&mut file, &mut self.out)?;
        }
        self.out.flush()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(Collected { text, lines, .. }) = &mut self.collected else {
            return self.out.write(bytes);
        };
        let count = text.write(bytes)?;
        *lines += memchr_iter(b'\n', bytes.get(..count).unwrap_or_default()).count();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.collected {
            Some(collected) => collected.text.flush(),
            None => self.out.flush(),
        }
    }
}
