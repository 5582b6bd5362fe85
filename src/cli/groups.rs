//! How `--group` counts sockets, with `--columns`, `--sort` and `--limit`.

use super::arguments::Arguments;
use super::once;
use crate::fields::{self, Grouping, USUAL_SUMS};
use crate::remark::Remark;

/// Returns how sockets are counted; `None` if they are listed.
pub(super) fn grouping(arguments: &Arguments) -> Result<Option<Grouping>, Remark> {
    if arguments.group.is_empty() {
        let is_limited = arguments.limit.is_some();
        return if is_limited { Err(Remark::LimitWithoutGroup) } else { Ok(None) };
    }
    let keys = once(arguments.group.iter().copied());
    let is_added = arguments.columns.first().is_none_or(|&(_, is_added)| is_added);
    let usual = if is_added { &USUAL_SUMS[..] } else { &[] };
    let chosen = arguments.columns.iter().map(|&(field, _)| field);
    // A field that groups are sorted by is shown as well.
    let sorted = arguments.sort.iter().map(|&(field, _)| field);
    let sorted = sorted.filter(|field| !keys.contains(field));
    let sums = once(usual.iter().copied().chain(chosen).chain(sorted));
    if let Some(field) = sums.iter().find(|field| field.gauge.is_none()) {
        let summable = fields::ALL.iter().filter(|field| field.gauge.is_some());
        let summable = summable.map(|field| field.key).collect();
        return Err(Remark::NoSum { key: field.key, summable });
    }
    let mut grouping = Grouping { keys, sums, order: Vec::new(), limit: arguments.limit };
    let order = arguments.sort.iter();
    grouping.order = order
        .filter_map(|&(field, is_descending)| Some((grouping.column(field)?, is_descending)))
        .collect();
    Ok(Some(grouping))
}
