//! The columns that the view shows if the user chooses none, and what can be chosen among columns.

use crate::fields::{
    Align, COMMAND, DROPS, FD, FOREIGN, Field, INODE, LOCAL, NETNS, Order, PEER, PID, PROTO,
    RATE_IN, RATE_OUT, RECV_Q, SEND_Q, STATE, TIMER, TYPE, USER,
};
use crate::request::{Columns, Look};
use crate::socket::Section;

/// From this width on, the rates are among them.
pub(super) const WIDE: u16 = 120;

/// Which columns are shown that are not always useful.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    pub(super) rates: bool,
    pub(super) drops: bool,
}

/// Returns the columns that are shown if the user chooses none.
pub(super) fn usual_fields(look: &Look, shown: Shown) -> Vec<&'static Field> {
    let added = match &look.columns {
        Columns::Only(fields) => return fields.clone(),
        Columns::UsualAnd(fields) => fields,
    };
    let has = |section| look.sections.contains(&section);
    let has_internet = has(Section::Internet);
    let has_ends = has_internet || has(Section::Other);
    let has_more = has(Section::Unix) || has(Section::Other);
    let usual: [(bool, &'static Field); 17] = [
        (true, &PROTO),
        (has_more, &TYPE),
        (has_ends, &RECV_Q),
        (has_ends, &SEND_Q),
        (true, &LOCAL),
        (has_ends, &FOREIGN),
        (true, &STATE),
        (look.timers, &TIMER),
        (true, &PID),
        (true, &FD),
        (has_ends, &USER),
        (look.extended || has_more, &INODE),
        (shown.drops, &DROPS),
        (look.peers, &PEER),
        (look.namespaces, &NETNS),
        (shown.rates, &RATE_IN),
        (shown.rates, &RATE_OUT),
    ];
    let mut fields: Vec<_> =
        usual.into_iter().filter_map(|(is_shown, field)| is_shown.then_some(field)).collect();
    let more: Vec<_> =
        added.iter().copied().filter(|it| !fields.contains(it) && **it != COMMAND).collect();
    fields.extend(more);
    fields.push(&COMMAND);
    fields
}

/// Returns the columns that the user asked for besides the usual ones: those of the command line, or of the
/// chosen ones.
pub(super) fn asked_fields(
    look: &Look,
    chosen: Option<&[&'static Field]>,
    shown: Shown,
) -> Vec<&'static Field> {
    match (chosen, &look.columns) {
        (None, Columns::UsualAnd(fields)) => fields.clone(),
        (None, Columns::Only(_)) => Vec::new(),
        (Some(chosen), _) => {
            let usual = usual_fields(look, shown);
            chosen.iter().filter(|field| !usual.contains(field)).copied().collect()
        }
    }
}

/// Adds a column, or removes it if it is among the others.
pub(super) fn toggle(fields: &mut Vec<&'static Field>, field: &'static Field) {
    match fields.iter().position(|it| *it == field) {
        Some(place) => drop(fields.remove(place)),
        // The command stays the last column: it takes the rest of the line.
        None => match fields.iter().position(|it| **it == COMMAND) {
            Some(place) => fields.insert(place, field),
            None => fields.push(field),
        },
    }
}

/// Returns the order by the next one of these columns. Numbers are sorted in descending order. After the
/// last column, the order is that of the listing.
pub(super) fn next_order(now: &Order, fields: &[&'static Field]) -> Order {
    let next = next_after(fields, now.fields().first().map(|&(field, _)| field));
    let key = next.map(|field| (field, field.align == Align::Right));
    key.map_or(Order::Kernel, |key| Order::Fields(vec![key]))
}

/// Returns the field after this one; after none, the first one.
pub(super) fn next_after(
    fields: &[&'static Field],
    field: Option<&'static Field>,
) -> Option<&'static Field> {
    let place = field.map_or(Some(0), |field| Some(1 + fields.iter().position(|it| *it == field)?));
    fields.get(place?).copied()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::{self, Task};
    use crate::live::state::State;

    #[test]
    fn rates_are_usual_from_120_columns_on() {
        for (line, width, has_rates) in [
            ("rnetstat -tanc --table", 119, false),
            ("rnetstat -tanc --table", 120, true),
            ("rnetstat -xanc --table", 200, false),
            ("rnetstat -tanc --table --proc fixtures/01-lab/proc", 200, false),
            ("rnetstat -tanc --columns pid,command", 200, false),
        ] {
            let Task::List(request) = cli::parse(line.split(' ').map(OsString::from)).unwrap()
            else {
                panic!("{line}")
            };
            let fields = State::new(&request).fields(&request.look, width);
            assert_eq!(fields.contains(&&RATE_IN), has_rates, "{line} {width}");
        }
    }
}
