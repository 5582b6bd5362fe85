//! The layouts. They write a listing to a [`std::io::Write`].

mod netstat;
mod records;
pub mod table;

use std::io::{self, Write};

use crate::fields::Field;
use crate::listing::Listing;
use crate::names::Names;
use crate::request::{Format, Look};
use table::Screen;

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
            Format::Json | Format::Jsonl | Format::Csv => {
                records::write(&self.look, listing, names, &mut self.heading, &mut out)?;
            }
        }
        out.flush()?;
        Ok(hidden)
    }
}

/// The fields that a layout shows.
pub fn fields(look: &Look) -> Vec<&'static Field> {
    match look.format {
        Format::Netstat => netstat::fields(look),
        Format::Table => table::fields(look),
        Format::Json | Format::Jsonl | Format::Csv => records::fields(look),
    }
}
