//! Comma-separated values as in RFC 4180, except that lines end with a newline alone. There is one
//! line for each owner of a socket, and one line for a socket without a known owner.
//!
//! An unknown value is empty. Foreign text that begins like a formula gets a `'` before it, and `.`
//! replaces characters that can harm a terminal: csv has no escapes.

use std::io::{self, Write};

use csv::{Writer, WriterBuilder};

use crate::fields::{Field, ShownTimer, Subject, Value};
use crate::harmless::harmless;
use crate::listing::{Entry, Mark};
use crate::names::{Names, Number};
use crate::render::table::cell::milliseconds;
use crate::socket::{End, SctpEnd};

/// A spreadsheet takes a cell that begins with one of these characters for a formula, which can
/// start programs and send data. With `'` before it, the cell is text. The wide forms are those of
/// East Asian keyboards.
const STARTS_A_FORMULA: [char; 8] =
    ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// What the lines have.
pub(super) struct Lines<'a> {
    pub(super) fields: &'a [&'static Field],
    /// The first column, if there is one.
    pub(super) time: Option<f64>,
    /// The next column has the change.
    pub(super) has_events: bool,
    /// The first line is a heading.
    pub(super) heading: bool,
}

/// Writes sockets.
pub(super) fn write<'a>(
    lines: &Lines<'_>,
    entries: impl Iterator<Item = (Entry<'a>, Mark)>,
    names: &Names,
    out: &mut impl Write,
) -> io::Result<()> {
    let &Lines { fields, time, has_events, heading } = lines;
    let mut cells = CellWriter::new(out, names);
    if heading {
        let titles = fields.iter().flat_map(|field| field.csv).copied();
        let event = has_events.then_some("event");
        cells.heading(time.map(|_| "time").into_iter().chain(event).chain(titles))?;
    }
    for (entry, mark) in entries {
        let mut owners = entry.owners.all().map(Some).peekable();
        let without_owner = owners.peek().is_none().then_some(None);
        for owner in owners.chain(without_owner) {
            if let Some(time) = time {
                cells.decimal(time)?;
            }
            if has_events {
                cells.text(mark.event().unwrap_or_default())?;
            }
            for field in fields.iter().filter(|field| !field.csv.is_empty()) {
                cells.count = 0;
                cells.value(&(field.value)(&Subject { entry, owner }))?;
                for _ in cells.count..field.csv.len() {
                    cells.text("")?;
                }
            }
            cells.end_line()?;
        }
    }
    cells.flush()
}

/// Writes cells one after the other.
pub(in crate::render) struct CellWriter<'a, W: Write> {
    writer: Writer<W>,
    names: &'a Names,
    /// The number of cells of the current field.
    count: usize,
}

impl<'a, W: Write> CellWriter<'a, W> {
    pub(in crate::render) fn new(out: W, names: &'a Names) -> Self {
        Self { writer: WriterBuilder::new().from_writer(out), names, count: 0 }
    }

    pub(in crate::render) fn heading<'b>(
        &mut self,
        titles: impl Iterator<Item = &'b str>,
    ) -> csv::Result<()> {
        self.writer.write_record(titles)
    }

    pub(in crate::render) fn end_line(&mut self) -> csv::Result<()> {
        self.writer.write_record(None::<&[u8]>)
    }

    pub(in crate::render) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Writes the cells of a value. The caller adds empty cells for the other columns of the field.
    fn value(&mut self, value: &Value<'_>) -> csv::Result<()> {
        match value {
            // The path of a UNIX socket has a column of its own.
            Value::Missing
            | Value::Unknown
            | Value::Timer(_, None)
            | Value::End(End::Path(_))
            | Value::Address(End::Path(_)) => Ok(()),
            Value::Address(End::Other(end)) => self.text(&*end.address),
            Value::End(End::Other(end)) => {
                self.text(&*end.address)?;
                self.number(end.port)
            }
            Value::Interface(index, name) => match name {
                Some(name) => self.foreign(name.as_bytes()),
                None => self.text(format!("if{index}")),
            },
            Value::Address(End::Internet(_, end)) => self.text(end.address.to_string()),
            Value::Address(End::Sctp(end)) => self.text(joined(end.addresses())),
            Value::Kind(kind) => {
                self.text(kind.protocol_name())?;
                self.text(kind.family_name().unwrap_or_default())
            }
            Value::Word(word) => self.text(word),
            Value::Words(words) => self.text(words.join(" ")),
            Value::State(state) => self.text(state.name()),
            Value::Number(number) => self.number(Some(*number)),
            Value::Flag(flag) => self.text(flag.to_string()),
            Value::Microseconds(number) => self.text(milliseconds(*number)),
            Value::Local(socket, _) => {
                self.value(&Value::End(End::Internet(socket.protocol, socket.local)))
            }
            Value::Text(text) => self.foreign(text),
            Value::End(End::Internet(protocol, end)) => {
                self.text(end.address.to_string())?;
                self.number(Some(end.port))?;
                self.name(Number::Host(end.address))?;
                self.name(Number::port(*protocol, end.port))
            }
            Value::End(End::Sctp(end)) => {
                self.text(joined(end.addresses()))?;
                self.number(Some(end.port))?;
                self.hosts(end)
            }
            Value::User(uid) => {
                self.number(Some(*uid))?;
                self.name(Number::User(*uid))
            }
            Value::Timer(protocol, Some(timer)) => {
                let timer = ShownTimer(*protocol, *timer);
                self.text(timer.kind().unwrap_or_default())?;
                self.decimal(timer.seconds())?;
                self.number(Some(timer.retransmits()))?;
                self.number(Some(timer.1.probes))
            }
            Value::Namespace(namespace) => {
                self.number(namespace.number)?;
                self.foreign(namespace.name().unwrap_or_default().as_bytes())
            }
            Value::Pid(owner, owners) => {
                self.number(owners.are_known().then(|| owners.all().count()))?;
                self.number(owner.map(|owner| owner.process.pid))
            }
            Value::Fds(owner) => self.text(joined(owner.fds())),
            Value::Program(command) => self.foreign(command.program()),
            Value::Command(command) => self.foreign(&command.joined()),
            Value::Peer(owners) => {
                let pids = owners.all().map(|owner| owner.process.pid);
                self.number(Some(owners.inode))?;
                self.text(if owners.are_known() { joined(pids) } else { String::new() })
            }
        }
    }

    pub(in crate::render) fn text(&mut self, text: impl AsRef<[u8]>) -> csv::Result<()> {
        self.count += 1;
        self.writer.write_field(text)
    }

    pub(in crate::render) fn number(
        &mut self,
        number: Option<impl itoa::Integer>,
    ) -> csv::Result<()> {
        match number {
            Some(number) => self.text(itoa::Buffer::new().format(number)),
            None => self.text(""),
        }
    }

    /// Writes a number, always with a decimal point.
    pub(in crate::render) fn decimal(&mut self, number: f64) -> csv::Result<()> {
        self.text(format!("{number:?}"))
    }

    fn name(&mut self, number: Number) -> csv::Result<()> {
        self.foreign(self.names.get(number).unwrap_or_default().as_bytes())
    }

    /// Writes the names of all addresses, and an address in the place of a name that is unknown. The
    /// cell is empty if all are.
    fn hosts(&mut self, end: &SctpEnd) -> csv::Result<()> {
        let name = |address| self.names.get(Number::Host(address));
        if end.addresses().all(|address| name(address).is_none()) {
            return self.text("");
        }
        let hosts =
            end.addresses().map(|it| name(it).map_or_else(|| it.to_string(), ToOwned::to_owned));
        self.foreign(joined(hosts).as_bytes())
    }

    /// Writes foreign text, harmless for a terminal and for a spreadsheet. Invalid bytes become
    /// U+FFFD, as in JSON.
    pub(in crate::render) fn foreign(&mut self, text: &[u8]) -> csv::Result<()> {
        let mut cell = String::new();
        cell.extend(harmless(String::from_utf8_lossy(text).as_bytes()));
        if cell.starts_with(STARTS_A_FORMULA) {
            cell.insert(0, '\'');
        }
        self.text(cell)
    }
}

fn joined(values: impl Iterator<Item = impl ToString>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}
