//! Fits the columns of the table into a line.

use std::cmp::Reverse;

use super::sheet::Widths;
use super::short::{ADDRESS, SHORTEST_ADDRESS};

/// The spaces between two columns.
const GAP: u16 = 2;
/// The same, if the line is too narrow for [`GAP`].
const NARROW_GAP: u16 = 1;
/// At least this many characters of each command are shown.
pub(super) const COMMAND: u16 = 24;
/// Columns with a higher priority are hidden before addresses are shortened.
const LESS_THAN_ADDRESSES: u8 = 1;
/// Longer addresses get this width if there is room: two groups of the beginning, one of the end, and
/// the port.
const SHORT_ADDRESS: u16 = 24;
/// On several lines, they get this width: three groups and the port.
const DISTINCT_ADDRESS: u16 = 26;
/// The indentation of a row's second line, unless it continues in one of its columns.
pub(super) const INDENT: u16 = 6;

/// How wide a column can be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weight {
    /// The width of the widest cell.
    pub(super) whole: u16,
    /// The width of the bulk of the cells, with room for the short forms of the other addresses. Rows
    /// with longer cells continue on a second line.
    pub(super) bulk: u16,
    /// The width of the bulk of the cells, without that room.
    pub(super) tight: u16,
    /// The width if addresses are shortened.
    pub(super) least: u16,
    /// See [`Field::priority`](crate::fields::Field::priority).
    pub(super) priority: u8,
    /// All values of the column are 0.
    pub(super) is_zero: bool,
}

impl Weight {
    /// Returns the weight of a column with this title. The bulk decides only if `is_long`: other
    /// columns have values of about the same width. Addresses are shortened if `can_shorten`.
    pub(super) fn new(
        title: u16,
        widths: &Widths,
        priority: u8,
        is_long: bool,
        can_shorten: bool,
    ) -> Self {
        let whole = widths.whole().max(title);
        let tight = if is_long { widths.bulk().max(title) } else { whole };
        let (bulk, least) = if can_shorten && whole > ADDRESS {
            let least = widths.widest_within(ADDRESS).max(SHORTEST_ADDRESS).max(title);
            (tight.max(whole.min(SHORT_ADDRESS)), least)
        } else if can_shorten {
            (whole, whole)
        } else {
            (tight, tight)
        };
        Self { whole, bulk, tight, least, priority, is_zero: widths.is_zero }
    }
}

/// The widths of the commands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Command {
    /// The width of the widest command.
    pub(super) whole: u16,
    /// The width of the bulk of the commands.
    pub(super) bulk: u16,
    /// The width of few of the commands: the bulk of them is at least this wide.
    pub(super) few: u16,
}

/// The place of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The index of the column.
    pub(crate) column: usize,
    /// The line of the row, from 0.
    pub(crate) line: u16,
    /// The distance from the beginning of the line.
    pub(crate) start: u16,
    /// The width, without the gap.
    pub(crate) width: u16,
}

/// Where each column is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fit {
    /// The shown columns, in order.
    pub(crate) places: Vec<Place>,
    /// The spaces between two columns.
    pub(crate) gap: u16,
    /// The line and the start of the command. It reaches to the end of the line.
    pub(crate) command: (u16, u16),
    /// The width of the lines; `None` if it is not limited.
    pub(crate) line: Option<u16>,
}

/// The widths of the columns in a [`Trial`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Whole,
    Bulk,
    Tight,
    Least,
    /// The least width, or less if the bulk of the cells is narrower.
    Narrowest,
}

/// An arrangement to try.
#[derive(Clone, Copy)]
struct Trial {
    size: Size,
    gap: u16,
    /// The number of columns that are hidden, in the order of hiding.
    hidden: usize,
    /// The width of the command.
    command: u16,
}

/// The columns of a table, and the line that they are fitted into.
struct Fitting<'a> {
    columns: &'a [Weight],
    /// The indices of the columns that can be hidden, in the order of hiding: first those that have
    /// only zeros.
    order: Vec<usize>,
    /// The number of columns that have only zeros.
    zeros: usize,
    /// The number of columns that are hidden before addresses are shortened.
    early: usize,
    /// The width of the marks.
    marks: u16,
    line: u16,
    /// The least width of the command.
    least: u16,
    /// The width that the command gets if there is room.
    wanted: u16,
    /// The bulk of the commands need this width.
    few: u16,
}

impl<'a> Fitting<'a> {
    fn new(columns: &'a [Weight], command: Command, marks: u16, line: u16) -> Self {
        let hideable = (0..).zip(columns).filter(|(_, column)| column.priority > 0);
        let (zero, mut others): (Vec<_>, Vec<_>) = hideable.partition(|(_, column)| column.is_zero);
        others.sort_by_key(|(_, column)| Reverse(column.priority));
        let zeros = zero.len();
        let early = others.iter().filter(|(_, it)| it.priority > LESS_THAN_ADDRESSES).count();
        let order = zero.into_iter().chain(others).map(|(index, _)| index).collect();
        let least = command.whole.min(COMMAND);
        let wanted = command.bulk.min(line / 3).max(least);
        let few = command.few;
        Self { columns, order, zeros, early: zeros + early, marks, line, least, wanted, few }
    }

    /// The columns without the first ones in the order of hiding.
    fn shown(&self, hidden: usize) -> impl Iterator<Item = (usize, Weight)> {
        let hidden = self.order.get(..hidden).unwrap_or_default();
        let all = (0..).zip(self.columns.iter().copied());
        all.filter(move |(index, _)| !hidden.contains(index))
    }

    /// Returns the arrangements on one line, in the order of preference.
    fn trials(&self) -> Vec<Trial> {
        let &Self { zeros, early, least, wanted, .. } = self;
        let narrow = |size, hidden, command| Trial { size, gap: NARROW_GAP, hidden, command };
        let mut trials = Vec::new();
        for size in [Size::Whole, Size::Bulk] {
            trials.push(Trial { size, gap: GAP, hidden: 0, command: wanted });
            trials.push(Trial { size, gap: GAP, hidden: zeros, command: wanted });
            trials.push(narrow(size, zeros, wanted));
            trials.push(narrow(size, zeros, least));
        }
        // A few long addresses do not hide a column.
        let each = |sizes: [Size; 2], hidden| sizes.map(|size| narrow(size, hidden, least));
        let usual = [Size::Bulk, Size::Tight];
        trials.extend((zeros..=early).flat_map(|hidden| each(usual, hidden)));
        let all = self.order.len();
        let short = [Size::Least, Size::Narrowest];
        trials.extend((early..=all).flat_map(|hidden| each(short, hidden)));
        // The commands that have no room are on lines of their own, unless that is the bulk of them.
        if !self.columns.iter().any(Weight::is_long) {
            trials.push(narrow(Size::Least, all, self.few.min(least)));
        }
        trials
    }

    /// Returns the places of the columns if they fit into the line.
    fn on_one_line(&self, Trial { size, gap, hidden, command }: Trial) -> Option<Fit> {
        let before = if self.marks > 0 { self.marks + gap } else { 0 };
        let ends = self.shown(hidden).map(|(_, it)| it.of(size).saturating_add(gap));
        let taken = ends.fold(before, u16::saturating_add);
        // Without a command, there is no gap after the last column.
        let gap_after = if command > 0 { 0 } else { gap };
        let needed = taken.saturating_add(command).saturating_sub(gap_after);
        let left = self.line.checked_sub(needed)?;
        // Room that the commands want is not for addresses.
        let is_usual = matches!(size, Size::Bulk | Size::Tight);
        let left = if is_usual && command < self.wanted { 0 } else { left };
        let widths = widened(self.shown(hidden), size, left);
        Some(Fit::place(&widths, self.marks, gap, Some(self.line), command))
    }

    /// Returns the places of the columns on several lines, the last one with this much room for the
    /// command. Addresses get `left` more.
    fn folded(&self, hidden: usize, left: u16, command: u16) -> Fit {
        let widths = widened(self.shown(hidden), Size::Least, left);
        Fit::place(&widths, self.marks, NARROW_GAP, Some(self.line), command)
    }

    /// Returns the places of the columns on two lines, if possible, with as many columns as possible,
    /// and then with addresses as wide as possible.
    fn on_several_lines(&self) -> Fit {
        let fits = |fit: &Fit| {
            let (number, start) = fit.command;
            number < 2 && start.saturating_add(self.least) <= self.line
        };
        let shows_ends = |fit: &Fit| {
            fit.places.iter().all(|place| {
                let column = self.columns.get(place.column);
                !column.is_some_and(Weight::is_long) || place.width >= DISTINCT_ADDRESS
            })
        };
        let all = self.order.len();
        let candidates = || {
            let widths = move |hidden| (0..self.line).rev().map(move |left| (hidden, left));
            let each = (self.zeros..=all).flat_map(widths);
            each.map(|(hidden, left)| self.folded(hidden, left, self.least)).filter(fits)
        };
        // Else most commands have lines of their own.
        let narrowest =
            || Some(self.folded(all, 0, self.few.min(self.least))).filter(|fit| fit.command.0 < 2);
        let found = candidates().find(shows_ends).or_else(|| candidates().next());
        found.or_else(narrowest).unwrap_or_else(|| self.folded(self.zeros, 0, self.least))
    }
}

impl Fit {
    /// Fits the columns and the command into a line, with a mark before them if `is_marked`.
    ///
    /// These give way, in this order: columns that have only zeros; gaps; the end of commands; the
    /// widest cells; columns of less importance; addresses; the other columns that can be hidden. If
    /// not even that suffices, the columns take several lines.
    pub(super) fn new(
        columns: &[Weight],
        command: Command,
        is_marked: bool,
        line: Option<u16>,
    ) -> Self {
        let marks = u16::from(is_marked);
        let Some(width) = line else {
            let wholes: Vec<_> = (0..).zip(columns).map(|(index, it)| (index, it.whole)).collect();
            return Self::place(&wholes, marks, GAP, None, 0);
        };
        let fitting = Fitting::new(columns, command, marks, width);
        let on_one_line = fitting.trials().into_iter().find_map(|trial| fitting.on_one_line(trial));
        on_one_line.unwrap_or_else(|| fitting.on_several_lines())
    }

    /// Places columns of these widths, on as few lines as possible.
    /// The command is on a further line if there is not this much room for it.
    fn place(
        widths: &[(usize, u16)],
        marks: u16,
        gap: u16,
        line: Option<u16>,
        command: u16,
    ) -> Self {
        let first = if marks > 0 { marks + gap } else { 0 };
        let (mut number, mut start) = (0, first);
        let mut places = Vec::with_capacity(widths.len());
        for &(column, width) in widths {
            if start > first && line.is_some_and(|line| start.saturating_add(width) > line) {
                (number, start) = (number + 1, first + INDENT);
            }
            places.push(Place { column, line: number, start, width });
            start = start.saturating_add(width).saturating_add(gap);
        }
        if line.is_some_and(|line| start.saturating_add(command.max(1)) > line) {
            (number, start) = (number + 1, first + INDENT);
        }
        Self { places, gap, command: (number, start), line }
    }

    /// Returns true if every cell fits into its column, and each row into one line.
    pub(super) fn is_grid(&self, columns: &[Weight], command: Command) -> bool {
        let fits = |place: &Place| {
            place.line == 0 && columns.get(place.column).is_some_and(|it| it.whole <= place.width)
        };
        let (number, start) = self.command;
        let room = self.line.map_or(u16::MAX, |line| line.saturating_sub(start));
        self.places.iter().all(fits) && number == 0 && room >= command.whole.min(COMMAND)
    }

    /// Returns the indices of the hidden ones of this many columns.
    pub(crate) fn hidden(&self, count: usize) -> impl Iterator<Item = usize> {
        (0..count).filter(|index| !self.places.iter().any(|place| place.column == *index))
    }
}

impl Weight {
    fn of(self, size: Size) -> u16 {
        match size {
            Size::Whole => self.whole,
            Size::Bulk => self.bulk,
            Size::Tight => self.tight,
            Size::Least => self.least,
            Size::Narrowest => self.tight.min(self.least),
        }
    }

    /// Most of the cells are long addresses.
    fn is_long(&self) -> bool {
        self.bulk > self.least && self.bulk > SHORT_ADDRESS
    }

    /// The width beyond which a column gets none of the room that is left.
    fn most(self, size: Size) -> u16 {
        match size {
            Size::Whole | Size::Bulk | Size::Tight => self.whole,
            Size::Least if self.is_long() => self.bulk,
            // Only a few addresses are long. The room is for the commands.
            Size::Least | Size::Narrowest => self.least,
        }
    }
}

/// Returns the columns with their widths. The room that is left widens those with long cells: the
/// narrower one first.
fn widened(
    columns: impl Iterator<Item = (usize, Weight)>,
    size: Size,
    mut left: u16,
) -> Vec<(usize, u16)> {
    let mut widths: Vec<_> =
        columns.map(|(index, it)| (index, it.of(size), it.most(size))).collect();
    let mut narrow: Vec<_> = widths.iter_mut().filter(|(_, width, most)| width < most).collect();
    while left > 0
        && let Some((_, width, _)) = narrow.iter_mut().min_by_key(|(_, width, _)| *width)
    {
        *width += 1;
        left -= 1;
        narrow.retain(|(_, width, most)| width < most);
    }
    widths.into_iter().map(|(index, width, _)| (index, width)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The index, the width and the line of each shown column.
    type Shown = Vec<(usize, u16, u16)>;

    /// Fits columns of width 10 and priority 0, 1 and 2, and a command of width 30. `is_zero` is
    /// about the column with priority 1. Returns the shown columns, the gap, and the place of the
    /// command.
    fn fit(is_zero: bool, line: u16) -> (Shown, u16, (u16, u16)) {
        let column = |priority, is_zero| Weight {
            whole: 10,
            bulk: 10,
            tight: 10,
            least: 10,
            priority,
            is_zero,
        };
        let columns = [column(0, false), column(1, is_zero), column(2, false)];
        let command = Command { whole: 30, bulk: 30, few: 0 };
        let Fit { places, gap, command, .. } = Fit::new(&columns, command, false, Some(line));
        (places.iter().map(|it| (it.column, it.width, it.line)).collect(), gap, command)
    }

    const ALL: [(usize, u16, u16); 3] = [(0, 10, 0), (1, 10, 0), (2, 10, 0)];

    #[test]
    fn zeros_gaps_commands_and_columns_give_way_in_this_order() {
        let without = |hidden: usize| ALL.into_iter().filter(|it| it.0 != hidden).collect();
        assert_eq!(fit(true, 66), (ALL.to_vec(), 2, (0, 36)));
        assert_eq!(fit(true, 59), (without(1), 2, (0, 24)));
        assert_eq!(fit(false, 59), (ALL.to_vec(), 1, (0, 33)));
        assert_eq!(fit(false, 57), (ALL.to_vec(), 1, (0, 33)));
        assert_eq!(fit(false, 56), (without(2), 1, (0, 22)));
        assert_eq!(fit(false, 45), (vec![(0, 10, 0)], 1, (0, 11)));
    }

    #[test]
    fn few_long_addresses_hide_no_column() {
        let address =
            Weight { whole: 60, bulk: 24, tight: 14, least: 21, priority: 0, is_zero: false };
        let user = Weight { whole: 8, bulk: 8, tight: 8, least: 8, priority: 5, is_zero: false };
        let widths = |line| {
            let command = Command { whole: 24, bulk: 24, few: 24 };
            let fit = Fit::new(&[address, user], command, false, Some(line));
            fit.places.iter().map(|it| it.width).collect::<Vec<_>>()
        };
        assert_eq!([58, 57, 48, 47].map(widths), [&[24, 8][..], &[23, 8], &[14, 8], &[22]]);
        assert_eq!([46, 45, 39].map(widths), [[21], [20], [14]]);
    }

    #[test]
    fn columns_take_two_lines_if_nearly_all_commands_have_no_room_beside_them() {
        let column = |priority| Weight {
            whole: 10,
            bulk: 10,
            tight: 10,
            least: 10,
            priority,
            is_zero: false,
        };
        let lines = |few| {
            let command = Command { whole: 30, bulk: 30, few };
            let fit = Fit::new(&[column(0), column(0), column(1)], command, false, Some(42));
            fit.places.iter().map(|it| it.line).collect::<Vec<_>>()
        };
        assert_eq!(lines(20), [0, 0]);
        assert_eq!(lines(21), [0, 0, 0]);
    }

    #[test]
    fn command_has_a_line_of_its_own_if_there_is_no_room_beside_the_columns() {
        assert_eq!(fit(false, 34), (vec![(0, 10, 0)], 1, (0, 11)));
        assert_eq!(fit(false, 11), (vec![(0, 10, 0)], 1, (1, 6)));
    }

    #[test]
    fn columns_take_several_lines_if_not_even_the_important_ones_fit() {
        let column =
            Weight { whole: 10, bulk: 10, tight: 10, least: 10, priority: 0, is_zero: false };
        let Fit { places, command, .. } =
            Fit::new(&[column; 3], Command { whole: 9, bulk: 9, few: 0 }, false, Some(25));
        let places: Vec<_> = places.iter().map(|it| (it.line, it.start)).collect();
        assert_eq!((places, command), (vec![(0, 0), (0, 11), (1, 6)], (1, 17)));
    }

    #[test]
    fn widest_cells_give_way_before_columns_and_columns_before_other_addresses() {
        let address =
            Weight { whole: 60, bulk: 40, tight: 40, least: 21, priority: 0, is_zero: false };
        let user = Weight { whole: 8, bulk: 8, tight: 8, least: 8, priority: 5, is_zero: false };
        let widths = |line| {
            let command = Command { whole: 24, bulk: 24, few: 0 };
            let fit = Fit::new(&[address, user], command, false, Some(line));
            fit.places.iter().map(|it| it.width).collect::<Vec<_>>()
        };
        assert_eq!(widths(94), [60, 8]);
        assert_eq!(widths(93), [57, 8]);
        assert_eq!(widths(74), [40, 8]);
        assert_eq!(widths(73), [48]);
        assert_eq!(widths(60), [35]);
    }
}
