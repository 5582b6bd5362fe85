//! JSON, RFC 8259.

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::Record;
use crate::render::is_visible;

/// One array of all of them.
pub(super) fn write_array<'a>(
    records: impl Iterator<Item = Record<'a>>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut before = "[\n";
    for record in records {
        out.write_all(before.as_bytes())?;
        write(&record, out)?;
        before = ",\n";
    }
    out.write_all(if before == "[\n" { b"[]\n" } else { b"\n]\n" })
}

/// Each of them on a line of its own.
pub(super) fn write_lines<'a>(
    records: impl Iterator<Item = Record<'a>>,
    out: &mut impl Write,
) -> io::Result<()> {
    for record in records {
        write(&record, out)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn write(record: &Record<'_>, out: &mut impl Write) -> io::Result<()> {
    Ok(record.serialize(&mut Serializer::with_formatter(out, Harmless))?)
}

/// Compact, and harmless to a terminal: characters that drive it, are invisible or change the
/// direction of writing are escaped, and nothing of them is lost.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, char)) = rest.char_indices().find(|&(_, char)| !is_visible(char)) {
            let (plain, from) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = from.get(char.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}
