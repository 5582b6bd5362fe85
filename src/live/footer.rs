//! The last line: parts that are left out whole if there is no room for all of them.

use unicode_width::UnicodeWidthStr;

/// What stands between two parts.
const BETWEEN: &str = "; ";

/// A part of the line. Parts with a low rank get room first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The rank of the shortest form.
    rank: u8,
    /// The rank of the other forms.
    longer: u8,
    /// What it says, the longest form first.
    forms: Vec<String>,
}

impl Part {
    /// Returns a part with these forms, the longest first. The ranks are those of the shortest form, and
    /// of the others.
    pub(super) fn new((rank, longer): (u8, u8), forms: Vec<String>) -> Self {
        Self { rank, longer, forms }
    }

    /// Returns a part that has only one form.
    pub(super) fn whole(rank: u8, text: impl Into<String>) -> Self {
        Self::new((rank, rank), vec![text.into()])
    }

    /// Returns a part with a sign and some words, or the first of them and the number of the others:
    /// `→ FD, User +2`. At least one word is named.
    pub(super) fn list(ranks: (u8, u8), sign: &str, words: &[String]) -> Self {
        let form = |count: usize| match words.len() - count {
            0 => format!("{sign} {}", words.join(", ")),
            others => {
                let first = words.get(..count).unwrap_or_default();
                format!("{sign} {} +{others}", first.join(", "))
            }
        };
        Self::new(ranks, (1..=words.len()).rev().map(form).collect())
    }
}

/// Returns the line with the parts that fit into this width, in their order.
pub(super) fn line(parts: &[Part], width: usize) -> String {
    let indexed = || (0..).zip(parts);
    let shortest = indexed().map(|(index, part)| (part.rank, false, index));
    let longer = indexed().map(|(index, part)| (part.longer, true, index));
    let mut claims: Vec<(u8, bool, usize)> = shortest.chain(longer).collect();
    claims.sort_unstable();
    let mut chosen: Vec<Option<&str>> = vec![None; parts.len()];
    for (_, is_longer, index) in claims {
        let Some(part) = parts.get(index) else { continue };
        let others = (0..).zip(&chosen).filter(|&(other, _)| other != index);
        let taken = others.filter_map(|(_, form)| form.map(|form| form.width() + BETWEEN.len()));
        let room = width.saturating_sub(taken.sum());
        let mut forms = part.forms.iter().filter(|form| form.width() <= room);
        let form = if is_longer { forms.next() } else { forms.next_back() };
        if let (Some(form), Some(place)) = (form, chosen.get_mut(index)) {
            *place = Some(form);
        }
    }
    chosen.into_iter().flatten().collect::<Vec<_>>().join(BETWEEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_important_parts_are_left_out_whole() {
        let words = ["FD", "User", "Inode"].map(String::from);
        let parts = [
            Part::new((0, 2), ["16 sockets, 2 new", "16 sockets", "16"].map(String::from).to_vec()),
            Part::whole(5, "every 1s"),
            Part::whole(3, "? lists keys"),
            Part::list((1, 4), "→", &words),
        ];
        for (width, expected) in [
            (60, "16 sockets, 2 new; every 1s; ? lists keys; → FD, User, Inode"),
            (59, "16 sockets, 2 new; ? lists keys; → FD, User, Inode"),
            (49, "16 sockets, 2 new; ? lists keys; → FD, User +1"),
            (45, "16 sockets, 2 new; ? lists keys; → FD +2"),
            (39, "16 sockets, 2 new; → FD, User, Inode"),
            (32, "16 sockets, 2 new; → FD, User +1"),
            (20, "16 sockets; → FD +2"),
            (13, "16; → FD +2"),
            (10, "16 sockets"),
            (2, "16"),
            (1, ""),
        ] {
            let line = line(&parts, width);
            assert!(line.width() <= width, "{width}: {line}");
            assert_eq!(line, expected, "{width}");
        }
    }
}
