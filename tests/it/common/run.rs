//! Running the program under test and other programs.

use std::env;
use std::ffi::OsString;
use std::process::{Child, Command, Output, Stdio};

use super::words;

/// The path of the program under test.
pub const RNETSTAT: &str = env!("CARGO_BIN_EXE_rnetstat");

/// Returns the path of the program under test, or of the program that the variable
/// `RNETSTAT_PROGRAM` names: `tests/cross.sh` tests builds for other machines.
pub fn program() -> OsString {
    env::var_os("RNETSTAT_PROGRAM").unwrap_or_else(|| RNETSTAT.into())
}

/// Returns the program under test with these flags, to run on this machine. Flags are separated by
/// spaces.
pub fn rnetstat(flags: &str) -> Command {
    let mut command = Command::new(program());
    command.args(words(flags));
    command
}

/// The output of a program, and its exit status (`None` if a signal ended it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub stdout: String,
    pub stderr: String,
    pub status: Option<i32>,
}

impl Run {
    /// Waits for a started program to end.
    pub fn end_of(child: Child) -> Self {
        Self::from(child.wait_with_output().unwrap())
    }

    /// Returns the expected run with this on stdout, nothing on stderr, and status 0.
    pub fn success(stdout: impl Into<String>) -> Self {
        Self { stdout: stdout.into(), stderr: String::new(), status: Some(0) }
    }

    /// Returns the expected run with nothing on stdout, this on stderr, and this status.
    pub fn failure(stderr: impl Into<String>, status: i32) -> Self {
        Self { stdout: String::new(), stderr: stderr.into(), status: Some(status) }
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            stdout: utf8(output.stdout),
            stderr: utf8(output.stderr),
            status: output.status.code(),
        }
    }
}

/// Returns output as text. Fails if it is not UTF-8: rnetstat must always print UTF-8.
pub fn utf8(output: Vec<u8>) -> String {
    String::from_utf8(output).expect("the output should be UTF-8")
}

/// Ways to run a command. Its standard input is empty unless the test sets another one.
pub trait RunCommand {
    /// Runs the command to its end.
    fn run(&mut self) -> Run;
    /// Starts the command with stdout and stderr on pipes.
    fn start(&mut self) -> Child;
    /// Runs the command. Fails if its status is not 0.
    fn succeed(&mut self) -> Run;
    /// Runs the command and returns stdout. Fails if the status is not 0 or stderr is not empty.
    fn listing(&mut self) -> String;
    /// Runs the command and returns stderr. Fails if the status is not 2 or stdout is not empty.
    fn error(&mut self) -> String;
}

impl RunCommand for Command {
    fn run(&mut self) -> Run {
        Run::from(self.output().expect("the program should run"))
    }

    fn start(&mut self) -> Child {
        self.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.spawn().expect("the program should start")
    }

    #[track_caller]
    fn succeed(&mut self) -> Run {
        let run = self.run();
        assert_eq!(run.status, Some(0), "{self:?}: {run:?}");
        run
    }

    #[track_caller]
    fn listing(&mut self) -> String {
        let run = self.run();
        assert_eq!((run.stderr.as_str(), run.status), ("", Some(0)), "{self:?}");
        run.stdout
    }

    #[track_caller]
    fn error(&mut self) -> String {
        let run = self.run();
        assert_eq!((run.stdout.as_str(), run.status), ("", Some(2)), "{self:?}: {}", run.stderr);
        run.stderr
    }
}
