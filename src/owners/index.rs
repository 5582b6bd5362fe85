//! Where an inode is in a long list in order of inode.

/// The beginnings of equal spans of the inodes' range, in each of which there are but a few where
/// they are spread as the kernel gives them out. However they are spread, no search takes longer
/// than one through the whole list.
#[derive(Debug)]
pub(super) struct Index {
    lowest: u64,
    /// The logarithm of a span.
    shift: u32,
    /// Of each span, and behind the last, how many entries are before it.
    starts: Vec<u32>,
}

impl Index {
    /// Indexes a list that is in order of `inode`.
    pub(super) fn new<T>(list: &[T], inode: impl Fn(&T) -> u64) -> Self {
        let (lowest, highest) = match (list.first(), list.last()) {
            (Some(low), Some(high)) => (inode(low), inode(high)),
            _ => (0, 0),
        };
        let range = highest - lowest;
        let mut shift = 0;
        while range >> shift > list.len() as u64 {
            shift += 1;
        }
        let mut starts = Vec::with_capacity(list.len() + 2);
        for (place, entry) in (0..).zip(list) {
            let span = (inode(entry) - lowest) >> shift;
            while starts.len() as u64 <= span {
                starts.push(place);
            }
        }
        starts.push(u32::try_from(list.len()).unwrap_or(u32::MAX));
        Self { lowest, shift, starts }
    }

    /// The list from the first entry with this inode on, or from where it would be.
    pub(super) fn from<'a, T>(
        &self,
        list: &'a [T],
        wanted: u64,
        inode: impl Fn(&T) -> u64,
    ) -> &'a [T] {
        let span = wanted.checked_sub(self.lowest).map(|offset| offset >> self.shift);
        let span = span.and_then(|span| usize::try_from(span).ok());
        let starts = span.and_then(|span| self.starts.get(span..)).unwrap_or_default();
        let [start, end, ..] = *starts else { return &[] };
        let (start, end) = (start as usize, end as usize);
        let within = list.get(start..end).unwrap_or_default();
        let before = within.partition_point(|entry| inode(entry) < wanted);
        list.get(start + before..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_index_finds_what_a_search_finds(
            mut list in vec(prop_oneof![any::<u64>(), 1000..1100_u64], 0..200),
            others in vec(any::<u64>(), 0..20),
        ) {
            list.sort_unstable();
            let index = Index::new(&list, |&inode| inode);
            let near = list.iter().flat_map(|&inode| [inode, inode.wrapping_add(1), inode.wrapping_sub(1)]);
            for wanted in near.chain(others).chain([0, u64::MAX]) {
                let found = index.from(&list, wanted, |&inode| inode).iter().take_while(|&&inode| inode == wanted);
                prop_assert_eq!(found.count(), list.iter().filter(|&&inode| inode == wanted).count());
            }
        }
    }
}
