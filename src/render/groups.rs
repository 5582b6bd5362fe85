//! Counts of sockets: as a table, as records, and as metrics.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};
use unicode_width::UnicodeWidthStr;

use super::records::{self, CellWriter};
use super::table::Screen;
use super::table::styled_heading;
use crate::fields::{Align, Field, Gauge, Grouping, Groups, Sums, Value};
use crate::harmless::harmless;
use crate::names::{Names, Number};
use crate::namespaces::Namespace;
use crate::socket::State;

/// The key of the number of sockets.
const SOCKETS: &str = "sockets";
/// The name of the group with the sockets of all groups that are not shown. In records it is a key
/// of its own, which is true: a program can have this name.
const OTHER: &str = "other";
/// What the table shows for a missing value.
const MISSING: &str = "-";

/// A value in records and metrics.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
enum Plain<'a> {
    Missing,
    Flag(bool),
    Number(u64),
    Decimal(f64),
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
            Value::Flag(flag) => Self::Flag(*flag),
            Value::Microseconds(number) => Self::Decimal(f64::from(*number) / 1000.0),
            Value::Pid(Some(owner), _) => Self::Number(owner.process.pid.into()),
            Value::State(state) => Self::Text(State::name(*state).into()),
            Value::Text(text) => Self::Text(String::from_utf8_lossy(text)),
            Value::Program(command) => text(command.short()),
            Value::Command(command) => text(command.title()),
            Value::User(uid) => Self::Text(match names.get(Number::User(*uid)) {
                Some(name) => name.into(),
                None => uid.to_string().into(),
            }),
            _ => Self::Text(super::text(value, numbers, true).into()),
        }
    }

    /// Returns the text, harmless for a terminal. It is empty for a missing value.
    fn shown(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Decimal(number) => number.to_string(),
            Self::Text(text) => harmless(text.as_bytes()).collect(),
        }
    }
}

/// Returns the name of a column in records: `-` becomes `_`.
fn name(field: &Field) -> String {
    field.key.replace('-', "_")
}

/// A row of records: the values of the keys, and the sums.
struct Row<'a> {
    values: Vec<Plain<'a>>,
    sums: &'a Sums,
    /// It has the sockets of all groups that are not shown.
    is_other: bool,
}

/// Returns the rows of records.
fn rows<'a>(groups: &'a Groups<'_>, names: &'a Names) -> Vec<Row<'a>> {
    let numbers = Names::default();
    let rows = groups.groups.iter().map(|group| {
        let values = group.values.iter().map(|it| Plain::new(it, names, &numbers));
        Row { values: values.collect(), sums: &group.sums, is_other: false }
    });
    let other = groups.other.as_ref().map(|sums| {
        let values = vec![Plain::Missing; groups.grouping.keys.len()];
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
    let Grouping { keys, sums: fields, .. } = groups.grouping;
    let row = |keys: Vec<String>, sums: &Sums| {
        let totals = sums.totals.iter().map(|total| match total {
            Some(total) => total.to_string(),
            None => MISSING.to_owned(),
        });
        let numbers = [sums.sockets.to_string()].into_iter().chain(totals);
        keys.into_iter().chain(numbers).collect::<Vec<_>>()
    };
    let in_first_column = |name: &str| {
        let others = keys.iter().skip(1).map(|_| String::new());
        [name.to_owned()].into_iter().chain(others).collect()
    };
    if header {
        let titles = |fields: &[&Field]| fields.iter().map(|it| it.title.to_owned()).collect();
        let (keys, totals): (Vec<_>, Vec<_>) = (titles(keys), titles(fields));
        rows.push([keys, vec!["Sockets".to_owned()], totals].concat());
    }
    rows.extend(groups.groups.iter().map(|group| {
        let keys = group.values.iter().map(|value| match value {
            Value::Missing => MISSING.to_owned(),
            value => super::text(value, names, true),
        });
        row(keys.collect(), &group.sums)
    }));
    rows.extend(groups.other.as_ref().map(|sums| row(in_first_column(OTHER), sums)));
    rows.extend(header.then(|| row(in_first_column("total"), &groups.total)));
    let mut aligned = keys.iter().map(|field| field.align).collect::<Vec<_>>();
    aligned.resize(keys.len() + 1 + fields.len(), Align::Right);
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
    sums: &'a [String],
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
        map.serialize_entry(SOCKETS, &self.row.sums.sockets)?;
        for (key, total) in self.sums.iter().zip(&self.row.sums.totals) {
            map.serialize_entry(key, total)?;
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
    let names_of = |fields: &[&Field]| fields.iter().map(|field| name(field)).collect::<Vec<_>>();
    let (keys, sums) = (names_of(&groups.grouping.keys), names_of(&groups.grouping.sums));
    let rows = rows(groups, names);
    let records = rows.iter().map(|row| Record { time, keys: &keys, sums: &sums, row });
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
    let is_limited = groups.grouping.limit.is_some();
    if heading {
        let Grouping { keys, sums, .. } = groups.grouping;
        let mut titles: Vec<String> = time.map(|_| "time".to_owned()).into_iter().collect();
        titles.extend(keys.iter().map(|field| name(field)));
        titles.extend(is_limited.then(|| OTHER.to_owned()));
        titles.push(SOCKETS.to_owned());
        titles.extend(sums.iter().map(|field| name(field)));
        cells.heading(titles.iter().map(String::as_str))?;
    }
    for Row { values, sums, is_other } in rows(groups, names) {
        if let Some(time) = time {
            cells.decimal(time)?;
        }
        for value in values {
            match value {
                Plain::Number(number) => cells.number(Some(number))?,
                Plain::Missing => cells.text("")?,
                Plain::Flag(flag) => cells.text(flag.to_string())?,
                Plain::Decimal(number) => cells.text(number.to_string())?,
                Plain::Text(text) => cells.foreign(text.as_bytes())?,
            }
        }
        if is_limited {
            cells.text(if is_other { "true" } else { "" })?;
        }
        cells.number(Some(sums.sockets))?;
        for &total in &sums.totals {
            cells.number(total)?;
        }
        cells.end_line()?;
    }
    cells.flush()
}

/// The most values of a label without `--limit`: a monitoring system keeps a series for each.
const MOST_VALUES: usize = 1000;

/// Returns a key with too many values for a label, and their number.
pub fn too_many_values(groups: &Groups<'_>, names: &Names) -> Option<(&'static str, usize)> {
    let rows = rows(groups, names);
    groups.grouping.keys.iter().enumerate().find_map(|(index, field)| {
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
        series.entry(labels).or_default().add(row.sums);
    }
    let Grouping { keys, sums, .. } = groups.grouping;
    let labels: Vec<_> = keys.iter().map(|field| name(field)).chain([OTHER.to_owned()]).collect();
    let mut gauge = |gauge: &Gauge, number: &dyn Fn(&Sums) -> Option<u64>| {
        let Gauge { name, help } = gauge;
        writeln!(out, "# TYPE rnetstat_{name} gauge\n# HELP rnetstat_{name} {help}")?;
        for (values, sums) in &series {
            let Some(number) = number(sums) else { continue };
            let values =
                labels.iter().zip(values).map(|(label, it)| format!("{label}=\"{}\"", escaped(it)));
            let values = values.collect::<Vec<_>>().join(",");
            writeln!(out, "rnetstat_{name}{{{values}}} {number}")?;
        }
        Ok::<_, io::Error>(())
    };
    gauge(&Gauge { name: SOCKETS, help: "Sockets." }, &|sums| Some(sums.sockets))?;
    for (index, field) in sums.iter().enumerate() {
        if let Some(of_field) = &field.gauge {
            gauge(of_field, &|sums| sums.totals.get(index).copied().flatten())?;
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
