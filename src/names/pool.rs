//! Threads that ask the resolver.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow};

/// The stack of a thread, in bytes.
const STACK: usize = 512 * 1024;
/// A look-up that takes longer hangs. Another one takes its place among those at the same time.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many look-ups may hang, as a multiple of those at the same time. No thread can be stopped, so
/// this limits the number of threads.
const MOST_HANGING: usize = 3;
/// The time after which [`next_answer`] looks for look-ups that hang.
const STEP: Duration = Duration::from_millis(500);

/// Questions for the resolver, and the threads that ask it.
///
/// A call of the resolver cannot be interrupted, and it can take forever.
pub(super) struct Pool<Q, A> {
    /// The maximum number of look-ups at the same time, without those that hang.
    most: usize,
    pub(super) patience: Duration,
    ask: fn(&Q) -> A,
    answers: Sender<(Q, A)>,
    tasks: Mutex<Tasks<Q>>,
}

struct Tasks<Q> {
    /// The questions that no thread has taken yet.
    queue: VecDeque<Q>,
    /// The question of each thread, and when the thread took it.
    asked: HashMap<Q, Instant>,
}

impl<Q, A> Pool<Q, A>
where
    Q: Clone + Eq + Hash + Send + 'static,
    A: Send + 'static,
{
    /// Returns a pool without threads. `ask` asks the resolver.
    pub(super) fn new(most: usize, ask: fn(&Q) -> A, answers: Sender<(Q, A)>) -> Arc<Self> {
        let tasks = Tasks { queue: VecDeque::new(), asked: HashMap::new() };
        Arc::new(Self { most, patience: PATIENCE, ask, answers, tasks: Mutex::new(tasks) })
    }

    /// Queues a question. Returns false if a thread has been asking it already, so that its answer
    /// may never come.
    pub(super) fn queue(&self, question: Q) -> bool {
        let mut tasks = self.tasks();
        let is_new = !tasks.asked.contains_key(&question);
        if is_new {
            tasks.queue.push_back(question);
        }
        is_new
    }

    /// Removes the other questions from the queue.
    pub(super) fn retain(&self, is_wanted: impl Fn(&Q) -> bool) {
        self.tasks().queue.retain(is_wanted);
    }

    /// Starts threads for the questions in the queue. They end when the queue is empty. Returns
    /// false if there is a queue and no thread for it.
    pub(super) fn start(self: &Arc<Self>) -> bool {
        loop {
            let mut tasks = self.tasks();
            let Some(question) = self.take(&mut tasks) else {
                return tasks.queue.is_empty() || self.active(&tasks) > 0;
            };
            drop(tasks);
            let (pool, taken) = (Arc::clone(self), question.clone());
            if !spawn(move || pool.work(taken)) {
                // The threads that run go on with the queue.
                let mut tasks = self.tasks();
                tasks.asked.remove(&question);
                tasks.queue.push_front(question);
                return self.active(&tasks) > 0;
            }
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks<Q>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of look-ups that do not hang.
    fn active(&self, tasks: &Tasks<Q>) -> usize {
        tasks.asked.values().filter(|start| start.elapsed() < self.patience).count()
    }

    /// Takes a question from the queue, if one more look-up is allowed.
    fn take(&self, tasks: &mut Tasks<Q>) -> Option<Q> {
        let is_full =
            tasks.asked.len() >= self.most * (1 + MOST_HANGING) || self.active(tasks) >= self.most;
        let question = if is_full { None } else { tasks.queue.pop_front() }?;
        tasks.asked.insert(question.clone(), Instant::now());
        Some(question)
    }

    /// Asks this question, and then those in the queue.
    fn work(&self, first: Q) {
        let mut next = Some(first);
        while let Some(question) = next {
            let answer = (self.ask)(&question);
            let mut tasks = self.tasks();
            tasks.asked.remove(&question);
            next = self.take(&mut tasks);
            drop(tasks);
            if self.answers.send((question, answer)).is_err() {
                return;
            }
        }
    }
}

/// Starts a thread. Returns false if that fails.
fn spawn(work: impl FnOnce() + Send + 'static) -> bool {
    // A thread inherits the blocked signals. Without this, a signal could end the program in a
    // thread that was started before a live view blocked it.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK);
    let thread = thread::Builder::new().stack_size(STACK).spawn(work);
    if let Ok(before) = before {
        // This fails only for an invalid argument.
        let _ = before.thread_set_mask();
    }
    thread.is_ok()
}

/// The maximum number of look-ups of [`ask_all`] at the same time.
const MOST: usize = 16;

/// Asks all questions in parallel. Returns the answers that come within this time.
pub(super) fn ask_all<A: Send + 'static>(
    ask: fn(&String) -> A,
    questions: impl IntoIterator<Item = String>,
    timeout: Duration,
) -> HashMap<String, A> {
    let end = Instant::now().checked_add(timeout);
    let (answer, answers) = mpsc::channel();
    let pool = Pool::new(MOST, ask, answer);
    let distinct: HashSet<_> = questions.into_iter().collect();
    let mut left = distinct.len();
    for question in distinct {
        pool.queue(question);
    }
    let mut found = HashMap::new();
    while left > 0
        && let Some((question, answer)) = next_answer(&answers, end, || pool.start())
    {
        found.insert(question, answer);
        left -= 1;
    }
    found
}

/// Waits for an answer until `end`; `None` waits forever. `start` starts the threads, and returns
/// false if waiting is useless. Returns `None` if there is no answer.
pub(super) fn next_answer<T>(
    answers: &Receiver<T>,
    end: Option<Instant>,
    start: impl Fn() -> bool,
) -> Option<T> {
    loop {
        if !start() {
            return answers.try_recv().ok();
        }
        let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        // Answers can come as fast as they are taken.
        if left.is_zero() {
            return None;
        }
        match answers.recv_timeout(left.min(STEP)) {
            Ok(answer) => return Some(answer),
            Err(_) if left <= STEP => return None,
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use nix::sys::signal::Signal;

    use super::*;

    type Numbers = Arc<Pool<u32, u32>>;
    type Answers = Receiver<(u32, u32)>;

    /// Returns a pool whose look-ups of even numbers hang, and its answers.
    fn pool(most: usize) -> (Numbers, Answers) {
        let ask = |&number: &u32| loop {
            if number % 2 != 0 {
                return number;
            }
            thread::park();
        };
        let (answer, answers) = mpsc::channel();
        let mut pool = Pool::new(most, ask, answer);
        Arc::get_mut(&mut pool).unwrap().patience = Duration::from_millis(50);
        (pool, answers)
    }

    fn wait(pool: &Numbers, answers: &Answers) -> Option<(u32, u32)> {
        let end = Instant::now() + Duration::from_secs(20);
        next_answer(answers, Some(end), || pool.start())
    }

    #[test]
    fn look_ups_that_hang_make_room_for_others() {
        let (pool, answers) = pool(2);
        for number in [2, 4, 6, 1] {
            assert!(pool.queue(number));
        }
        assert_eq!(wait(&pool, &answers), Some((1, 1)));
        // They are not asked again.
        assert!(!pool.queue(2));
        assert!(pool.queue(1));
    }

    #[test]
    fn deadline_ends_the_waiting_even_if_answers_keep_coming() {
        let (pool, answers) = pool(2);
        pool.queue(1);
        assert!(wait(&pool, &answers).is_some());
        pool.queue(3);
        assert!(pool.start());
        let start = Instant::now();
        while pool.tasks().asked.contains_key(&3) {
            assert!(start.elapsed() < Duration::from_secs(20));
        }
        assert_eq!(next_answer(&answers, Some(Instant::now()), || pool.start()), None);
        assert_eq!(answers.recv(), Ok((3, 3)));
    }

    #[test]
    fn number_of_threads_is_limited() {
        let (pool, answers) = pool(1);
        for number in (2..=20).step_by(2).chain([1]) {
            pool.queue(number);
        }
        // This does not take 20 s: there is no thread that could answer.
        let start = Instant::now();
        assert_eq!(wait(&pool, &answers), None);
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
        let tasks = pool.tasks();
        assert_eq!((tasks.asked.len(), tasks.queue.len()), (1 + MOST_HANGING, 7));
    }

    #[test]
    fn threads_block_signals() {
        let (answer, answers) = mpsc::channel();
        let ask = |&(): &()| SigSet::thread_get_mask().unwrap();
        let pool = Pool::new(1, ask, answer);
        pool.queue(());
        assert!(pool.start());
        let ((), blocked) = answers.recv().unwrap();
        let own = SigSet::thread_get_mask().unwrap();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGTSTP] {
            assert!(blocked.contains(signal) && !own.contains(signal), "{signal}");
        }
    }
}
