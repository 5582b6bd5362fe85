//! What a process is, by the word of `<root>/<pid>`.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use procfs::FromRead;
use procfs::process::Status;

use crate::directory::{Directory, Scratch};
use crate::files;

/// A process's number.
pub type Pid = u32;

/// How much of a process is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What its name needs: the first 4096 bytes of its command line.
    Name,
    /// Its command line, as far as 64 KiB go (a process can make it as long as it likes), and its
    /// user.
    Whole,
}

/// A process that holds a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// The user that it acts as; none where that was not asked for, or is not told.
    pub uid: Option<u32>,
    command: Box<[u8]>,
}

impl Process {
    /// Reads its [`command_file`], in this detail.
    ///
    /// # Errors
    ///
    /// `ENOENT` or `ESRCH` when the process has gone away, `EACCES` when it may not be seen.
    pub fn read(root: &Path, pid: Pid, detail: Detail) -> io::Result<Self> {
        let mut name = [0; 4096];
        let mut whole;
        let buffer = match detail {
            Detail::Name => &mut name[..],
            Detail::Whole => {
                whole = vec![0; 64 * 1024];
                &mut whole[..]
            }
        };
        let mut length = files::read_start(&command_file(root, pid), buffer)?.len();
        // A process whose first thread has ended shows its command line by those that are left.
        if length == 0 {
            let others = threads(root, pid).into_iter().filter(|&thread| thread != pid);
            for thread in others {
                length = files::read_start(&command_file(root, thread), buffer)?.len();
                if length > 0 {
                    break;
                }
            }
        }
        let command = buffer.get(..length).unwrap_or_default().into();
        Ok(Self { pid, uid: None, command })
    }

    /// Reads its user from its [`status_file`].
    ///
    /// # Errors
    ///
    /// As those of [`Process::read`], and `InvalidData` for what is no status.
    pub fn read_user(&mut self, root: &Path) -> io::Result<()> {
        let mut buffer = [0; 8192];
        let text = files::read_start(&status_file(root, self.pid), &mut buffer)?;
        let status = Status::from_read(text).map_err(|_| io::ErrorKind::InvalidData)?;
        self.uid = Some(status.euid);
        Ok(())
    }

    /// The program's name as netstat has it: `argv[0]`, and if that is a whole path, its last
    /// part. The process chooses these bytes.
    #[must_use]
    pub fn program(&self) -> &[u8] {
        let name = self.command.split(|&byte| byte == 0).next().unwrap_or_default();
        if name.starts_with(b"/") { last_part(name) } else { name }
    }

    /// Its command line, word by word. The process chooses these bytes.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        let words = self.command.split_inclusive(|&byte| byte == 0);
        words.map(|word| word.strip_suffix(b"\0").unwrap_or(word))
    }

    /// Its command line for people: without the directories of the program, nor those of the
    /// script that it interprets.
    #[must_use]
    pub fn title(&self) -> Vec<u8> {
        let mut words: Vec<Cow<'_, [u8]>> = self.words().map(Cow::from).collect();
        let alone = words.len() == 1;
        let Some((program, arguments)) = words.split_first_mut() else { return Vec::new() };
        *program = without_directories(program, alone).into_owned().into();
        if is_interpreter(program)
            && let Some(script) = script(arguments)
        {
            *script = last_part(script).to_vec().into();
        }
        words.join(&b' ')
    }
}

/// The threads of a process (`man 5 proc_pid_task`), which have a directory below `root` as well,
/// although that does not list them. Of a tree that has none, the process itself.
#[must_use]
pub(crate) fn threads(root: &Path, pid: Pid) -> Vec<Pid> {
    let mut threads = Vec::new();
    let listed = Directory::open(&root.join(pid.to_string()).join("task"))
        .and_then(|directory| directory.for_each(&mut Scratch::default(), |tid| threads.push(tid)));
    match listed {
        Ok(()) if !threads.is_empty() => threads,
        _ => vec![pid],
    }
}

/// `<root>/<pid>/cmdline` (`man 5 proc_pid_cmdline`).
#[must_use]
pub fn command_file(root: &Path, pid: Pid) -> PathBuf {
    root.join(pid.to_string()).join("cmdline")
}

/// `<root>/<pid>/status` (`man 5 proc_pid_status`).
#[must_use]
pub fn status_file(root: &Path, pid: Pid) -> PathBuf {
    root.join(pid.to_string()).join("status")
}

fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

/// A program without its directories. One that is the whole command line may have written that
/// anew, with its arguments behind a space.
fn without_directories(program: &[u8], alone: bool) -> Cow<'_, [u8]> {
    let is_path = [&b"/"[..], b"./", b"../"].iter().any(|start| program.starts_with(start));
    if !is_path {
        return program.into();
    }
    let space = program.iter().position(|&byte| byte == b' ').filter(|_| alone);
    let (path, rest) = program.split_at(space.unwrap_or(program.len()));
    [last_part(path), rest].concat().into()
}

/// Whether this is a program that runs scripts, whatever its version.
fn is_interpreter(program: &[u8]) -> bool {
    let version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let end = program.iter().rposition(|byte| !version(byte)).map_or(0, |last| last + 1);
    let names: [&[u8]; 14] = [
        b"python", b"sh", b"bash", b"dash", b"zsh", b"ksh", b"fish", b"perl", b"ruby", b"node",
        b"php", b"lua", b"tclsh", b"Rscript",
    ];
    names.contains(&program.get(..end).unwrap_or_default())
}

/// The script among an interpreter's arguments: the first that is no option, unless one says that
/// the program itself, or the name of a module, comes next.
fn script<'a, 'b>(arguments: &'a mut [Cow<'b, [u8]>]) -> Option<&'a mut Cow<'b, [u8]>> {
    let first = arguments.iter().position(|word| !word.starts_with(b"-"))?;
    let (options, rest) = arguments.split_at_mut(first);
    let inline = |word: &Cow<'_, [u8]>| matches!(&**word, b"-c" | b"-e" | b"-m" | b"-r");
    if options.iter().any(inline) { None } else { rest.first_mut() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(command: &[u8]) -> Process {
        Process { pid: 1, uid: None, command: command.into() }
    }

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
            assert_eq!(process(command).program(), program, "{}", command.escape_ascii());
        }
    }

    #[test]
    fn words_end_with_a_nul_and_may_be_empty() {
        for (command, words) in [
            (&b""[..], &[][..]),
            (b"a", &[&b"a"[..]]),
            (b"a\0", &[b"a"]),
            (b"a\0\0b c\0", &[b"a", b"", b"b c"]),
            (b"\0", &[b""]),
        ] {
            let found: Vec<_> = process(command).words().map(<[u8]>::to_vec).collect();
            assert_eq!(found, words, "{}", command.escape_ascii());
        }
    }

    #[test]
    fn a_title_is_free_of_the_programs_and_the_scripts_directories() {
        for (command, title) in [
            ("/usr/bin/python3\0/home/x/receiver.py\0", "python3 receiver.py"),
            ("python3\0receiver.py\0", "python3 receiver.py"),
            (
                "/usr/bin/python3.11\0-u\0./lab/receiver.py\0/data/x\0",
                "python3.11 -u receiver.py /data/x",
            ),
            (
                "python3\0-m\0http.server\0--directory\0/srv\0",
                "python3 -m http.server --directory /srv",
            ),
            ("/bin/sh\0-c\0/usr/bin/a b/c\0", "sh -c /usr/bin/a b/c"),
            ("/usr/sbin/nginx\0-c\0/etc/nginx.conf\0", "nginx -c /etc/nginx.conf"),
            ("cat\0/etc/passwd\0", "cat /etc/passwd"),
            ("sshd: /usr/sbin/sshd -D [listener]", "sshd: /usr/sbin/sshd -D [listener]"),
            ("/usr/share/discord/Discord --type=gpu --path=/x/y", "Discord --type=gpu --path=/x/y"),
            ("/opt/My App/app\0-v\0", "app -v"),
            ("../x/y", "y"),
            ("-bash", "-bash"),
            ("python3\0", "python3"),
            ("", ""),
        ] {
            let found = process(command.as_bytes()).title();
            assert_eq!(String::from_utf8_lossy(&found), title);
        }
    }
}
