//! The columns of a line: which are shown, and how wide.
//!
//! If not all columns fit, the pinned ones and the beginning of the last one stay. The others are a
//! band from which a window is shown: first the most important columns, and by scrolling to the right
//! those that are left out.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// At least this many characters of the last column are shown, if it has as many.
const BEGINNING: usize = 24;
/// Only this many, if that makes room for all essential columns.
const SHORT_BEGINNING: usize = 12;
/// Columns up to this rank are essential.
const ESSENTIAL: u8 = 2;
/// The rank of columns without values, and of queues that are all 0.
pub(super) const EMPTY: u8 = u8::MAX;
/// What stands for text that is left out.
const LEFT_OUT: &str = "…";

/// How a column gives way to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is always shown.
    Pinned,
    /// It is shown if there is room. Those with a low rank come first.
    Other(u8),
    /// It is the last one, and takes the rest of the line.
    Rest,
}

/// A column with the width of its widest cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) width: usize,
    pub(super) place: Place,
}

/// The columns of a line that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The spaces before a column.
    pub(super) gap: usize,
    /// The index of each column, and its width.
    pub(super) shown: Vec<(usize, usize)>,
    /// The indices of the columns to the left of the window.
    pub(super) left: Vec<usize>,
    /// The indices of the columns to its right.
    pub(super) right: Vec<usize>,
    /// The steps to the right until the last column is shown.
    pub(super) most_steps: usize,
}

/// Arranges columns in lines of this width, scrolled by some steps to the right. Each line begins with
/// a mark.
pub(super) fn arrange(columns: &[Column], width: usize, steps: usize) -> Layout {
    let band = Band::fitted(columns, width);
    let most_steps = band.most_steps();
    let window = band.window(steps.min(most_steps));
    let outside = |range: Range<usize>| band.others.get(range).unwrap_or_default().to_vec();
    let (left, right) = (outside(0..window.start), outside(window.end..band.others.len()));
    let indices = band.indices(window);
    let beginning = band.beginning;
    let beginning = if band.needed(1, &indices, beginning) <= width { beginning } else { 0 };
    let fits_loosely = band.needed(2, &indices, BEGINNING) <= width;
    let gap = if fits_loosely && indices.len() == columns.len() { 2 } else { 1 };
    Layout { gap, shown: band.widths(&indices, gap, beginning), left, right, most_steps }
}

/// Returns the indices of the columns that are shown while nothing is scrolled, and how much of the last
/// one is at least shown, if it has as much.
pub(super) fn shown(columns: &[Column], width: usize) -> (Vec<usize>, usize) {
    let band = Band::fitted(columns, width);
    (band.indices(0..band.first), band.beginning)
}

/// Returns true if all columns fit into lines of this width, with the beginning of the last one.
pub(super) fn fit(columns: &[Column], width: usize) -> bool {
    columns.iter().map(|column| column.least(1, BEGINNING)).sum::<usize>() < width
}

/// The columns, and the order of those that can be scrolled.
struct Band<'a> {
    columns: &'a [Column],
    width: usize,
    /// At least this many characters of the last column are shown, if it has as many.
    beginning: usize,
    /// The indices of the columns that are always shown, without the last column.
    pinned: Vec<usize>,
    /// The indices of the others: first those that are shown if nothing is scrolled, from left to
    /// right, then those that have no room, in the order of their ranks.
    others: Vec<usize>,
    /// The number of those that are shown if nothing is scrolled.
    first: usize,
    /// The index of the last column, if it takes the rest of the line.
    rest: Option<usize>,
}

impl<'a> Band<'a> {
    /// Returns the columns with the usual beginning of the last one, or with a short one if that makes
    /// room for all essential columns.
    fn fitted(columns: &'a [Column], width: usize) -> Self {
        let usual = Self::new(columns, width, BEGINNING);
        if usual.shows_essentials() {
            return usual;
        }
        let short = Self::new(columns, width, SHORT_BEGINNING);
        if short.shows_essentials() { short } else { usual }
    }

    fn new(columns: &'a [Column], width: usize, beginning: usize) -> Self {
        let (pinned, others) = (Vec::new(), Vec::new());
        let mut band = Self { columns, width, beginning, pinned, others, first: 0, rest: None };
        let mut ranked = Vec::new();
        for (index, column) in (0..).zip(columns) {
            match column.place {
                Place::Pinned => band.pinned.push(index),
                Place::Other(rank) => ranked.push((rank, index)),
                Place::Rest => band.rest = Some(index),
            }
        }
        ranked.sort_unstable();
        let (mut first, mut others) = (Vec::new(), Vec::new());
        for (rank, index) in ranked {
            let shown = band.pinned.iter().chain(&first).copied().chain([index]).chain(band.rest);
            let needed = band.needed(1, &shown.collect::<Vec<_>>(), beginning);
            // Room is for the command rather than for a column without values.
            let is_wanted = rank < EMPTY || others.is_empty();
            let list = if is_wanted && needed <= width { &mut first } else { &mut others };
            list.push(index);
        }
        first.sort_unstable();
        band.first = first.len();
        band.others = [first, others].concat();
        band
    }

    /// Returns true if all essential columns are shown while nothing is scrolled.
    fn shows_essentials(&self) -> bool {
        let hidden = self.others.get(self.first..).unwrap_or_default();
        let mut hidden = hidden.iter().filter_map(|&index| self.columns.get(index));
        !hidden.any(|column| matches!(column.place, Place::Other(..=ESSENTIAL)))
    }

    /// Returns the end of the longest window from `start` on that fits beside the pinned columns and
    /// the beginning of the last one.
    fn end(&self, start: usize) -> usize {
        let fits =
            |end: &usize| self.needed(1, &self.indices(start..*end), self.beginning) <= self.width;
        (start + 1..=self.others.len()).take_while(fits).last().unwrap_or(start)
    }

    /// Returns what is shown of the others after some steps. Each step hides the first one. If there is
    /// no room for any, the first step shows one instead of the beginning of the last column.
    fn window(&self, steps: usize) -> Range<usize> {
        match steps {
            0 => 0..self.first,
            steps => {
                let start = if self.first == 0 { steps - 1 } else { steps };
                start..self.end(start).max(start + 1)
            }
        }
    }

    /// Returns the steps until the window reaches the last one of the others.
    fn most_steps(&self) -> usize {
        let is_last = |steps: &usize| self.window(*steps).end >= self.others.len();
        (0..=self.others.len()).find(is_last).unwrap_or(0)
    }

    /// Returns the indices of the shown columns, in order. Those that had no room come after the others.
    fn indices(&self, window: Range<usize>) -> Vec<usize> {
        let middle = self.first.clamp(window.start, window.end);
        let part = |range: Range<usize>| self.others.get(range).unwrap_or_default().iter();
        let mut indices = self.pinned.clone();
        indices.extend(part(window.start..middle));
        indices.sort_unstable();
        indices.extend(part(middle..window.end));
        indices.extend(self.rest);
        indices
    }

    /// Returns the width of these columns, with only so much of the last one.
    fn needed(&self, gap: usize, indices: &[usize], beginning: usize) -> usize {
        let columns = indices.iter().filter_map(|&index| self.columns.get(index));
        1 + columns.map(|column| column.least(gap, beginning)).sum::<usize>()
    }

    /// Returns the indices of these columns, each with its width.
    fn widths(&self, indices: &[usize], gap: usize, beginning: usize) -> Vec<(usize, usize)> {
        let mut left = self.width.saturating_sub(1);
        let mut shown = Vec::new();
        for (place, &index) in indices.iter().enumerate() {
            let Some(column) = self.columns.get(index) else { continue };
            let room = left.saturating_sub(gap);
            let width = match column.place {
                Place::Rest => room,
                Place::Pinned => column.width.min(room),
                Place::Other(_) => {
                    let after = indices.get(place + 1..).unwrap_or_default();
                    let after = self.needed(gap, after, beginning) - 1;
                    column.width.min(room.saturating_sub(after))
                }
            };
            if width > 0 {
                left = room - width;
                shown.push((index, width));
            }
        }
        shown
    }
}

impl Column {
    /// Returns the least room that the column takes, with the gap before it. Of the last column, only
    /// `beginning` characters count; if 0, the column takes no room.
    pub(super) fn least(&self, gap: usize, beginning: usize) -> usize {
        match (self.place, beginning) {
            (Place::Rest, 0) => 0,
            (Place::Rest, _) => gap + self.width.min(beginning),
            (Place::Pinned | Place::Other(_), _) => gap + self.width,
        }
    }
}

/// Returns text that is cut to a width, and whose end shows that.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = beginning(text.chars(), width.saturating_sub(1));
    if width > 0 {
        cut.push_str(LEFT_OUT);
    }
    cut
}

/// Returns the end of a text that is cut to a width, and whose beginning shows that.
pub(super) fn cut_before(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let end = beginning(text.chars().rev(), width.saturating_sub(1));
    let sign = if width > 0 { LEFT_OUT } else { "" };
    sign.chars().chain(end.chars().rev()).collect()
}

/// Returns as many characters as fit.
fn beginning(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 0;
    chars
        .take_while(|char| {
            used += char.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(width: usize, place: Place) -> Column {
        Column { width, place }
    }

    /// The columns p and q are pinned, and r is the last one. The ranks of b, a, c follow each other.
    const COLUMNS: [Column; 6] = [
        Column { width: 5, place: Place::Pinned },
        Column { width: 6, place: Place::Other(4) },
        Column { width: 10, place: Place::Pinned },
        Column { width: 9, place: Place::Other(3) },
        Column { width: 7, place: Place::Other(4) },
        Column { width: 40, place: Place::Rest },
    ];

    fn letters(indices: &[usize]) -> String {
        indices.iter().map(|&index| ["p", "a", "q", "b", "c", "r"][index]).collect()
    }

    /// Returns the columns to the left, the shown ones with their widths, and those to the right.
    fn arranged(width: usize, steps: usize) -> String {
        let Layout { shown, left, right, .. } = arrange(&COLUMNS, width, steps);
        let shown = shown.iter().map(|&(index, width)| format!("{}{width}", letters(&[index])));
        let shown: Vec<_> = shown.collect();
        format!("{} < {} > {}", letters(&left), shown.join(" "), letters(&right))
    }

    #[test]
    fn columns_give_way_in_the_order_of_their_ranks() {
        let shown = |width| arranged(width, 0);
        assert_eq!(shown(100), " < p5 a6 q10 b9 c7 r50 > ");
        // The beginning of the last column stays whole.
        assert_eq!(shown(68), " < p5 a6 q10 b9 c7 r24 > ");
        assert_eq!(shown(67), " < p5 a6 q10 b9 r31 > c");
        assert_eq!(shown(60), " < p5 a6 q10 b9 r24 > c");
        assert_eq!(shown(59), " < p5 q10 b9 r30 > ac");
        // A narrower column takes the room of one that does not fit.
        assert_eq!(shown(52), " < p5 a6 q10 r26 > bc");
        assert_eq!(shown(44), " < p5 q10 r25 > bac");
        assert_eq!(shown(20), " < p5 q10 r1 > bac");
        assert_eq!(shown(12), " < p5 q4 > bac");
    }

    #[test]
    fn last_column_makes_room_for_all_essential_columns() {
        let columns = [
            column(20, Place::Pinned),
            column(10, Place::Other(ESSENTIAL)),
            column(5, Place::Other(ESSENTIAL + 1)),
            column(40, Place::Rest),
        ];
        let shown = |width| arrange(&columns, width, 0).shown;
        assert_eq!(shown(64), [(0, 20), (1, 10), (2, 5), (3, 24)]);
        assert_eq!(shown(63), [(0, 20), (1, 10), (3, 29)]);
        assert_eq!(shown(46), [(0, 20), (1, 10), (3, 12)]);
        assert_eq!(shown(44), [(0, 20), (3, 21)]);
    }

    #[test]
    fn scrolling_moves_a_window_and_stops_at_the_last_column() {
        let steps = |width| arrange(&COLUMNS, width, 0).most_steps;
        assert_eq!((steps(68), steps(67), steps(57), steps(44)), (0, 1, 2, 3));
        // The column that had no room comes after the others.
        assert_eq!(arranged(67, 1), "a < p5 q10 b9 c7 r30 > ");
        assert_eq!(arranged(67, 2), arranged(67, 1));
        assert_eq!(arranged(57, 1), "b < p5 q10 a6 r31 > c");
        assert_eq!(arranged(57, 2), "ba < p5 q10 c7 r30 > ");
        // Without room beside it, a column takes that of the last one.
        assert_eq!(arranged(44, 1), " < p5 q10 b9 r15 > ac");
        assert_eq!(arranged(44, 2), "b < p5 q10 a6 r18 > c");
        assert_eq!(arranged(24, 1), " < p5 q10 b5 > ac");
        assert_eq!(arranged(44, 9), arranged(44, 3));
    }

    #[test]
    fn lines_are_never_too_long() {
        let columns =
            [column(5, Place::Pinned), column(3, Place::Other(0)), column(9, Place::Rest)];
        for width in 0..30 {
            for steps in 0..9 {
                let layout = arrange(&columns, width, steps);
                let total: usize = layout.shown.iter().map(|(_, width)| width + layout.gap).sum();
                assert!(total < width.max(1), "{width} {steps}");
            }
        }
    }

    #[test]
    fn cut_text_shows_where_it_is_cut() {
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 0), "");
        assert_eq!(cut_before("日本語", 5), "…本語");
        assert_eq!(cut_before("abc", 3), "abc");
        assert_eq!(cut_before("abc", 1), "…");
        assert_eq!(cut_before("abc", 0), "");
    }
}
