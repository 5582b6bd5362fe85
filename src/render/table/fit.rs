//! Fits the columns of the table into a line.

use std::cmp::Reverse;

/// The spaces between two columns.
pub(super) const GAP: u16 = 2;
/// The same, if the line is too narrow for [`GAP`].
const NARROW_GAP: u16 = 1;
/// At least this many characters of each command are shown.
pub(super) const COMMAND: u16 = 8;

/// The width and the priority of a column.
pub(super) struct Weight {
    /// The width of the widest cell.
    pub(super) width: u16,
    /// The order of hiding: the highest number first; 0 is never hidden.
    pub(super) priority: u8,
    /// All values of the column are 0.
    pub(super) is_zero: bool,
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
    /// Fits a row into a line: a mark if `is_marked`, the columns, and a command of this width.
    ///
    /// Hides first the columns that have only zeros, then narrows the gaps, then hides other
    /// columns by priority. If not even that makes a row fit, hides only the columns of zeros, and
    /// the row takes several lines.
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
        let (zero, mut others): (Vec<_>, Vec<_>) = hideable.partition(|(_, column)| column.is_zero);
        others.sort_by_key(|(_, column)| Reverse(column.priority));
        let zero_count = zero.len();
        let order: Vec<usize> = zero.into_iter().chain(others).map(|(index, _)| index).collect();
        let taken = |gap: u16, hidden: &[usize]| {
            let shown = (0..).zip(columns).filter(|(index, _)| !hidden.contains(index));
            let mark = if is_marked { 1 + gap } else { 0 };
            shown.map(|(_, it)| it.width.saturating_add(gap)).fold(mark, u16::saturating_add)
        };
        let fits = |&(gap, count): &(u16, usize)| {
            let hidden = order.get(..count).unwrap_or_default();
            taken(gap, hidden).saturating_add(least) <= line
        };
        let narrow = (zero_count..=order.len()).map(|count| (NARROW_GAP, count));
        let found = [(GAP, 0), (GAP, zero_count)].into_iter().chain(narrow).find(fits);
        let (gap, count) = found.unwrap_or((NARROW_GAP, zero_count));
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

    /// Fits columns of width 10 and priority 0, 1 and 2, and a command of width 20. `is_zero` is
    /// about the column with priority 1.
    fn fit(is_zero: bool, line: u16) -> (Vec<usize>, u16, Option<u16>) {
        let column = |priority, is_zero| Weight { width: 10, priority, is_zero };
        let columns = [column(0, false), column(1, is_zero), column(2, false)];
        let Fit { hidden, gap, command } = Fit::new(&columns, 20, false, Some(line));
        (hidden, gap, command)
    }

    #[test]
    fn narrow_line_hides_columns_of_zeros_then_narrows_gaps_then_hides_more_columns() {
        assert_eq!(fit(false, 44), (vec![], 2, Some(8)));
        assert_eq!(fit(false, 43), (vec![], 1, Some(10)));
        assert_eq!(fit(true, 43), (vec![1], 2, Some(19)));
        assert_eq!(fit(false, 40), (vec![2], 1, Some(18)));
        assert_eq!(fit(false, 20), (vec![2, 1], 1, Some(9)));
    }

    #[test]
    fn columns_stay_if_even_without_them_a_row_needs_several_lines() {
        assert_eq!(fit(false, 18), (vec![], 1, Some(21)));
    }
}
