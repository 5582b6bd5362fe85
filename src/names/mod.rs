//! Looks up names of hosts, services and users with the resolver of this host (NSS), in parallel.

mod local;
mod passwd;

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
pub use passwd::Passwd;

/// The maximum number of look-ups of hosts at the same time.
const MOST_HOSTS: usize = 128;
/// The maximum number of look-ups of users and ports at a time. They seldom ask another host.
const MOST_OWN: usize = 4;
/// The stack of a thread that looks up names, in bytes.
const STACK: usize = 512 * 1024;

/// A number that can have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Number {
    Host(IpAddr),
    /// A port of TCP or UDP, or the protocol of a raw socket.
    Port(Protocol, u16),
    User(u32),
}

impl Number {
    /// Returns the number for a port. The services of UDP-Lite are those of UDP.
    pub fn port(protocol: Protocol, port: u16) -> Self {
        let is_lite = protocol == Protocol::UdpLite;
        Self::Port(if is_lite { Protocol::Udp } else { protocol }, port)
    }
}

/// Which numbers are shown by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Naming {
    /// Hosts.
    pub hosts: bool,
    /// Hosts of SCTP sockets: netstat has its own rule for them.
    pub sctp_hosts: bool,
    /// Ports, including the protocols that raw sockets have in their place.
    pub ports: bool,
    /// Users.
    pub users: bool,
}

/// The names that are known so far.
///
/// A call of the resolver cannot be interrupted, so it runs on another thread. rnetstat waits for
/// the answer until a deadline; later answers are for the next listing.
pub struct Names {
    /// All numbers that were looked up.
    asked: HashSet<Number>,
    /// The numbers without an answer so far.
    pending: HashSet<Number>,
    known: HashMap<Number, String>,
    /// The names of ports from the files in `/etc`; read when the first port is looked up.
    local: OnceCell<Local>,
    /// The users of another host; `None` if the users are those of this host.
    passwd: Option<Passwd>,
    hosts: Arc<Pool>,
    /// Ports and users. They have their own threads, so that they do not wait for hosts.
    own: Arc<Pool>,
    answers: Receiver<Answer>,
    answer: Sender<Answer>,
}

/// A number, and its name if it has one.
type Answer = (Number, Option<String>);

/// Threads that look up numbers, and the queue of numbers that no thread has taken yet.
#[derive(Default)]
struct Pool {
    queue: Mutex<VecDeque<Number>>,
    workers: AtomicUsize,
}

impl Default for Names {
    fn default() -> Self {
        let (answer, answers) = mpsc::channel();
        let (asked, pending, known, local, passwd, hosts, own) = Default::default();
        Self { asked, pending, known, local, passwd, hosts, own, answers, answer }
    }
}

impl Names {
    /// Returns names with the users of another host, or with those of this one if it is `None`.
    pub fn new(passwd: Option<Passwd>) -> Self {
        Self { passwd, ..Self::default() }
    }

    /// Looks up these numbers, and waits for the answers until the deadline. If an earlier call
    /// waited for a number and got no answer, this call does not wait for it. Returns how many of
    /// these numbers have no answer yet.
    pub fn look_up(
        &mut self,
        numbers: impl IntoIterator<Item = Number>,
        deadline: Duration,
    ) -> usize {
        // `None` if the deadline is beyond the range of the clock.
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

    /// Looks up a port in the files of this host, and a user in the file of another one. Returns
    /// false if the resolver is needed.
    fn find_in_files(&mut self, number: Number) -> bool {
        let name = match (number, &self.passwd) {
            (Number::Port(protocol, port), _) => {
                let local = self.local.get_or_init(Local::read);
                if !local.is_complete(protocol) {
                    return false;
                }
                local.port(protocol, port)
            }
            (Number::User(uid), Some(passwd)) => passwd.name(uid),
            (Number::User(_), None) | (Number::Host(_), _) => return false,
        };
        self.known.extend(name.map(|name| (number, name.to_owned())));
        true
    }

    /// Gives these numbers to threads. Returns false if there is no thread for some of them.
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

    /// Queues these numbers, and starts threads for them, up to `most` in all. The threads end when
    /// the queue is empty. Returns false if numbers are queued and there is no thread.
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
            // While the queue is locked: `work` must not queue a number and count on a thread that
            // ends.
            self.workers.fetch_sub(1, Relaxed);
        }
        number
    }
}

/// Returns the number of a user. A name has precedence over a number, as for chown(1). Fails if the
/// user is unknown. Also fails if the resolver does not answer in time, unless `user` is a number.
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

/// Asks the resolver, which can take very long.
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
            // getnameinfo returns the number of a port that has no name.
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
        // The answer can arrive in time, even if the deadline is zero.
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
    fn number_without_a_name_is_looked_up_once() {
        let mut names = Names::default();
        let (root, nobody) = (Number::User(0), Number::User(u32::MAX - 7));
        assert_eq!(names.look_up([root, nobody], Duration::MAX), 0);
        assert_eq!((names.get(root), names.get(nobody)), (Some("root"), None));
        assert_eq!(names.look_up([root, nobody], Duration::ZERO), 0);
    }
}
