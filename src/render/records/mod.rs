//! Records for programs: an array of JSON objects, one object per line, or comma-separated values.
//!
//! All text is valid UTF-8: an invalid byte becomes U+FFFD. JSON nests values that belong together;
//! an unknown value is null. csv has columns for each field; `--columns` chooses others.

mod csv;
mod json;

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::fields::{self, Field, ON_REQUEST, PEER};
use crate::listing::{Entry, Listing, Mark};
use crate::names::Names;
use crate::request::{Columns, Format, Look};
pub(super) use csv::CellWriter;
use json::Record;
pub(super) use json::{write_array, write_lines};

/// Writes a listing. `heading` is true if the heading of csv has not been written yet.
pub(super) fn write(
    look: &Look,
    listing: &Listing,
    names: &Names,
    heading: &mut bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let entries = listing.entries().map(|entry| (entry, Mark::Same));
    let heading = look.format == Format::Csv && std::mem::take(heading);
    write_all(look, entries, listing.time, names, heading, out)
}

/// Writes sockets that are new or gone.
pub(super) fn write_entries(
    look: &Look,
    entries: &[(Entry<'_>, Mark)],
    time: SystemTime,
    names: &Names,
    out: &mut impl Write,
) -> io::Result<()> {
    write_all(look, entries.iter().copied(), time, names, false, out)
}

fn write_all<'a>(
    look: &Look,
    entries: impl Iterator<Item = (Entry<'a>, Mark)>,
    time: SystemTime,
    names: &'a Names,
    heading: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let time = look.is_continuous.then(|| seconds(time));
    let peers = look.peers;
    if look.format == Format::Csv {
        let lines = csv::Lines { fields: &fields(look), time, has_events: look.changes, heading };
        return csv::write(&lines, entries, names, out);
    }
    let records = entries.map(|(entry, mark)| Record { entry, names, peers, time, mark });
    match look.format {
        Format::Json => json::write_array(records, out),
        _ => json::write_lines(records, out),
    }
}

/// The fields in records: all, except `peer`, which needs `--peers`; and in csv except those that must
/// be asked for.
pub(super) fn fields(look: &Look) -> Vec<&'static Field> {
    let is_csv = look.format == Format::Csv;
    let is_usual = |&field: &&Field| {
        !(is_csv && ON_REQUEST.contains(&field)) && (*field != PEER || look.peers)
    };
    let usual = fields::ALL.into_iter().filter(is_usual);
    match &look.columns {
        Columns::UsualAnd(more) => {
            let mut fields: Vec<_> = usual.collect();
            fields.extend(more.iter().filter(|&field| !is_usual(field)));
            fields
        }
        Columns::Only(fields) => fields.clone(),
    }
}

/// Seconds since 1970, rounded to milliseconds.
pub(super) fn seconds(time: SystemTime) -> f64 {
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
