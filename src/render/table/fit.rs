//! Fits the columns of the table into a line.

use std::cmp::Reverse;

/// The spaces between two columns, and the fewest to which they can be reduced.
pub(super) const GAP: u16 = 2;
const NARROW_GAP: u16 = 1;
/// At least this many characters of a command are shown.
pub(super) const COMMAND: u16 = 8;

/// What the fitting knows about a column.
pub(super) struct Weight {
    /// The width of the widest cell.
    pub(super) width: u16,
    /// How soon the column is hidden; 0 is never, then the highest is first.
    pub(super) priority: u8,
    /// All its numbers are 0.
    pub(super) is_trivial: bool,
}

/// Which columns are shown, and how wide the command can be.
pub(super) struct Fit {
    /// The indices of the hidden columns.
    pub(super) hidden: Vec<usize>,
    /// The spaces between two columns.
    pub(super) gap: u16,
    /// The width of the command; `None` if it is not limited.
    pub(super) command: Option<u16>,
}

impl Fit {
    /// Fits columns, a mark before them, and a command of this width after them, into a line.
    ///
    /// First hides the columns that have only zeros, then reduces the spaces between columns, then
    /// hides other columns by priority. If the addresses alone need several lines, keeps the
    /// remaining columns: they fit there.
    pub(super) fn new(
        columns: &[Weight],
        command: u16,
        is_marked: bool,
        line: Option<u16>,
    ) -> Self {
        let Some(line) = line else {
            return Self { hidden: Vec::new(), gap: GAP, command: None };
        };
        let least = command.min(COMMAND);
        let hideable = columns.iter().enumerate().filter(|(_, column)| column.priority > 0);
        let (trivial, mut others): (Vec<_>, Vec<_>) =
            hideable.partition(|(_, column)| column.is_trivial);
        others.sort_by_key(|(_, column)| Reverse(column.priority));
        let trivial_count = trivial.len();
        let order: Vec<usize> = trivial.into_iter().chain(others).map(|(index, _)| index).collect();
        let taken = |gap: u16, hidden: &[usize]| {
            let shown = (0..).zip(columns).filter(|(index, _)| !hidden.contains(index));
            let mark = if is_marked { 1 + gap } else { 0 };
            shown.map(|(_, it)| it.width.saturating_add(gap)).fold(mark, u16::saturating_add)
        };
        let fits = |&(gap, count): &(u16, usize)| {
            let hidden = order.get(..count).unwrap_or_default();
            taken(gap, hidden).saturating_add(least) <= line
        };
        let narrow = (trivial_count..=order.len()).map(|count| (NARROW_GAP, count));
        let found = [(GAP, 0), (GAP, trivial_count)].into_iter().chain(narrow).find(fits);
        let (gap, count) = found.unwrap_or((NARROW_GAP, trivial_count));
        let hidden = order.get(..count).unwrap_or_default();
        let taken = taken(gap, hidden);
        let lines = taken.saturating_add(least).div_ceil(line);
        let command = Some(line.saturating_mul(lines).saturating_sub(taken).max(least));
        Self { hidden: hidden.to_vec(), gap, command }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three columns of 10: one that is always shown, one that is hidden second, one first.
    fn fit(is_trivial: bool, line: u16) -> (Vec<usize>, u16, Option<u16>) {
        let column = |priority, is_trivial| Weight { width: 10, priority, is_trivial };
        let columns = [column(0, false), column(1, is_trivial), column(2, false)];
        let Fit { hidden, gap, command } = Fit::new(&columns, 20, false, Some(line));
        (hidden, gap, command)
    }

    #[test]
    fn narrow_line_hides_zeros_then_narrows_gaps_then_hides_columns() {
        assert_eq!(fit(false, 44), (vec![], 2, Some(8)));
        assert_eq!(fit(false, 43), (vec![], 1, Some(10)));
        assert_eq!(fit(true, 43), (vec![1], 2, Some(19)));
        assert_eq!(fit(false, 40), (vec![2], 1, Some(18)));
        assert_eq!(fit(false, 20), (vec![2, 1], 1, Some(9)));
    }

    #[test]
    fn columns_stay_if_one_line_is_never_enough() {
        assert_eq!(fit(false, 18), (vec![], 1, Some(21)));
    }
}
