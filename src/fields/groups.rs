//! Sockets counted by the values of fields.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::value::Rank;
use super::{Field, RECV_Q, SEND_Q, Subject, Value};
use crate::listing::{Entry, Listing};

/// The sum of a field, as a gauge in the `OpenMetrics` text format.
#[derive(Debug)]
pub struct Gauge {
    /// The name, without the prefix that all gauges have.
    pub name: &'static str,
    /// What it measures, as a sentence.
    pub help: &'static str,
}

/// The fields that are added up if the user chooses none.
pub(crate) static USUAL_SUMS: [&Field; 2] = [&RECV_Q, &SEND_Q];

/// How sockets are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// The keys: sockets with the same values are one group.
    pub keys: Vec<&'static Field>,
    /// The fields that are added up for each group.
    pub sums: Vec<&'static Field>,
    /// What decides the order of the groups; `true` means in descending order. Groups that are
    /// equal in all of it are in order of their size, the largest first, then of their values.
    pub order: Vec<(Column, bool)>,
    /// The most groups to show.
    pub limit: Option<usize>,
}

/// A column of groups, with its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// One of the keys.
    Key(usize),
    /// One of the sums.
    Sum(usize),
}

impl Grouping {
    /// Returns the fields of the keys and the sums.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.keys.iter().chain(&self.sums).copied()
    }

    /// Returns the column of a field; `None` if groups do not have it.
    pub fn column(&self, field: &Field) -> Option<Column> {
        let key = self.keys.iter().position(|key| *key == field).map(Column::Key);
        key.or_else(|| self.sums.iter().position(|sum| *sum == field).map(Column::Sum))
    }
}

/// A number of sockets, and the sums of some of their fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The number of sockets.
    pub sockets: u64,
    /// A sum for each field; `None` if no socket has a value.
    pub totals: Vec<Option<u64>>,
}

impl Sums {
    fn new(grouping: &Grouping) -> Self {
        Self { sockets: 0, totals: vec![None; grouping.sums.len()] }
    }

    fn add_socket(&mut self, subject: &Subject<'_>, fields: &[&Field]) {
        self.sockets += 1;
        for (total, field) in self.totals.iter_mut().zip(fields) {
            if let Value::Number(number) = (field.value)(subject) {
                *total = Some(total.unwrap_or(0).saturating_add(number));
            }
        }
    }

    /// Adds other sums.
    pub fn add(&mut self, more: &Self) {
        self.sockets += more.sockets;
        self.totals.resize(more.totals.len(), None);
        for (total, number) in self.totals.iter_mut().zip(&more.totals) {
            if let Some(number) = number {
                *total = Some(total.unwrap_or(0).saturating_add(*number));
            }
        }
    }
}

/// The sockets that have the same values.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// A value for each key.
    pub values: Vec<Value<'a>>,
    /// The sums of these sockets.
    pub sums: Sums,
}

impl Group<'_> {
    /// Compares two groups for the order in which they are shown.
    fn compare(&self, other: &Self, order: &[(Column, bool)]) -> Ordering {
        let compare_values = |one: &Value<'_>, other: &Value<'_>| one.rank().cmp(&other.rank());
        let by_column = |column| match column {
            Column::Key(index) => match (self.values.get(index), other.values.get(index)) {
                (Some(one), Some(other)) => compare_values(one, other),
                _ => Ordering::Equal,
            },
            Column::Sum(index) => self.sums.totals.get(index).cmp(&other.sums.totals.get(index)),
        };
        let chosen = order.iter().map(|&(column, is_descending)| {
            let ordering = by_column(column);
            if is_descending { ordering.reverse() } else { ordering }
        });
        let by_size = || other.sums.sockets.cmp(&self.sums.sockets);
        let by_values = || {
            let pairs = self.values.iter().zip(&other.values);
            pairs.map(|(one, other)| compare_values(one, other)).find(|it| it.is_ne())
        };
        let chosen = chosen.into_iter().find(|it| it.is_ne()).unwrap_or(Ordering::Equal);
        chosen.then_with(by_size).then_with(|| by_values().unwrap_or(Ordering::Equal))
    }
}

/// Says which sockets are in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    keys: Vec<&'static Field>,
    identity: Vec<Rank<'static>>,
}

impl Members {
    /// Returns true if this socket is in the group.
    pub(crate) fn include(&self, entry: Entry<'_>) -> bool {
        let subject = Subject::new(entry);
        let values = self.keys.iter().map(|key| (key.value)(&subject).identity());
        values.eq(self.identity.iter().cloned())
    }
}

/// The groups of a listing, in order.
#[derive(Clone, Debug)]
pub struct Groups<'a> {
    /// How they were made.
    pub grouping: &'a Grouping,
    /// The groups, or the first of them.
    pub groups: Vec<Group<'a>>,
    /// The sums of the other groups, if there are any.
    pub other: Option<Sums>,
    /// The sums of all groups.
    pub total: Sums,
}

impl<'a> Groups<'a> {
    /// Groups the sockets of a listing. A socket with several owners counts for its first owner, which
    /// the table shows.
    pub fn new(listing: &'a Listing, grouping: &'a Grouping) -> Self {
        Self::of(listing.entries(), grouping)
    }

    /// Returns which sockets are in the group with this index.
    pub(crate) fn members(&self, index: usize) -> Option<Members> {
        let values = self.groups.get(index)?.values.iter();
        let identity = values.map(|value| value.identity().into_owned()).collect();
        Some(Members { keys: self.grouping.keys.clone(), identity })
    }

    /// Groups these sockets.
    pub fn of(entries: impl Iterator<Item = Entry<'a>>, grouping: &'a Grouping) -> Self {
        let Grouping { keys, sums: fields, order, limit } = grouping;
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut positions: HashMap<Vec<Rank<'a>>, usize> = HashMap::new();
        let mut total = Sums::new(grouping);
        let mut identity = Vec::new();
        for entry in entries {
            let subject = Subject::new(entry);
            total.add_socket(&subject, fields);
            identity.extend(keys.iter().map(|key| (key.value)(&subject).identity()));
            let position = positions.get(&identity[..]).copied().unwrap_or_else(|| {
                let values = keys.iter().map(|key| (key.value)(&subject)).collect();
                groups.push(Group { values, sums: Sums::new(grouping) });
                positions.insert(identity.clone(), groups.len() - 1);
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(position) {
                group.sums.add_socket(&subject, fields);
            }
            identity.clear();
        }
        let most = limit.unwrap_or(groups.len()).min(groups.len());
        if most < groups.len() {
            groups.select_nth_unstable_by(most, |one, other| one.compare(other, order));
        }
        let rest = groups.split_off(most);
        groups.sort_by(|one, other| one.compare(other, order));
        let other = rest.into_iter().map(|group| group.sums).reduce(|mut sums, more| {
            sums.add(&more);
            sums
        });
        Self { grouping, groups, other, total }
    }
}
