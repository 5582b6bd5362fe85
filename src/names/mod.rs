//! Looks up names of hosts, services and users with the resolver of this host (NSS), in parallel.

mod local;
mod passwd;
mod pool;
mod resolver;
mod users;
mod values;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::remark::Remark;
use crate::socket::Protocol;
use local::Local;
pub use passwd::Passwd;
use pool::{Pool, next_answer};
use resolver::Answer;
pub use values::conditions;

/// The maximum number of look-ups of hosts at the same time.
const MOST_HOSTS: usize = 128;
/// The maximum number of look-ups of users and ports at a time. They seldom ask another host.
const MOST_OWN: usize = 4;
/// The pause before a failed look-up is repeated. It doubles with each failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

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
    fn is_host(self) -> bool {
        matches!(self, Self::Host(_))
    }

    /// Returns the number for a port. The services of UDP-Lite are those of UDP.
    pub fn port(protocol: Protocol, port: u16) -> Self {
        let protocol = match protocol {
            Protocol::UdpLite => Protocol::Udp,
            Protocol::Mptcp => Protocol::Tcp,
            Protocol::Tcp | Protocol::Udp | Protocol::Raw | Protocol::Icmp => protocol,
        };
        Self::Port(protocol, port)
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

impl Naming {
    /// All names.
    pub const ALL: Self = Self { hosts: true, sctp_hosts: true, ports: true, users: true };
}

/// The names that are known so far.
///
/// A call of the resolver cannot be interrupted, so it runs on another thread. rnetstat waits for
/// the answer until a deadline; later answers are for the next listing.
///
/// The names of the last two listings are kept: the live view shows a closed socket once more.
pub struct Names {
    numbers: HashMap<Number, Entry>,
    /// Which names are shown.
    shown: Naming,
    /// The number of calls of [`Self::look_up`].
    round: u64,
    /// The names of ports from the files in `/etc`; read when the first port is looked up.
    local: OnceLock<Local>,
    /// The users of another host; `None` if the users are those of this host.
    passwd: Option<Passwd>,
    hosts: Arc<Pool<Number, Answer<String>>>,
    /// Ports and users. They have their own threads, so that they do not wait for hosts.
    own: Arc<Pool<Number, Answer<String>>>,
    /// Locked only to make the names usable by several threads, which only read them.
    answers: Mutex<Answers>,
}

type Answers = Receiver<(Number, Answer<String>)>;

struct Entry {
    /// The last round in which the number was listed.
    listed: u64,
    state: State,
}

enum State {
    /// There is no answer yet.
    Pending,
    /// The name, or `None` if the number has no name.
    Known(Option<String>),
    Failed(Failure),
}

/// A look-up without a result.
struct Failure {
    error: String,
    /// The pause before the next attempt.
    pause: Duration,
    /// When the number is looked up again; `None` while that happens.
    again: Option<Instant>,
    is_reported: bool,
}

/// The names that a listing lacks, although the numbers may have them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// How many numbers have no answer yet.
    pub late: usize,
    /// The look-ups that failed.
    pub failures: Option<Failures>,
}

/// Look-ups that failed. They are repeated for later listings.
#[derive(Debug, PartialEq, Eq)]
pub struct Failures {
    /// The number of failures in this listing.
    pub count: usize,
    /// The error of one of them.
    pub error: String,
    /// Some of them are not in the result of an earlier call.
    pub are_new: bool,
}

fn receiver(answers: &mut Mutex<Answers>) -> &Answers {
    answers.get_mut().unwrap_or_else(PoisonError::into_inner)
}

impl From<Failures> for Remark {
    fn from(Failures { count, error, .. }: Failures) -> Self {
        Self::NamesFailed { count, error }
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Names {
    /// Returns names with the users of another host, or with those of this one if it is `None`.
    pub fn new(passwd: Option<Passwd>) -> Self {
        Self::with_resolver(passwd, resolver::name)
    }

    /// `ask` asks the resolver.
    fn with_resolver(passwd: Option<Passwd>, ask: fn(&Number) -> Answer<String>) -> Self {
        let (answer, answers) = mpsc::channel();
        Self {
            numbers: HashMap::new(),
            shown: Naming::ALL,
            round: 0,
            local: OnceLock::new(),
            passwd,
            hosts: Pool::new(MOST_HOSTS, ask, answer.clone()),
            own: Pool::new(MOST_OWN, ask, answer),
            answers: Mutex::new(answers),
        }
    }

    /// Looks up the numbers of a listing, and waits for the answers until the deadline. Does not
    /// wait for a number that an earlier call looked up, but takes an answer that has arrived since.
    /// Forgets the numbers that are neither in this listing nor in the previous one.
    pub fn look_up(
        &mut self,
        numbers: impl IntoIterator<Item = Number>,
        deadline: Duration,
    ) -> Missing {
        // `None` if the deadline is beyond the range of the clock.
        let end = Instant::now().checked_add(deadline);
        while let Ok((number, answer)) = receiver(&mut self.answers).try_recv() {
            self.learn(number, answer);
        }
        self.round += 1;
        // Thousands of sockets in a row can have the same user.
        let mut last = None;
        let new = numbers.into_iter().filter(move |&number| last.replace(number) != Some(number));
        let fresh = new.filter(|&number| self.list(number));
        let mut fresh: HashSet<_> = fresh.collect();
        self.forget();
        let mut fresh_hosts = fresh.iter().filter(|number| number.is_host()).count();
        loop {
            let Self { hosts, own, answers, .. } = self;
            // Both pools must start. Wait for one of them even if all threads of the other hang.
            let (has_hosts, has_own) = (fresh_hosts > 0, fresh.len() > fresh_hosts);
            let start = || (hosts.start() & has_hosts) | (own.start() & has_own);
            if fresh.is_empty() {
                start();
                break;
            }
            let Some((number, answer)) = next_answer(receiver(answers), end, start) else { break };
            let was_fresh = fresh.remove(&number);
            fresh_hosts -= usize::from(was_fresh && number.is_host());
            self.learn(number, answer);
        }
        self.missing()
    }

    /// Notes that a number is listed, and queues it if that is necessary. Returns true if an answer
    /// can be expected in this round.
    fn list(&mut self, number: Number) -> bool {
        if let Some(entry) = self.numbers.get_mut(&number) {
            entry.listed = self.round;
            if let State::Failed(failure) = &mut entry.state
                && failure.again.take_if(|again| *again <= Instant::now()).is_some()
            {
                self.pool(number).queue(number);
            }
            return false;
        }
        let (state, is_fresh) = match self.find_in_files(number) {
            Some(name) => (State::Known(name), false),
            None => (State::Pending, self.pool(number).queue(number)),
        };
        self.numbers.insert(number, Entry { listed: self.round, state });
        is_fresh
    }

    /// Forgets the numbers that are neither in this listing nor in the previous one.
    fn forget(&mut self) {
        self.numbers.retain(|_, entry| entry.listed + 1 >= self.round);
        for pool in [&self.hosts, &self.own] {
            pool.retain(|number| self.numbers.contains_key(number));
        }
    }

    fn learn(&mut self, number: Number, answer: Answer<String>) {
        let Some(entry) = self.numbers.get_mut(&number) else { return };
        entry.state = match (answer, &entry.state) {
            (Ok(name), _) => State::Known(name),
            (Err(error), before) => {
                let (pause, is_reported) = match before {
                    State::Failed(failure) => (failure.pause * 2, failure.is_reported),
                    State::Pending | State::Known(_) => (FIRST_PAUSE, false),
                };
                let pause = pause.min(LONGEST_PAUSE);
                let again = Instant::now().checked_add(pause);
                State::Failed(Failure { error, pause, again, is_reported })
            }
        };
    }

    /// Returns the names that the listing of this round lacks.
    fn missing(&mut self) -> Missing {
        let mut missing = Missing::default();
        for entry in self.numbers.values_mut().filter(|entry| entry.listed == self.round) {
            match &mut entry.state {
                State::Pending => missing.late += 1,
                State::Known(_) => {}
                State::Failed(failure) => {
                    let failures = missing.failures.get_or_insert_with(|| Failures {
                        count: 0,
                        error: failure.error.clone(),
                        are_new: false,
                    });
                    failures.count += 1;
                    failures.are_new |= !failure.is_reported;
                    failure.is_reported = true;
                }
            }
        }
        missing
    }

    /// Looks up a port in the files of this host, and a user in the file of another one. Returns
    /// `None` if the resolver is needed, and `Some(None)` if there is no name.
    #[expect(clippy::option_option, reason = "no answer differs from no name")]
    fn find_in_files(&self, number: Number) -> Option<Option<String>> {
        let name = match (number, &self.passwd) {
            (Number::Port(protocol, port), _) => {
                let local = self.local.get_or_init(Local::read);
                if !local.is_complete(protocol) {
                    return None;
                }
                local.port(protocol, port)
            }
            (Number::User(uid), Some(passwd)) => passwd.name(uid),
            (Number::User(_), None) | (Number::Host(_), _) => return None,
        };
        Some(name.map(str::to_owned))
    }

    fn pool(&self, number: Number) -> &Pool<Number, Answer<String>> {
        match number {
            Number::Host(_) => &self.hosts,
            Number::Port(..) | Number::User(_) => &self.own,
        }
    }

    /// Shows only these names, although more are known.
    pub fn show(&mut self, shown: Naming) {
        self.shown = shown;
    }

    /// Returns the name of a number, if it is known and shown.
    pub fn get(&self, number: Number) -> Option<&str> {
        let is_shown = match number {
            Number::Host(_) => self.shown.hosts || self.shown.sctp_hosts,
            Number::Port(..) => self.shown.ports,
            Number::User(_) => self.shown.users,
        };
        if !is_shown {
            return None;
        }
        match &self.numbers.get(&number)?.state {
            State::Known(name) => name.as_deref(),
            State::Pending | State::Failed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn late_answer_serves_a_later_call() {
        let mut names = Names::default();
        let root = Number::User(0);
        // The answer can arrive in time, even if the deadline is zero.
        let late = names.look_up([root, root], Duration::ZERO).late;
        assert_eq!(late, usize::from(names.get(root).is_none()));
        // Later calls do not wait for the answer, but take it once it has arrived.
        let start = Instant::now();
        while names.look_up([root], Duration::MAX).late > 0 {
            assert_eq!(names.get(root), None);
            assert!(start.elapsed() < Duration::from_secs(20), "the answer does not arrive");
        }
        assert_eq!(names.get(root), Some("root"));
    }

    #[test]
    fn number_without_a_name_is_looked_up_once() {
        let mut names = Names::default();
        let (root, nobody) = (Number::User(0), Number::User(u32::MAX - 7));
        assert_eq!(names.look_up([root, nobody], Duration::MAX), Missing::default());
        assert_eq!((names.get(root), names.get(nobody)), (Some("root"), None));
        assert_eq!(names.look_up([root, nobody], Duration::ZERO), Missing::default());
    }

    #[test]
    fn names_of_the_last_two_listings_are_kept() {
        let mut names = Names::with_resolver(None, |number| Ok(Some(format!("{number:?}"))));
        let [one, two] = [Number::User(1), Number::User(2)];
        names.look_up([one], Duration::MAX);
        names.look_up([two], Duration::MAX);
        assert_eq!(names.get(one), Some("User(1)"));
        names.look_up([two], Duration::MAX);
        assert_eq!((names.get(one), names.get(two)), (None, Some("User(2)")));
        assert_eq!(names.numbers.len(), 1);
        names.look_up([one], Duration::MAX);
        assert_eq!(names.get(one), Some("User(1)"));
    }

    #[test]
    fn numbers_that_left_the_listing_are_not_looked_up() {
        let hang = |_: &Number| loop {
            thread::park();
        };
        let mut names = Names::with_resolver(None, hang);
        let users = |first: u32| (first..first + 100).map(Number::User);
        for round in 0..20 {
            assert_eq!(names.look_up(users(round * 100), Duration::ZERO).late, 100);
        }
        assert_eq!(names.numbers.len(), 200);
        // Threads have taken some of the others, which are no longer listed.
        let queued = std::cell::Cell::new(0);
        names.own.retain(|_| {
            queued.set(queued.get() + 1);
            true
        });
        assert!(queued.get() <= 200, "{}", queued.get());
    }

    #[test]
    fn hosts_are_waited_for_although_all_look_ups_of_users_hang() {
        let ask = |number: &Number| match number {
            Number::Host(_) => {
                thread::sleep(Duration::from_secs(3));
                Ok(Some("host".to_owned()))
            }
            _ => loop {
                thread::park();
            },
        };
        let mut names = Names::with_resolver(None, ask);
        Arc::get_mut(&mut names.own).unwrap().patience = Duration::from_millis(10);
        let host = Number::Host([127, 0, 0, 1].into());
        let numbers = (0..50).map(Number::User).chain([host]);
        let start = Instant::now();
        assert_eq!(names.look_up(numbers, Duration::from_secs(60)).late, 50);
        assert_eq!(names.get(host), Some("host"));
        // After that, no thread can answer.
        assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
    }

    #[test]
    fn failures_are_new_once_and_repeated_after_growing_pauses() {
        let mut names = Names::with_resolver(None, |_| Err("broken".to_owned()));
        let user = Number::User(1);
        let failures = |are_new| Some(Failures { count: 1, error: "broken".to_owned(), are_new });
        assert_eq!(
            names.look_up([user], Duration::MAX),
            Missing { late: 0, failures: failures(true) }
        );
        assert_eq!(names.look_up([user], Duration::MAX).failures, failures(false));
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let State::Failed(failure) = &names.numbers[&user].state else { panic!("no failure") };
            assert!(failure.again.is_some());
            pauses.push(failure.pause.as_secs());
            names.learn(user, Err("broken".to_owned()));
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(names.look_up([user], Duration::MAX).failures, failures(false));
    }
}
