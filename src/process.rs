//! What a process is, by the word of `<root>/<pid>`.

use std::io;
use std::path::{Path, PathBuf};

use crate::files;

/// A process's number.
pub type Pid = u32;

/// Bytes of a command line that are read; a process can make it as long as it likes.
const LONGEST_COMMAND: usize = 4096;

/// A process that holds a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    command: Vec<u8>,
}

impl Process {
    /// Reads its [`command_file`].
    ///
    /// # Errors
    ///
    /// `ENOENT` or `ESRCH` when the process has gone away, `EACCES` when it may not be seen.
    pub fn read(root: &Path, pid: Pid) -> io::Result<Self> {
        let mut buffer = [0; LONGEST_COMMAND];
        let command = files::read_start(&command_file(root, pid), &mut buffer)?.to_vec();
        Ok(Self { pid, command })
    }

    /// The program's name as netstat has it: `argv[0]`, and if that is a whole path, its last
    /// part. The process chooses these bytes.
    #[must_use]
    pub fn program(&self) -> &[u8] {
        let name = self.command.split(|&byte| byte == 0).next().unwrap_or_default();
        if name.starts_with(b"/") {
            name.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
        } else {
            name
        }
    }
}

/// `<root>/<pid>/cmdline` (`man 5 proc_pid_cmdline`).
#[must_use]
pub fn command_file(root: &Path, pid: Pid) -> PathBuf {
    root.join(pid.to_string()).join("cmdline")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_the_last_part_of_a_whole_path() {
        for (command, program) in [
            (&b"/usr/bin/python3\0receiver.py\0"[..], &b"python3"[..]),
            (b"python3\0/home/x\0", b"python3"),
            (b"sshd: /usr/sbin/sshd -D", b"sshd: /usr/sbin/sshd -D"),
            (b"./a/b", b"./a/b"),
            (b"/usr/bin/", b""),
            (b"/", b""),
            (b"", b""),
            (b"\0hidden", b""),
        ] {
            let process = Process { pid: 1, command: command.to_vec() };
            assert_eq!(process.program(), program, "{}", command.escape_ascii());
        }
    }
}
