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

use crate::number::decimal;
use crate::socket::Protocol;
use local::Local;

/// Look-ups of hosts that wait for their answers at once.
const MOST_HOSTS: usize = 128;
/// The same for users and ports, which this host most often knows by itself.
const MOST_OWN: usize = 4;
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
    /// Asked for and not answered yet.
    pending: HashSet<Number>,
    known: HashMap<Number, String>,
    /// Read when the first port is asked for.
    local: OnceCell<Local>,
    hosts: Arc<Pool>,
    /// A pool of their own, so that hosts do not keep them waiting.
    own: Arc<Pool>,
    answers: Receiver<Answer>,
    answer: Sender<Answer>,
}

/// A number, and its name if it has one.
type Answer = (Number, Option<String>);

/// Look-ups of one sort: what is to be done, and how many are at it.
#[derive(Default)]
struct Pool {
    queue: Mutex<VecDeque<Number>>,
    workers: AtomicUsize,
}

impl Default for Names {
    fn default() -> Self {
        let (answer, answers) = mpsc::channel();
        let (asked, pending, known, local, hosts, own) = Default::default();
        Self { asked, pending, known, local, hosts, own, answers, answer }
    }
}

impl Names {
    /// Looks these up and waits for the answers until the deadline, but not for those of which
    /// an earlier listing has waited in vain. How many of all of them are not answered by then.
    pub fn look_up(
        &mut self,
        numbers: impl IntoIterator<Item = Number>,
        deadline: Duration,
    ) -> usize {
        // None is so far away that there is no such instant.
        let end = Instant::now().checked_add(deadline);
        while let Ok(late) = self.answers.try_recv() {
            self.learn(late);
        }
        let (mut fresh, mut stale) = (HashSet::new(), HashSet::new());
        for number in numbers {
            if self.pending.contains(&number) {
                stale.insert(number);
            } else if self.asked.insert(number) && !self.is_local(number) {
                fresh.insert(number);
            }
        }
        self.pending.extend(&fresh);
        if self.ask(&fresh) {
            while !fresh.is_empty() {
                let now = Instant::now();
                let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(now));
                let Ok(answer) = self.answers.recv_timeout(left) else { break };
                fresh.remove(&answer.0);
                stale.remove(&answer.0);
                self.learn(answer);
            }
        }
        fresh.len() + stale.len()
    }

    fn learn(&mut self, (number, name): Answer) {
        self.pending.remove(&number);
        self.known.extend(name.map(|name| (number, name)));
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

    /// Has the workers look these up. Whether there is somebody to do it.
    fn ask(&self, numbers: &HashSet<Number>) -> bool {
        let (hosts, own): (Vec<_>, Vec<_>) =
            numbers.iter().partition(|number| matches!(number, Number::Host(_)));
        let hosts = self.hosts.work(hosts, MOST_HOSTS, &self.answer);
        self.own.work(own, MOST_OWN, &self.answer) && hosts
    }

    /// The name, if it is known.
    #[must_use]
    pub fn get(&self, number: Number) -> Option<&str> {
        self.known.get(&number).map(String::as_str)
    }
}

impl Pool {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Number>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks these up on threads of which there are `most` at once, and which end when there is
    /// nothing left. Whether any could be had.
    fn work(self: &Arc<Self>, numbers: Vec<Number>, most: usize, answer: &Sender<Answer>) -> bool {
        let wanted = numbers.len().min(most);
        self.queue().extend(numbers);
        while self.workers.load(Relaxed) < wanted {
            self.workers.fetch_add(1, Relaxed);
            let (pool, answer) = (Arc::clone(self), answer.clone());
            let worker = thread::Builder::new().stack_size(STACK).spawn(move || {
                while let Some(number) = pool.take() {
                    if answer.send((number, look_up(number))).is_err() {
                        break;
                    }
                }
            });
            if worker.is_err() {
                // No more threads to be had: those that run do it all, or nobody does.
                self.workers.fetch_sub(1, Relaxed);
                break;
            }
        }
        self.workers.load(Relaxed) > 0 || self.queue().is_empty()
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

/// Why a user's number is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserError {
    /// There is no such user.
    Unknown,
    /// The host's resolver has not answered in time.
    Late,
}

/// The number of a user: of this name, or else this one.
///
/// # Errors
///
/// [`UserError`].
pub fn user(user: &str, deadline: Duration) -> Result<u32, UserError> {
    let number = decimal(user.as_bytes());
    let (answer, answers) = mpsc::channel();
    let name = user.to_owned();
    let ask =
        move || answer.send(User::from_name(&name).ok().flatten().map(|user| user.uid.as_raw()));
    let asked = thread::Builder::new().stack_size(STACK).spawn(ask);
    match asked.ok().map(|_| answers.recv_timeout(deadline)) {
        Some(Ok(known)) => known.or(number).ok_or(UserError::Unknown),
        _ => number.ok_or(UserError::Late),
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
        // It may have come all the same.
        let unknown = names.look_up([root, root], Duration::ZERO);
        assert_eq!(unknown, usize::from(names.get(root).is_none()));
        // Nobody waits for it again, but when it comes it serves the next listing.
        let start = Instant::now();
        while names.look_up([root], Duration::MAX) > 0 {
            assert_eq!(names.get(root), None);
            assert!(start.elapsed() < Duration::from_secs(20), "it does not come");
        }
        assert_eq!(names.get(root), Some("root"));
    }

    #[test]
    fn what_has_no_name_is_no_longer_waited_for() {
        let mut names = Names::default();
        let (root, nobody) = (Number::User(0), Number::User(u32::MAX - 7));
        assert_eq!(names.look_up([root, nobody], Duration::MAX), 0);
        assert_eq!((names.get(root), names.get(nobody)), (Some("root"), None));
    }
}
