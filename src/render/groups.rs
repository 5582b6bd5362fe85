//! Counts of sockets: as a table, as records, and as metrics.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};
use unicode_width::UnicodeWidthStr;

use super::records::{self, CellWriter};
use super::table::Screen;
use super::table::{cell, styled_heading};
use crate::fields::{Align, Groups, Sums, Value};
use crate::harmless::harmless;
use crate::names::{Names, Number};
use crate::namespaces::Namespace;
use crate::socket::State;

/// The keys of the sums.
const SUMS: [&str; 3] = ["sockets", "recv_q", "send_q"];
/// Their titles.
const TITLES: [&str; 3] = ["Sockets", "Recv-Q", "Send-Q"];
/// The name of the group with the sockets of all groups that are not shown. In records it is a key
/// of its own, which is true: a program can have this name.
const OTHER: &str = "other";

/// A value in records and metrics.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
enum Plain<'a> {
    Missing,
    Number(u64),
    Text(Cow<'a, str>),
}

impl<'a> Plain<'a> {
    /// `numbers` has no names: records have hosts and ports as numbers.
    fn new(value: &Value<'a>, names: &'a Names, numbers: &Names) -> Self {
        let text = |text: Vec<u8>| Self::Text(String::from_utf8_lossy(&text).into_owned().into());
        match value {
            Value::Pid(None, owners) if !owners.are_known() => Self::Text("?".into()),
            Value::Missing | Value::Pid(None, _) => Self::Missing,
            Value::Namespace(Namespace { number: Some(number), .. }) | Value::Number(number) => {
                Self::Number(*number)
            }
            Value::Pid(Some(owner), _) => Self::Number(owner.process.pid.into()),
            Value::State(state) => Self::Text(State::name(*state).into()),
            Value::Text(text) => Self::Text(String::from_utf8_lossy(text)),
            Value::Program(command) => text(command.short()),
            Value::Command(command) => text(command.title()),
            Value::User(uid) => Self::Text(match names.get(Number::User(*uid)) {
                Some(name) => name.into(),
                None => uid.to_string().into(),
            }),
            _ => Self::Text(cell::text(value, numbers, true).into()),
        }
    }

    /// Returns the text, harmless for a terminal. It is empty for a missing value.
    fn shown(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => harmless(text.as_bytes()).collect(),
        }
    }
}

/// Returns the names of the keys in records: `-` becomes `_`.
fn keys(groups: &Groups<'_>) -> Vec<String> {
    groups.keys.iter().map(|field| field.key.replace('-', "_")).collect()
}

/// A row of records: the values of the keys, and the sums.
struct Row<'a> {
    values: Vec<Plain<'a>>,
    sums: Sums,
    /// It has the sockets of all groups that are not shown.
    is_other: bool,
}

/// Returns the rows of records.
fn rows<'a>(groups: &Groups<'a>, names: &'a Names) -> Vec<Row<'a>> {
    let numbers = Names::default();
    let rows = groups.groups.iter().map(|group| {
        let values = group.values.iter().map(|it| Plain::new(it, names, &numbers));
        Row { values: values.collect(), sums: group.sums, is_other: false }
    });
    let other = groups.other.map(|sums| {
        let values = vec![Plain::Missing; groups.keys.len()];
        Row { values, sums, is_other: true }
    });
    rows.chain(other).collect()
}

/// Writes the groups as a table with a line for the total.
pub(super) fn write_table(
    groups: &Groups<'_>,
    names: &Names,
    header: bool,
    screen: Screen,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut rows = Vec::with_capacity(groups.groups.len() + 3);
    let row = |keys: Vec<String>, sums: Sums| {
        let numbers = [sums.sockets, sums.receive, sums.send].map(|number| number.to_string());
        keys.into_iter().chain(numbers).collect::<Vec<_>>()
    };
    let in_first_column = |name: &str| {
        let others = groups.keys.iter().skip(1).map(|_| String::new());
        [name.to_owned()].into_iter().chain(others).collect()
    };
    if header {
        let titles = groups.keys.iter().map(|field| field.title).chain(TITLES);
        rows.push(titles.map(ToOwned::to_owned).collect());
    }
    rows.extend(groups.groups.iter().map(|group| {
        let keys = group.values.iter().map(|value| match value {
            Value::Missing => "-".to_owned(),
            value => cell::text(value, names, true),
        });
        row(keys.collect(), group.sums)
    }));
    rows.extend(groups.other.map(|sums| row(in_first_column(OTHER), sums)));
    rows.extend(header.then(|| row(in_first_column("total"), groups.total)));
    let mut aligned = groups.keys.iter().map(|field| field.align).collect::<Vec<_>>();
    aligned.extend([Align::Right; SUMS.len()]);
    let mut lines = aligned_lines(&rows, &aligned);
    if header && let Some(heading) = lines.next() {
        writeln!(out, "{}", styled_heading(&heading, screen))?;
    }
    lines.try_for_each(|line| writeln!(out, "{line}"))
}

/// Arranges rows in columns. comfy-table takes three times as long for tens of thousands of rows.
fn aligned_lines(rows: &[Vec<String>], aligned: &[Align]) -> impl Iterator<Item = String> {
    const GAP: &str = "  ";
    let mut widths = vec![0; aligned.len()];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    rows.iter().map(move |row| {
        let mut line = String::new();
        for ((cell, align), &width) in row.iter().zip(aligned).zip(&widths) {
            let space = " ".repeat(width - cell.width());
            let (before, after) = match align {
                Align::Left => ("", &space[..]),
                Align::Right => (&space[..], ""),
            };
            line.extend([before, cell, after, GAP]);
        }
        line.truncate(line.trim_end().len());
        line
    })
}

/// A group. Serializes as one object.
struct Record<'a> {
    time: Option<f64>,
    keys: &'a [String],
    row: &'a Row<'a>,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(time) = self.time {
            map.serialize_entry("time", &time)?;
        }
        for (key, value) in self.keys.iter().zip(&self.row.values) {
            map.serialize_entry(key, value)?;
        }
        if self.row.is_other {
            map.serialize_entry(OTHER, &true)?;
        }
        let Sums { sockets, receive, send } = self.row.sums;
        for (key, number) in SUMS.into_iter().zip([sockets, receive, send]) {
            map.serialize_entry(key, &number)?;
        }
        map.end()
    }
}

/// Writes the groups as JSON objects: one per line, or as one array.
pub(super) fn write_json(
    groups: &Groups<'_>,
    names: &Names,
    time: Option<f64>,
    is_array: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let keys = keys(groups);
    let rows = rows(groups, names);
    let records = rows.iter().map(|row| Record { time, keys: &keys, row });
    if is_array { records::write_array(records, out) } else { records::write_lines(records, out) }
}

/// Writes the groups as comma-separated values, with a heading if `heading`.
pub(super) fn write_csv(
    groups: &Groups<'_>,
    names: &Names,
    time: Option<f64>,
    heading: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut cells = CellWriter::new(out, names);
    if heading {
        let keys = keys(groups);
        let titles = time.map(|_| "time").into_iter().chain(keys.iter().map(String::as_str));
        cells.heading(titles.chain(groups.is_limited.then_some(OTHER)).chain(SUMS))?;
    }
    for Row { values, sums, is_other } in rows(groups, names) {
        if let Some(time) = time {
            cells.decimal(time)?;
        }
        for value in values {
            match value {
                Plain::Number(number) => cells.number(Some(number))?,
                Plain::Missing => cells.text("")?,
                Plain::Text(text) => cells.foreign(text.as_bytes())?,
            }
        }
        if groups.is_limited {
            cells.text(if is_other { "true" } else { "" })?;
        }
        for number in [sums.sockets, sums.receive, sums.send] {
            cells.number(Some(number))?;
        }
        cells.end_line()?;
    }
    cells.flush()
}

/// The name of a gauge, what it measures, and its value.
type Gauge = (&'static str, &'static str, fn(&Sums) -> u64);

const GAUGES: [Gauge; 3] = [
    ("rnetstat_sockets", "Sockets.", |sums| sums.sockets),
    (
        "rnetstat_receive_queue_bytes",
        "Bytes that programs have not read yet; for TCP servers, connections not accepted yet.",
        |sums| sums.receive,
    ),
    ("rnetstat_send_queue_bytes", "Bytes that the other end has not acknowledged yet.", |sums| {
        sums.send
    }),
];

/// The most values of a label without `--limit`: a monitoring system keeps a series for each.
const MOST_VALUES: usize = 1000;

/// Returns a key with too many values for a label, and their number.
pub fn too_many_values(groups: &Groups<'_>, names: &Names) -> Option<(&'static str, usize)> {
    let rows = rows(groups, names);
    groups.keys.iter().enumerate().find_map(|(index, field)| {
        let values = rows.iter().filter_map(|row| Some(row.values.get(index)?.shown()));
        let count = values.collect::<std::collections::HashSet<_>>().len();
        (count > MOST_VALUES).then_some((field.key, count))
    })
}

/// Writes the groups as gauges in the `OpenMetrics` text format, which the textfile collector of
/// Prometheus' node exporter reads.
pub(super) fn write_metrics(
    groups: &Groups<'_>,
    names: &Names,
    out: &mut impl Write,
) -> io::Result<()> {
    // Groups whose labels look the same must be one series: else the whole file would be refused.
    let mut series: BTreeMap<Vec<String>, Sums> = BTreeMap::new();
    for row in rows(groups, names) {
        let other = row.is_other.then(|| "true".to_owned());
        let labels = row.values.iter().map(Plain::shown).chain(other).collect();
        series.entry(labels).or_default().add(&row.sums);
    }
    let mut keys = keys(groups);
    keys.push(OTHER.to_owned());
    for (name, help, number) in GAUGES {
        writeln!(out, "# TYPE {name} gauge\n# HELP {name} {help}")?;
        for (labels, sums) in &series {
            let labels =
                keys.iter().zip(labels).map(|(key, it)| format!("{key}=\"{}\"", escaped(it)));
            let labels = labels.collect::<Vec<_>>().join(",");
            writeln!(out, "{name}{{{labels}}} {}", number(sums))?;
        }
    }
    writeln!(out, "# EOF")
}

/// Escapes the value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_quotes_and_newlines_of_labels_are_escaped() {
        assert_eq!(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
    }
}
