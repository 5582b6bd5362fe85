//! The layouts. They write a listing to a [`std::io::Write`].

pub mod groups;
mod netstat;
mod parallel;
mod records;
pub mod table;

use std::io::{self, Write};
use std::time::SystemTime;

use crate::fields::{Field, Groups, Value};
use crate::listing::{Entry, Listing, Mark};
use crate::names::Names;
use crate::request::{Format, Look};
use table::Screen;
pub(crate) use table::sheet::Tone;
pub(crate) use table::short::{ADDRESS, SHORTEST_ADDRESS, Shortened, Wanted};

/// Writes listings in one layout.
pub struct Renderer {
    look: Look,
    screen: Screen,
    /// The heading of csv has not been written yet. It comes once, before the first listing.
    heading: bool,
}

impl Renderer {
    /// Returns a renderer for output to this screen.
    pub fn new(look: Look, screen: Screen) -> Self {
        Self { heading: look.header, look, screen }
    }

    /// The layout.
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// Writes a listing. Returns the titles of the columns that did not fit.
    pub fn write(
        &mut self,
        listing: &Listing,
        names: &Names,
        mut out: impl Write,
    ) -> io::Result<Vec<&'static str>> {
        let mut hidden = Vec::new();
        match self.look.format {
            Format::Netstat => netstat::write(&self.look, listing, names, &mut out)?,
            Format::Table => {
                hidden = table::write(&self.look, self.screen, listing, names, &mut out)?;
            }
            Format::Json | Format::Jsonl | Format::Csv | Format::Openmetrics => {
                records::write(&self.look, listing, names, &mut self.heading, &mut out)?;
            }
        }
        out.flush()?;
        Ok(hidden)
    }
}

impl Renderer {
    /// Writes the sockets that are new or gone, if there are any.
    pub fn write_changes(
        &mut self,
        mut entries: Vec<(Entry<'_>, Mark)>,
        time: SystemTime,
        names: &Names,
        mut out: impl Write,
    ) -> io::Result<()> {
        entries.retain(|&(_, mark)| mark != Mark::Same);
        if entries.is_empty() {
            return Ok(());
        }
        let look = Look { header: false, ..self.look.clone() };
        match look.format {
            Format::Netstat => netstat::write_changes(&look, &entries, names, &mut out)?,
            Format::Table => {
                let entries = entries.iter().copied();
                table::write_rows(&look, self.screen, names, true, &entries, &mut out)?;
            }
            Format::Json | Format::Jsonl | Format::Csv | Format::Openmetrics => {
                records::write_entries(&look, &entries, time, names, &mut out)?;
            }
        }
        out.flush()
    }

    /// Writes counts of sockets.
    pub fn write_groups(
        &mut self,
        groups: &Groups<'_>,
        time: SystemTime,
        names: &Names,
        mut out: impl Write,
    ) -> io::Result<()> {
        let Look { header, is_continuous, format, .. } = self.look;
        let time = is_continuous.then(|| records::seconds(time));
        match format {
            // netstat's layout has no groups.
            Format::Netstat | Format::Table => {
                groups::write_table(groups, names, header, self.screen, &mut out)?;
            }
            Format::Json | Format::Jsonl => {
                let is_array = format == Format::Json;
                groups::write_json(groups, names, time, is_array, &mut out)?;
            }
            Format::Csv => {
                let heading = std::mem::take(&mut self.heading);
                groups::write_csv(groups, names, time, heading, &mut out)?;
            }
            Format::Openmetrics => groups::write_metrics(groups, names, &mut out)?,
        }
        out.flush()
    }
}

/// Returns the text of a value in the table, harmless for a terminal. Shows all addresses of an end if
/// `wide`.
pub(crate) fn text(value: &Value<'_>, names: &Names, wide: bool) -> String {
    table::cell::Show { names, wide, shortened: None }.text(value)
}

/// Returns the text of a value like [`text`], with short hosts.
pub(crate) fn short_text(value: &Value<'_>, names: &Names, hosts: &Shortened) -> String {
    table::cell::Show { names, wide: false, shortened: Some(hosts) }.text(value)
}

/// The fields that a layout shows.
pub fn fields(look: &Look) -> Vec<&'static Field> {
    if let Some(grouping) = &look.grouping {
        return grouping.fields().collect();
    }
    match look.format {
        Format::Netstat => netstat::fields(look),
        Format::Table => table::fields(look),
        Format::Json | Format::Jsonl | Format::Csv | Format::Openmetrics => records::fields(look),
    }
}
