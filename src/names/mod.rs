//! Hosts, services and users by name, through the host's own resolver (NSS), looked up side by
//! side.

mod local;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dns_lookup::getnameinfo;
use nix::libc::{NI_DGRAM, NI_NAMEREQD, NI_NUMERICHOST, NI_NUMERICSERV};
use nix::unistd::{Uid, User};

use crate::socket::Protocol;
use local::Local;

/// Look-ups that wait for their answers at once.
const MOST_WORKERS: usize = 128;
/// Bytes of stack that a look-up has.
const STACK: usize = 512 * 1024;

/// Whose name a port is looked up as, where that is done by protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP's services.
    Tcp,
    /// UDP's services, and UDP-Lite's.
    Udp,
    /// IP's protocols: a raw socket's port is one.
    Ip,
}

impl From<Protocol> for Transport {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Tcp => Self::Tcp,
            Protocol::Udp | Protocol::UdpLite => Self::Udp,
            Protocol::Raw => Self::Ip,
        }
    }
}

/// A number that may have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Number {
    /// A host's address.
    Host(IpAddr),
    /// A port.
    Port(Transport, u16),
    /// A user.
    User(u32),
}

/// Which numbers are to be shown by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Naming {
    /// Hosts, by reverse look-up.
    pub hosts: bool,
    /// Ports, as services; those of raw sockets as protocols.
    pub ports: bool,
    /// Users.
    pub users: bool,
}

/// The names that are known so far.
///
/// Look-ups run on threads that nobody waits for beyond a deadline, since a resolver cannot be
/// interrupted. An answer that comes too late for one listing serves the next.
pub struct Names {
    asked: HashSet<Number>,
    known: HashMap<Number, String>,
    /// Read when the first port is asked for.
    local: OnceCell<Local>,
    pool: Arc<Pool>,
    answers: Receiver<Answer>,
    answer: Sender<Answer>,
}

/// A number, and its name if it has one.
type Answer = (Number, Option<String>);

/// What the workers share.
#[derive(Default)]
struct Pool {
    queue: Mutex<VecDeque<Number>>,
    workers: AtomicUsize,
}

impl Default for Names {
    fn default() -> Self {
        let (answer, answers) = mpsc::channel();
        let (asked, known, local, pool) = Default::default();
        Self { asked, known, local, pool, answers, answer }
    }
}

impl Names {
    /// Looks these up, each that has not been asked for before, and waits for the answers until
    /// the deadline. How many of them are not known by then.
    pub fn look_up(
        &mut self,
        numbers: impl IntoIterator<Item = Number>,
        deadline: Duration,
    ) -> usize {
        // None is so far away that there is no such instant.
        let end = Instant::now().checked_add(deadline);
        // What came too late for the last listing.
        let late = self.answers.try_iter().filter_map(|(number, name)| Some((number, name?)));
        self.known.extend(late);
        let mut waiting = HashSet::new();
        for number in numbers {
            if self.asked.insert(number) && !self.is_local(number) {
                waiting.insert(number);
            }
        }
        if !self.ask(&waiting) {
            return waiting.len();
        }
        while !waiting.is_empty() {
            let now = Instant::now();
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(now));
            let Ok((number, name)) = self.answers.recv_timeout(left) else { break };
            waiting.remove(&number);
            self.known.extend(name.map(|name| (number, name)));
        }
        waiting.len()
    }

    /// The name, if it is known.
    #[must_use]
    pub fn get(&self, number: Number) -> Option<&str> {
        self.known.get(&number).map(String::as_str)
    }

    /// Answers a port from this host's files, unless the resolver has more to say.
    fn is_local(&mut self, number: Number) -> bool {
        let Number::Port(transport, port) = number else { return false };
        let local = self.local.get_or_init(Local::read);
        if !local.is_complete(transport) {
            return false;
        }
        self.known.extend(local.port(transport, port).map(|name| (number, name.to_owned())));
        true
    }

    /// Has the workers look these up. Whether there are any workers.
    fn ask(&self, numbers: &HashSet<Number>) -> bool {
        if numbers.is_empty() {
            return true;
        }
        let (hosts, own): (Vec<Number>, _) =
            numbers.iter().partition(|number| matches!(number, Number::Host(_)));
        {
            let mut queue = self.pool.queue();
            queue.extend(&hosts);
            // This host knows these by itself, so they come before what others know.
            for number in own {
                queue.push_front(number);
            }
        }
        self.start_workers(hosts.len() + 1);
        self.pool.workers.load(Relaxed) > 0 || self.pool.queue().is_empty()
    }

    /// Starts as many, if there are not enough already. They end when there is nothing to do.
    fn start_workers(&self, count: usize) {
        while self.pool.workers.load(Relaxed) < count.min(MOST_WORKERS) {
            self.pool.workers.fetch_add(1, Relaxed);
            let (pool, answer) = (Arc::clone(&self.pool), self.answer.clone());
            let worker = thread::Builder::new().stack_size(STACK).spawn(move || {
                while let Some(number) = pool.take() {
                    if answer.send((number, look_up(number))).is_err() {
                        break;
                    }
                }
            });
            if worker.is_err() {
                // No more threads to be had: those that run do it all, or nobody does.
                self.pool.workers.fetch_sub(1, Relaxed);
                return;
            }
        }
    }
}

impl Pool {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Number>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next number to look up; none ends the worker that asks.
    fn take(&self) -> Option<Number> {
        let mut queue = self.queue();
        let number = queue.pop_front();
        if number.is_none() {
            // While the queue is locked, so that whoever fills it next counts the rest.
            self.workers.fetch_sub(1, Relaxed);
        }
        number
    }
}

/// Asks the host's resolver, for as long as it takes.
fn look_up(number: Number) -> Option<String> {
    match number {
        Number::Host(address) => {
            let flags = NI_NAMEREQD | NI_NUMERICSERV;
            getnameinfo(&SocketAddr::new(address, 0), flags).ok().map(|(host, _)| host)
        }
        Number::Port(transport, port) => {
            let datagram = if transport == Transport::Udp { NI_DGRAM } else { 0 };
            let flags = NI_NUMERICHOST | datagram;
            let (_, service) =
                getnameinfo(&SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), flags).ok()?;
            // Without a name it gives the number.
            (service != port.to_string()).then_some(service)
        }
        Number::User(uid) => User::from_uid(Uid::from_raw(uid)).ok()?.map(|user| user.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_has_passed_leaves_numbers() {
        let mut names = Names::default();
        let root = Number::User(0);
        assert_eq!((names.look_up([root, root], Duration::ZERO), names.get(root)), (1, None));
        // Nobody waits for it again, but when it comes it serves the next listing.
        let start = Instant::now();
        while names.get(root).is_none() {
            assert_eq!(names.look_up([root], Duration::MAX), 0);
            assert!(start.elapsed() < Duration::from_secs(20), "it does not come");
        }
    }

    #[test]
    fn what_has_no_name_is_no_longer_waited_for() {
        let mut names = Names::default();
        let (root, nobody) = (Number::User(0), Number::User(u32::MAX - 7));
        assert_eq!(names.look_up([root, nobody], Duration::MAX), 0);
        assert_eq!((names.get(root), names.get(nobody)), (Some("root"), None));
    }
}
