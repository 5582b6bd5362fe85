//! The columns of a line: which are shown, and how wide.
//!
//! If not all columns fit, the pinned ones and the beginning of the last one stay, and the others are
//! reached by scrolling sideways. Scrolling further moves the text of the last column.

use std::collections::HashMap;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// At least this many characters of the last column are shown, if it has as many.
pub(super) const BEGINNING: usize = 12;
/// To show this many characters of the last column, the gaps are made narrow.
const ENOUGH: usize = 24;
/// How far one step of scrolling moves the text of the last column.
const STEP: usize = 16;
/// What stands for text that is left out.
const LEFT_OUT: &str = "…";
/// An address and a port of IPv4 have this many characters at most.
pub(super) const SHORTEST_ADDRESS: usize = 21;

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
    /// The spaces after a column.
    pub(super) gap: usize,
    /// The index of each column, and its width.
    pub(super) shown: Vec<(usize, usize)>,
    /// The characters at the beginning of the last column that are not shown.
    pub(super) offset: usize,
    /// The indices of the columns that do not fit.
    pub(super) left_out: Vec<usize>,
    /// The most steps that can be scrolled to the right.
    pub(super) most_steps: usize,
}

/// Arranges columns in lines of this width, scrolled by some steps to the right. Each line begins with
/// a mark.
///
/// A step hides one more of the columns that are not pinned. The last steps move the text of the last
/// column.
pub(super) fn arrange(columns: &[Column], width: usize, steps: usize) -> Layout {
    let arranger = Arranger::new(columns, width);
    let start = arranger.fitting(0, BEGINNING);
    let is_whole = start.len() == columns.len() && arranger.needed(1, &start, usize::MAX) <= width;
    // If none of the others fits beside the beginning of the last column, the first step shows them.
    let extra = usize::from(start.len() == arranger.pinned.len() && !arranger.others.is_empty());
    let last_step = arranger.others.len() + extra;
    let indices = match steps {
        0 => start,
        _ if is_whole => start,
        steps => arranger.fitting((steps - extra).min(arranger.others.len()), 0),
    };
    let fits_loosely = arranger.needed(2, &indices, ENOUGH) <= width;
    let gap = if fits_loosely && indices.len() == columns.len() { 2 } else { 1 };
    let shown = arranger.widths(&indices, gap, if steps == 0 { BEGINNING } else { 0 });
    let hidden = arranger.hidden(&arranger.widths(&arranger.pinned, 1, 0));
    let moved = steps.saturating_sub(last_step) * STEP;
    let most_steps = if is_whole { 0 } else { last_step + hidden.div_ceil(STEP) };
    let offset = if is_whole { 0 } else { moved.min(hidden) };
    let is_left_out = |index: &usize| shown.iter().all(|(shown, _)| shown != index);
    let left_out = (0..columns.len()).filter(is_left_out).collect();
    Layout { gap, shown, offset, left_out, most_steps }
}

struct Arranger<'a> {
    columns: &'a [Column],
    width: usize,
    /// The indices of the columns that are always shown: the pinned ones and the last column.
    pinned: Vec<usize>,
    /// The indices of the others, in the order in which they are hidden by scrolling.
    others: Vec<usize>,
}

impl<'a> Arranger<'a> {
    fn new(columns: &'a [Column], width: usize) -> Self {
        let mut ranked = Vec::new();
        let mut pinned = Vec::new();
        for (index, column) in (0..).zip(columns) {
            match column.place {
                Place::Other(rank) => ranked.push((rank, index)),
                Place::Pinned | Place::Rest => pinned.push(index),
            }
        }
        ranked.sort_unstable();
        let others = ranked.into_iter().map(|(_, index)| index).collect();
        Self { columns, width, pinned, others }
    }

    /// Returns the width of these columns, with only so much of the last one.
    fn needed(&self, gap: usize, indices: &[usize], beginning: usize) -> usize {
        let columns = indices.iter().filter_map(|&index| self.columns.get(index));
        1 + columns.map(|column| gap + column.least(beginning)).sum::<usize>()
    }

    /// Returns the pinned columns, and those of the others that fit, from `first` on. Without a
    /// beginning of the last column, the first one is shown even if it must be cut.
    fn fitting(&self, first: usize, beginning: usize) -> Vec<usize> {
        let mut indices = self.pinned.clone();
        for &index in self.others.iter().skip(first) {
            indices.push(index);
            let is_cut = beginning == 0 && indices.len() == self.pinned.len() + 1;
            if !is_cut && self.needed(1, &indices, beginning) > self.width {
                indices.pop();
                break;
            }
        }
        indices.sort_unstable();
        indices
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

    /// Returns how many characters of the last column do not fit.
    fn hidden(&self, shown: &[(usize, usize)]) -> usize {
        let rest = self.columns.last().filter(|column| column.place == Place::Rest);
        let width = shown.iter().find(|&&(index, _)| index + 1 == self.columns.len());
        let width = width.map_or(0, |&(_, width)| width);
        rest.map_or(0, |rest| if width == 0 { 0 } else { rest.width.saturating_sub(width) })
    }
}

impl Column {
    /// The least width, with only so much of the last column.
    fn least(&self, beginning: usize) -> usize {
        match self.place {
            Place::Rest => self.width.min(beginning),
            Place::Pinned | Place::Other(_) => self.width,
        }
    }
}

/// Returns text that is cut to a width, and whose end shows that.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = beginning(text, width.saturating_sub(1));
    if width > 0 {
        cut.push_str(LEFT_OUT);
    }
    cut
}

/// Returns as many characters as fit.
fn beginning(text: &str, width: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|char| {
            used += char.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

/// Shortens addresses in the middle, so that they fit. Addresses that differ stay different, and each
/// port stays whole.
pub(super) fn shorten(texts: &mut [&mut String], width: usize) {
    // The share of the beginning, in tenths: if two addresses look the same, show more of their ends,
    // then more of their beginnings.
    const SHARES: [usize; 4] = [5, 2, 8, 0];
    let mut wholes: Vec<String> = texts.iter().map(|text| (**text).clone()).collect();
    wholes.sort_unstable();
    wholes.dedup();
    let mut left = wholes.clone();
    left.retain(|whole| whole.width() > width);
    let mut forms: HashMap<String, String> = HashMap::new();
    for share in SHARES {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for whole in &wholes {
            *counts.entry(shortened(whole, width, share)).or_default() += 1;
        }
        left.retain(|whole| {
            let form = shortened(whole, width, share);
            let is_taken = forms.values().any(|other| *other == form);
            let is_left = is_taken || counts.get(&form) != Some(&1);
            if !is_left {
                forms.insert(whole.clone(), form);
            }
            is_left
        });
    }
    for text in texts {
        if let Some(form) = forms.get(&**text) {
            (**text).clone_from(form);
        }
    }
}

/// Returns an address with this many tenths of its room for the beginning. IPv6 is cut at colons, if
/// there is room.
fn shortened(text: &str, width: usize, share: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (host, port) = text
        .rsplit_once(':')
        .map_or((text, ""), |(host, _)| (host, text.get(host.len()..).unwrap_or_default()));
    let room = width.saturating_sub(port.width() + 1);
    let mut head = beginning(host, room * share / 10);
    let tail = beginning(&host.chars().rev().collect::<String>(), room - head.width());
    let mut tail: String = tail.chars().rev().collect();
    if let (Some(end), Some(start)) = (head.rfind(':'), tail.find(':')) {
        head.truncate(end + 1);
        tail.drain(..start);
    }
    head + LEFT_OUT + &tail + port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(width: usize, place: Place) -> Column {
        Column { width, place }
    }

    /// Returns the widths of the shown columns by their letters, and the offset of the last one.
    fn arranged(width: usize, steps: usize) -> (String, usize, usize) {
        let columns = [
            column(5, Place::Pinned),
            column(6, Place::Other(1)),
            column(10, Place::Pinned),
            column(9, Place::Other(0)),
            column(7, Place::Other(1)),
            column(40, Place::Rest),
        ];
        let Layout { shown, offset, most_steps, .. } = arrange(&columns, width, steps);
        let shown = shown
            .iter()
            .map(|&(index, width)| format!("{}{width}", ["p", "a", "q", "b", "c", "r"][index]));
        (shown.collect::<Vec<_>>().join(" "), offset, most_steps)
    }

    #[test]
    fn columns_that_do_not_fit_are_reached_by_scrolling() {
        assert_eq!(arranged(100, 0), ("p5 a6 q10 b9 c7 r50".into(), 0, 0));
        // Only the last column does not fit. The rank of b is the lowest.
        assert_eq!(arranged(60, 0), ("p5 a6 q10 b9 c7 r16".into(), 0, 3));
        assert_eq!(arranged(60, 1), ("p5 a6 q10 c7 r26".into(), 0, 3));
        assert_eq!(arranged(60, 3), ("p5 q10 r41".into(), 0, 3));
        assert_eq!(arranged(46, 0), ("p5 q10 b9 r17".into(), 0, 4));
        assert_eq!(arranged(50, 0), ("p5 a6 q10 b9 r14".into(), 0, 4));
        assert_eq!(arranged(46, 1), ("p5 a6 q10 c7 r12".into(), 0, 4));
        assert_eq!(arranged(46, 3), ("p5 q10 r27".into(), 0, 4));
        assert_eq!(arranged(46, 4), ("p5 q10 r27".into(), 13, 4));
    }

    #[test]
    fn pinned_columns_stay_in_the_narrowest_line() {
        assert_eq!(arranged(35, 0).0, "p5 q10 r16");
        assert_eq!(arranged(35, 1).0, "p5 q10 b9 r6");
        assert_eq!(arranged(24, 1).0, "p5 q10 b4");
        assert_eq!(arranged(20, 0).0, "p5 q10 r1");
        assert_eq!(arranged(12, 0).0, "p5 q4");
        for width in 0..12 {
            for steps in 0..9 {
                let total: usize =
                    arrange(&[column(5, Place::Pinned), column(9, Place::Rest)], width, steps)
                        .shown
                        .iter()
                        .map(|(_, width)| width + 1)
                        .sum();
                assert!(total < width.max(1), "{width}");
            }
        }
    }

    #[test]
    fn shortened_addresses_stay_different_and_keep_their_ports() {
        let short = |texts: &[&str], width| {
            let mut texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
            shorten(&mut texts.iter_mut().collect::<Vec<_>>(), width);
            texts
        };
        let one = "[2a02:2f0a:c10f:9700:5c31:8e0f:77d2:41aa]:443";
        assert_eq!(short(&[one, "10.0.0.1:80"], 21), ["[2a02:…:41aa]:443", "10.0.0.1:80"]);
        let other = "[2a02:2f0a:c10f:9700:5c31:8e0f:77d2:42aa]:443";
        let both = short(&[one, other], 14);
        assert!(both[0] != both[1] && both.iter().all(|it| it.ends_with(":443")), "{both:?}");
        // Only those that look alike stay whole.
        let alike = "[2a02:2f0a:c10f:9700:5c31:8e0f:0:41aa]:443";
        let all = short(&[one, alike, "[2001:db8:1:2:3:4:5:6]:80"], 18);
        assert_eq!(all[2], "[2001:…:4:5:6]:80");
        assert!(all[0] != all[1], "{all:?}");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 0), "");
    }
}
