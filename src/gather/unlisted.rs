//! Adds the sockets that no table has.

use std::collections::HashSet;

use super::Gatherer;
use crate::listing::Part;
use crate::namespaces;
use crate::owners::Sweep;
use crate::socket::Socket;
use crate::tables::Counters;

impl Gatherer<'_> {
    /// Adds the sockets that processes of these namespaces own, but that no table has. `before` was
    /// read before the tables.
    pub(super) fn add_unlisted(
        &mut self,
        sweep: &Sweep<'_>,
        parts: &mut Vec<Part>,
        before: Option<&Counters>,
    ) {
        if sweep.unlisted(&inodes(parts)).is_empty() {
            return;
        }
        // A socket can have been opened or bound after its table was read.
        let is_quiet = before.is_some() && self.counters().as_ref() == before;
        if !is_quiet && let Ok(again) = self.read(&mut |_| ()) {
            *parts = again;
        }
        let own = namespaces::number(&self.root.process);
        let number = |part: &Part| part.namespace.as_ref().map_or(own, |it| it.number);
        let numbers: Vec<_> = parts.iter().map(number).collect();
        for (pid, socket) in sweep.unlisted(&inodes(parts)) {
            let namespace = namespaces::number(&self.root.path.join(pid.to_string()));
            let place = numbers.iter().position(|&it| it.is_some() && it == namespace);
            if let Some(part) = place.and_then(|index| parts.get_mut(index)) {
                part.sockets.push(Socket::Other(Box::new(socket)));
            }
        }
    }

    /// Returns the counters of sockets; `None` if they cannot be read.
    pub(super) fn counters(&self) -> Option<Counters> {
        Counters::read(&self.root.path.join("net")).ok()
    }
}

fn inodes(parts: &[Part]) -> HashSet<u64> {
    parts.iter().flat_map(|part| &part.sockets).map(Socket::inode).collect()
}
