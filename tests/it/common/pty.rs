//! A pseudo-terminal for a program under test.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use rustix::fd::{AsFd, OwnedFd};
use rustix::termios::{Winsize, tcsetwinsize};

use super::run::{Run, utf8};

/// Both ends of a pseudo-terminal with 24 lines.
pub struct Pty {
    master: OwnedFd,
    slave: File,
}

impl Pty {
    /// Opens a terminal that is this many columns wide.
    pub fn new(columns: u16) -> Self {
        // openpty(3) does not set close-on-exec. Programs that other tests start would keep the
        // slave open, and reading the master would not end.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname_r(&master).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let slave = File::options().read(true).write(true).open(name).unwrap();
        Self { master: master.as_fd().try_clone_to_owned().unwrap(), slave }
    }

    /// Runs a command with the terminal as its stdin and stdout.
    pub fn run_interactive(self, command: &mut Command) -> Run {
        command.stdin(self.slave.try_clone().unwrap());
        self.run(command)
    }

    /// Runs a command with the terminal as its stdin, stdout and stderr.
    pub fn run_alone(self, command: &mut Command) -> Run {
        command.stdin(self.slave.try_clone().unwrap());
        let stderr = self.slave.try_clone().unwrap().into();
        self.run_with(command, stderr)
    }

    /// Runs a command with the terminal as its stdout. The returned lines end with `\n`.
    pub fn run(self, command: &mut Command) -> Run {
        self.run_with(command, Stdio::piped())
    }

    fn run_with(self, command: &mut Command, stderr: Stdio) -> Run {
        let mut child = command.stdout(self.slave).stderr(stderr).spawn().unwrap();
        // The command still has copies of the slave. Drop them, because they keep the terminal
        // open.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut stdout = Vec::new();
        // Linux reports the end of a terminal as an error.
        let end = File::from(self.master).read_to_end(&mut stdout).unwrap_err();
        assert_eq!(end.raw_os_error(), Some(nix::libc::EIO));
        let mut stderr = String::new();
        if let Some(mut pipe) = child.stderr.take() {
            pipe.read_to_string(&mut stderr).unwrap();
        }
        let status = child.wait().unwrap().code();
        Run { stdout: utf8(stdout).replace("\r\n", "\n"), stderr, status }
    }
}
