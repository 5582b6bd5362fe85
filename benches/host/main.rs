//! Compares whole programs: rnetstat, netstat, ss and lsof, on hosts made for this.
//!
//! `cargo bench --bench host` measures every host, `cargo bench --bench host -- crowd --runs 15`
//! measures one. Each host has its own namespaces. In each round every program runs once, so that
//! other load on the machine affects all of them. First, the output of rnetstat is compared with
//! netstat. `cargo bench --bench host -- shell crowd` makes a host and starts a shell on it, for
//! strace, perf and so on.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its results")]
#![allow(clippy::indexing_slicing, reason = "a bench that fails ends")]
#![allow(clippy::disallowed_methods, reason = "the bench reads PATH")]

mod floor;
mod population;

use std::env;
use std::error::Error;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

use population::{POPULATIONS, Population};

pub(crate) type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const RNETSTAT: &str = env!("CARGO_BIN_EXE_rnetstat");

/// One of the programs that are compared.
struct Contender {
    name: &'static str,
    words: Vec<String>,
}

/// The measurements of one program.
struct Figures {
    name: &'static str,
    times: Vec<Duration>,
    /// The highest peak memory of all runs, in KiB.
    memory: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (first, rest) = match arguments.split_first() {
        Some((first, rest)) => (first.as_str(), rest),
        None => ("", &[][..]),
    };
    let result = match first {
        "process" => population::run_process(rest),
        "floor" => run_floor(rest),
        "time" => run_clock(rest),
        "inside" => run_inside(rest),
        _ => measure_all(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("host: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the named hosts, or all hosts, each in its own namespaces.
fn measure_all(arguments: &[String]) -> Result<()> {
    let mut runs = "9";
    let mut task = "measure";
    let mut wanted = Vec::new();
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--bench" => {} // cargo adds it
            "shell" => task = "shell",
            "--runs" => runs = words.next().ok_or("--runs N")?,
            name if POPULATIONS.iter().any(|population| population.name == name) => {
                wanted.push(name);
            }
            other => return Err(format!("{other}: there is no such host").into()),
        }
    }
    for missing in ["netstat", "ss", "lsof"].iter().filter(|program| !is_installed(program)) {
        println!("{missing} is not installed, and so not measured");
    }
    let user: &[&str] = if nix::unistd::Uid::effective().is_root() { &[] } else { &["-Ur"] };
    for Population { name, .. } in POPULATIONS {
        if !wanted.is_empty() && !wanted.contains(name) {
            continue;
        }
        let inside = Command::new("unshare")
            .args(user)
            .args(["-npmf", "--mount-proc", "--kill-child"])
            .arg(env::current_exe()?)
            .args(["inside", task, name, runs])
            .status()?;
        if !inside.success() {
            return Err(format!("{name} could not be measured").into());
        }
    }
    Ok(())
}

/// Makes a host in the current namespaces. Then measures the programs on it, or starts a shell.
fn run_inside(arguments: &[String]) -> Result<()> {
    let [task, name, runs] = arguments else { return Err("inside TASK HOST RUNS".into()) };
    let runs: usize = runs.parse()?;
    let population = POPULATIONS
        .iter()
        .find(|population| population.name == name)
        .ok_or("there is no such host")?;
    population::prepare_namespace()?;
    let _running = population.start()?;
    if task == "shell" {
        Command::new("sh").status()?;
        return Ok(());
    }
    println!("\n## {name}: {}\n", population.describe());
    ensure_same("-tuanp")?;
    report("-tuanp", &race(&contenders("-tuanp", true)?, runs)?);
    if name == "crowd" {
        report("-tuan", &race(&contenders("-tuan", false)?, runs)?);
    }
    Ok(())
}

/// Fails if rnetstat prints something else than netstat: the time of a wrong answer is worthless.
fn ensure_same(flags: &str) -> Result<()> {
    if !is_installed("netstat") {
        return Ok(());
    }
    let listing = |program: &str| Command::new(program).arg(flags).output();
    let (expected, found) = (listing("netstat")?, listing(RNETSTAT)?);
    // Neither program has TCP or UDP sockets of its own, so the two listings must be equal.
    if expected.stdout == found.stdout {
        return Ok(());
    }
    Err(format!("rnetstat {flags} and netstat {flags} differ").into())
}

/// Returns rnetstat, the floors, and the other programs that are installed. lsof always reads the
/// descriptors, so it takes part only with `sweep`.
fn contenders(flags: &str, sweep: bool) -> Result<Vec<Contender>> {
    let own = env::current_exe()?.display().to_string();
    let floor = |tables: &str| {
        let sweep = sweep.then_some("sweep").into_iter();
        [own.as_str(), "floor", tables].into_iter().chain(sweep).map(str::to_owned).collect()
    };
    let mut contenders = vec![
        Contender { name: "rnetstat", words: vec![RNETSTAT.to_owned(), flags.to_owned()] },
        Contender { name: "floor, text", words: floor("text") },
        Contender { name: "floor, netlink", words: floor("netlink") },
    ];
    for (name, flags) in [("netstat", flags), ("ss", flags), ("lsof", "-nP -i")] {
        if is_installed(name) && (sweep || name != "lsof") {
            let words = [name].into_iter().chain(flags.split(' ')).map(str::to_owned).collect();
            contenders.push(Contender { name, words });
        }
    }
    Ok(contenders)
}

/// Runs every program once in each round.
fn race(contenders: &[Contender], runs: usize) -> Result<Vec<Figures>> {
    let mut all: Vec<Figures> = contenders
        .iter()
        .map(|&Contender { name, .. }| Figures { name, times: Vec::new(), memory: 0 })
        .collect();
    // The first round only fills the caches.
    for round in 0..=runs {
        for (contender, figures) in contenders.iter().zip(&mut all) {
            let (time, memory) = clock(&contender.words)?;
            if round > 0 {
                figures.times.push(time);
                figures.memory = figures.memory.max(memory);
            }
        }
    }
    for figures in &mut all {
        figures.times.sort();
    }
    Ok(all)
}

fn report(flags: &str, all: &[Figures]) {
    let ours = all[0].median();
    println!("| {flags} | median | minimum | peak memory | of rnetstat's time |");
    println!("|---|--:|--:|--:|--:|");
    for figures in all {
        println!(
            "| {} | {:.1} ms | {:.1} ms | {:.1} MiB | {:.2} |",
            figures.name,
            milliseconds(figures.median()),
            milliseconds(figures.times[0]),
            f64::from(u32::try_from(figures.memory).unwrap_or(u32::MAX)) / 1024.0,
            figures.median().as_secs_f64() / ours.as_secs_f64(),
        );
    }
    println!();
}

impl Figures {
    fn median(&self) -> Duration {
        self.times[self.times.len() / 2]
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Measures one run, in a separate process: the kernel reports one peak for all children of a
/// process.
fn clock(words: &[String]) -> Result<(Duration, u64)> {
    let output = Command::new(env::current_exe()?)
        .arg("time")
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let figures = text.trim_end().split_once(' ');
    let (nanos, memory) = figures.ok_or_else(|| format!("{} could not be run", words.join(" ")))?;
    Ok((Duration::from_nanos(nanos.parse()?), memory.parse()?))
}

/// Runs a command and discards its output. Prints its time in nanoseconds and peak memory in KiB.
fn run_clock(words: &[String]) -> Result<()> {
    let (program, arguments) = words.split_first().ok_or("time PROGRAM ARGUMENTS")?;
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let time = start.elapsed();
    // The status of lsof is 1 if some of the requested sockets do not exist.
    if !status.success() && program != "lsof" {
        return Err(format!("{program}: {status}").into());
    }
    println!("{} {}", time.as_nanos(), getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    Ok(())
}

fn run_floor(words: &[String]) -> Result<()> {
    let tables = match words.first().map(String::as_str) {
        Some("text") => floor::Tables::Text,
        Some("netlink") => floor::Tables::Netlink,
        _ => return Err("floor text|netlink [sweep]".into()),
    };
    floor::run(tables, words.len() > 1)
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(program).exists())
}
