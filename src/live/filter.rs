//! The filter that the user types: the words of the command line.

use std::time::Duration;

use crate::names;
use crate::query::{AskedCondition, Query, Scope};
use crate::remark::Remark;
use crate::socket::Kind;

/// Parses a bare word of the command line.
pub type Parse = fn(&str) -> Result<AskedCondition, Remark>;

/// Returns the query of these words, which must all match; `None` without a word. Fails if a word is
/// wrong, or if a name in it is unknown or not found within this time.
pub(super) fn query(text: &str, parse: Parse, time: Duration) -> Result<Option<Query>, Remark> {
    let asked = text.split_whitespace().map(parse).collect::<Result<Vec<_>, _>>()?;
    if asked.is_empty() {
        return Ok(None);
    }
    // A word is never about users, so it does not matter which host they are from.
    let conditions = names::conditions(&asked, None, time, &mut |_| {})?;
    let kinds = Kind::all().filter(|&kind| asked.iter().all(|it| it.can_match(kind)));
    Ok(Some(Query {
        kinds: kinds.collect(),
        scope: Scope::All,
        bound: true,
        kernel: true,
        conditions,
    }))
}
