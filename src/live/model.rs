//! The rows of the view: the sockets of a listing with their changes, filtered and in order.

use crate::fields::{Members, Order};
use crate::listing::{Change, Listing, Mark, Selection, SocketKey, compare};
use crate::query::Query;

/// Which rows are shown, and in which order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    /// The filter that the user has typed.
    pub(super) filter: Option<&'a Query>,
    /// Only the sockets of this group.
    pub(super) members: Option<&'a Members>,
    /// The order; without fields, that of the listing.
    pub(super) order: &'a Order,
    /// New and closed rows come first.
    pub(super) changed_first: bool,
}

/// Returns the rows of a listing, with those that are closed since the previous one.
pub(super) fn rows<'a>(
    before: Option<&'a Listing>,
    now: &'a Listing,
    choice: Choice<'_>,
) -> Vec<Change<'a>> {
    let mut rows = compare(before, now);
    if let Some(query) = choice.filter {
        let selection = Selection::new(now, query);
        let former = before.map(|before| Selection::new(before, query));
        rows.retain(|row| match (row.mark, &former) {
            (Mark::Closed, Some(former)) => former.includes(&row.entry),
            _ => selection.includes(&row.entry),
        });
    }
    if let Some(members) = choice.members {
        rows.retain(|row| members.include(row.entry));
    }
    choice.order.sort_rows(&mut rows, |row| row.entry);
    if choice.changed_first {
        rows.sort_by_key(|row| row.mark == Mark::Same);
    }
    rows
}

/// Returns the index of the row with this socket.
pub(super) fn position(rows: &[Change<'_>], key: &SocketKey) -> Option<usize> {
    let exact = rows.iter().position(|row| row.key == *key);
    exact.or_else(|| rows.iter().position(|row| row.key.may_be(key)))
}

/// The numbers of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// The sockets that are there.
    pub(super) present: usize,
    /// Those that are new.
    pub(super) new: usize,
    /// Those that are gone.
    pub(super) closed: usize,
}

impl Counts {
    pub(super) fn of(rows: &[Change<'_>]) -> Self {
        let mut counts = Self::default();
        for row in rows {
            match row.mark {
                Mark::Same => counts.present += 1,
                Mark::New => {
                    counts.present += 1;
                    counts.new += 1;
                }
                Mark::Closed => counts.closed += 1,
            }
        }
        counts
    }
}
