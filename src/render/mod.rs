//! How a listing looks. Layouts write to a [`std::io::Write`] and know nothing of where sockets
//! come from; what they share is here.

mod netstat;
mod records;
pub mod table;
mod timer;

use std::io::{self, Write};
use std::iter::repeat_n;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::listing::Listing;
use crate::names::{Names, Naming};
use crate::query::Scope;
use records::Records;
use table::Screen;
use timer::Shown;

/// The layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// net-tools' own.
    Netstat,
    /// For people.
    Table,
    /// One array of objects.
    Json,
    /// An object a line.
    Jsonl,
    /// Comma-separated values, RFC 4180.
    Csv,
}

impl Format {
    /// Whether it is one that programs read, and has all that is known.
    #[must_use]
    pub fn is_for_programs(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl | Self::Csv)
    }
}

/// Which layout, and which parts of it are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Look {
    /// The layout.
    pub format: Format,
    /// What netstat's headings say is listed.
    pub scope: Scope,
    /// The section of internet sockets.
    pub internet: bool,
    /// The section of UNIX sockets.
    pub unix: bool,
    /// The lines above the sockets.
    pub header: bool,
    /// They are there for a section without sockets as well.
    pub empty_sections: bool,
    /// `-W`: addresses are not cut.
    pub wide: bool,
    /// `-e`: the columns with user and inode.
    pub extended: bool,
    /// `-p`: the column with process and program.
    pub programs: bool,
    /// `-o`: the column with the timer.
    pub timers: bool,
    /// `--peers`: the column with who is at the other end.
    pub peers: bool,
    /// `--netns`: the column with the namespace.
    pub namespaces: bool,
    /// `-c`: records say when they were made.
    pub time: bool,
    /// What is shown by name, where the name is known.
    pub naming: Naming,
}

/// Writes listings, one after the other.
pub struct Renderer {
    look: Look,
    screen: Screen,
    records: Records,
}

impl Renderer {
    /// A renderer for what is a screen, or a pipe.
    #[must_use]
    pub fn new(look: Look, screen: Screen) -> Self {
        Self { look, screen, records: Records::new(look) }
    }

    /// Writes a listing. What of its columns has no room is left out, and named in what it
    /// returns.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn write(
        &mut self,
        listing: &Listing,
        names: &Names,
        mut out: impl Write,
    ) -> io::Result<Vec<&'static str>> {
        let mut left_out = Vec::new();
        match self.look.format {
            Format::Netstat => netstat::write(&self.look, listing, names, &mut out)?,
            Format::Table => {
                left_out = table::write(&self.look, self.screen, listing, names, &mut out)?;
            }
            Format::Json | Format::Jsonl | Format::Csv => {
                self.records.write(listing, names, &mut out)?;
            }
        }
        out.flush()?;
        Ok(left_out)
    }
}

/// The characters of text that another process chose, made harmless for a terminal: what drives
/// it, is invisible or changes the direction of writing becomes `.`, and so does each byte that
/// is no UTF-8. All else stays.
pub fn harmless(text: &[u8]) -> impl Iterator<Item = char> {
    text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|char| if is_visible(char) { char } else { '.' });
        valid.chain(repeat_n('.', chunk.invalid().len()))
    })
}

fn is_visible(char: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate,
        Unassigned,
    };
    match char {
        ' '..='~' => true,
        // Letters and marks that Unicode says to show as nothing (Default_Ignorable_Code_Point),
        // and the blank Braille pattern.
        '\u{34f}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{e0100}'..='\u{e01ef}' => false,
        _ => !matches!(
            char.general_category(),
            Control
                | Format
                | LineSeparator
                | ParagraphSeparator
                | PrivateUse
                | SpaceSeparator
                | Surrogate
                | Unassigned
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: impl AsRef<[u8]>) -> String {
        harmless(text.as_ref()).collect()
    }

    #[test]
    fn printable_text_stays() {
        for text in ["sshd: /usr/sbin", "naïve", "čeština", "日本語", "हिन्दी", "🦀", "a~!\"\\'"]
        {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_drives_a_terminal_becomes_a_dot() {
        assert_eq!(shown("\x1b[31mred\x07\r\n\t\x7f"), ".[31mred.....");
        assert_eq!(shown("c1 \u{9b}31m \u{85}"), "c1 .31m .");
    }

    #[test]
    fn what_is_invisible_or_changes_direction_becomes_a_dot() {
        for char in [
            '\u{a0}',
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2028}',
            '\u{2029}',
            '\u{2066}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e0001}',
            '\u{e0100}',
            '\u{e000}',
            '\u{378}',
        ] {
            assert_eq!(shown(format!("a{char}b")), "a.b", "{}", char.escape_unicode());
        }
    }

    #[test]
    fn each_byte_that_is_no_utf8_becomes_a_dot() {
        assert_eq!(shown(b"a\xff\xfeb"), "a..b");
        assert_eq!(shown(b"cut \xe6\x97"), "cut ..");
        assert_eq!(shown(b"\xc0\xaf \xed\xa0\x80"), ".. ...");
    }
}
