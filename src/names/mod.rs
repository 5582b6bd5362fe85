//! Names of hosts, services and users, from the resolver of this host (NSS). Many look-ups run at
//! the same time.

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
use crate::remark::Remark;
use crate::socket::Protocol;
use local::Local;

/// The most look-ups of hosts at the same time.
const MOST_HOSTS: usize = 128;
/// The most look-ups of users and ports at the same time. Usually this host knows them itself.
const MOST_OWN: usize = 4;
/// The stack of a thread that looks up names, in bytes.
const STACK: usize = 512 * 1024;

/// A number that can have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Number {
    Host(IpAddr),
    /// A port: a service of TCP or UDP, or a protocol of IP for raw sockets.
    Port(Protocol, u16),
    User(u32),
}

impl Number {
    /// The port of a socket. UDP-Lite has the services of UDP.
    pub fn port(protocol: Protocol, port: u16) -> Self {
        let is_lite = protocol == Protocol::UdpLite;
        Self::Port(if is_lite { Protocol::Udp } else { protocol }, port)
    }
}

/// Which numbers are shown by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// Hosts.
    pub hosts: bool,
    /// Ports, and the protocols of raw sockets.
    pub ports: bool,
    /// Users.
    pub users: bool,
}

/// The names that are known so far.
///
/// A resolver cannot be interrupted. So look-ups run on other threads, and an answer is waited for
/// only until a deadline. An answer that comes later serves the next listing.
pub struct Names {
    /// All numbers that were looked up.
    asked: HashSet<Number>,
    /// The numbers without an answer so far.
    pending: HashSet<Number>,
    known: HashMap<Number, String>,
    /// The names in files; read when the first port is looked up.
    local: OnceCell<Local>,
    hosts: Arc<Pool>,
    /// Ports and users, which do not have to wait for hosts.
    own: Arc<Pool>,
    answers: Receiver<Answer>,
    answer: Sender<Answer>,
}

/// A number, and its name if it has one.
type Answer = (Number, Option<String>);

/// The threads for some look-ups, and the numbers that wait for them.
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
    /// Looks up these numbers, and waits for the answers until the deadline. Does not wait for
    /// numbers that an earlier call waited for in vain. Returns how many of all numbers are still
    /// unanswered.
    pub fn look_up(
        &mut self,
        numbers: impl IntoIterator<Item = Number>,
        deadline: Duration,
    ) -> usize {
        // `None` if the end is beyond the range of the clock.
        let end = Instant::now().checked_add(deadline);
        while let Ok(late) = self.answers.try_recv() {
            self.learn(late);
        }
        let (mut fresh, mut stale) = (HashSet::new(), HashSet::new());
        for number in numbers {
            if self.pending.contains(&number) {
                stale.insert(number);
            } else if self.asked.insert(number) && !self.find_in_files(number) {
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

    /// Looks up a port in the files of this host. Returns false if the resolver must be asked.
    fn find_in_files(&mut self, number: Number) -> bool {
        let Number::Port(protocol, port) = number else { return false };
        let local = self.local.get_or_init(Local::read);
        if !local.is_complete(protocol) {
            return false;
        }
        self.known.extend(local.port(protocol, port).map(|name| (number, name.to_owned())));
        true
    }

    /// Gives these numbers to the threads. Returns false if no thread can be started.
    fn ask(&self, numbers: &HashSet<Number>) -> bool {
        let (hosts, own): (Vec<_>, Vec<_>) =
            numbers.iter().partition(|number| matches!(number, Number::Host(_)));
        let hosts = self.hosts.work(hosts, MOST_HOSTS, &self.answer);
        self.own.work(own, MOST_OWN, &self.answer) && hosts
    }

    /// Returns the name of a number, if it is known.
    pub fn get(&self, number: Number) -> Option<&str> {
        self.known.get(&number).map(String::as_str)
    }
}

impl Pool {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Number>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues these numbers, and starts up to `most` threads, which end when the queue is empty.
    /// Returns false if no thread can be started.
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
                // No more threads can be started. Those that run do the work, if there are any.
                self.workers.fetch_sub(1, Relaxed);
                break;
            }
        }
        self.workers.load(Relaxed) > 0 || self.queue().is_empty()
    }

    /// Returns the next number to look up. `None` ends the thread that asks.
    fn take(&self) -> Option<Number> {
        let mut queue = self.queue();
        let number = queue.pop_front();
        if number.is_none() {
            // While the queue is locked, so that the next call of `work` counts the right number.
            self.workers.fetch_sub(1, Relaxed);
        }
        number
    }
}

/// Returns the number of a user. A name has precedence over a number, as for chown(1). Fails if the
/// user is unknown, or if the resolver does not answer in time.
pub fn user(user: &str, timeout: Duration) -> Result<u32, Remark> {
    let number = decimal(user.as_bytes());
    let (answer, answers) = mpsc::channel();
    let name = user.to_owned();
    let ask =
        move || answer.send(User::from_name(&name).ok().flatten().map(|user| user.uid.as_raw()));
    let asked = thread::Builder::new().stack_size(STACK).spawn(ask);
    let user = || user.to_owned();
    match asked.ok().map(|_| answers.recv_timeout(timeout)) {
        Some(Ok(known)) => known.or(number).ok_or_else(|| Remark::UnknownUser(user())),
        _ => number.ok_or_else(|| Remark::UserTooLate { user: user(), timeout }),
    }
}

/// Asks the resolver, however long it takes.
fn look_up(number: Number) -> Option<String> {
    match number {
        Number::Host(address) => {
            let flags = NI_NAMEREQD | NI_NUMERICSERV;
            getnameinfo(&SocketAddr::new(address, 0), flags).ok().map(|(host, _)| host)
        }
        Number::Port(protocol, port) => {
            let datagram = if protocol == Protocol::Udp { NI_DGRAM } else { 0 };
            let flags = NI_NUMERICHOST | datagram;
            let (_, service) =
                getnameinfo(&SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), flags).ok()?;
            // For a port without a name, it returns the number.
            (service != port.to_string()).then_some(service)
        }
        Number::User(uid) => User::from_uid(Uid::from_raw(uid)).ok()?.map(|user| user.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_answer_serves_a_later_call() {
        let mut names = Names::default();
        let root = Number::User(0);
        // The answer can arrive in time nevertheless.
        let unknown = names.look_up([root, root], Duration::ZERO);
        assert_eq!(unknown, usize::from(names.get(root).is_none()));
        // Later calls do not wait for the answer, but take it once it has arrived.
        let start = Instant::now();
        while names.look_up([root], Duration::MAX) > 0 {
            assert_eq!(names.get(root), None);
            assert!(start.elapsed() < Duration::from_secs(20), "the answer does not arrive");
        }
        assert_eq!(names.get(root), Some("root"));
    }

    #[test]
    fn number_without_a_name_is_not_waited_for_again() {
        let mut names = Names::default();
        let (root, nobody) = (Number::User(0), Number::User(u32::MAX - 7));
        assert_eq!(names.look_up([root, nobody], Duration::MAX), 0);
        assert_eq!((names.get(root), names.get(nobody)), (Some("root"), None));
    }
}
