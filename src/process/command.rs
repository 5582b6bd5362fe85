//! The command line of a process, which the process itself can rewrite.

use std::borrow::Cow;

/// A command line: words that each end with a NUL (`man 5 proc_pid_cmdline`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine(pub Box<[u8]>);

impl CommandLine {
    /// The name of the program as netstat prints it: `argv[0]`, without directories if that is an
    /// absolute path.
    pub fn program(&self) -> &[u8] {
        let name = self.0.split(|&byte| byte == 0).next().unwrap_or_default();
        if name.starts_with(b"/") { last_part(name) } else { name }
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        let words = self.0.split_inclusive(|&byte| byte == 0);
        words.map(|word| word.strip_suffix(b"\0").unwrap_or(word))
    }

    /// The words, with a space between them.
    pub fn joined(&self) -> Vec<u8> {
        self.words().collect::<Vec<_>>().join(&b' ')
    }

    /// The words with a space between them, but without the directories of the program and of the
    /// script that it interprets.
    pub fn title(&self) -> Vec<u8> {
        let mut words: Vec<Cow<'_, [u8]>> = self.words().map(Cow::from).collect();
        let is_only_word = words.len() == 1;
        let Some((program, arguments)) = words.split_first_mut() else { return Vec::new() };
        *program = without_directories(program, is_only_word).into_owned().into();
        if is_interpreter(program)
            && let Some(script) = script(arguments)
        {
            *script = last_part(script).to_vec().into();
        }
        words.join(&b' ')
    }
}

fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

/// Returns a program without its directories. If the program is the only word, its arguments can
/// follow after a space: some programs rewrite their command line in this way.
fn without_directories(program: &[u8], is_only_word: bool) -> Cow<'_, [u8]> {
    let is_path = [&b"/"[..], b"./", b"../"].iter().any(|start| program.starts_with(start));
    if !is_path {
        return program.into();
    }
    let space = program.iter().position(|&byte| byte == b' ').filter(|_| is_only_word);
    let (path, rest) = program.split_at(space.unwrap_or(program.len()));
    [last_part(path), rest].concat().into()
}

/// Returns true if this program runs scripts. Its name can end with a version.
fn is_interpreter(program: &[u8]) -> bool {
    let version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let end = program.iter().rposition(|byte| !version(byte)).map_or(0, |last| last + 1);
    let names: [&[u8]; 14] = [
        b"python", b"sh", b"bash", b"dash", b"zsh", b"ksh", b"fish", b"perl", b"ruby", b"node",
        b"php", b"lua", b"tclsh", b"Rscript",
    ];
    names.contains(&program.get(..end).unwrap_or_default())
}

/// Returns the script among the arguments of an interpreter: the first that is not an option.
/// `None` if there is an option for code or a module instead, such as `-c` or `-m`.
fn script<'a, 'b>(arguments: &'a mut [Cow<'b, [u8]>]) -> Option<&'a mut Cow<'b, [u8]>> {
    let first = arguments.iter().position(|word| !word.starts_with(b"-"))?;
    let (options, rest) = arguments.split_at_mut(first);
    let has_code = |word: &Cow<'_, [u8]>| matches!(&**word, b"-c" | b"-e" | b"-m" | b"-r");
    if options.iter().any(has_code) { None } else { rest.first_mut() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_name_has_no_directories_if_the_path_is_absolute() {
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
            assert_eq!(
                CommandLine(command.into()).program(),
                program,
                "{}",
                command.escape_ascii()
            );
        }
    }

    #[test]
    fn words_end_with_nul_and_can_be_empty() {
        for (command, words) in [
            (&b""[..], &[][..]),
            (b"a", &[&b"a"[..]]),
            (b"a\0", &[b"a"]),
            (b"a\0\0b c\0", &[b"a", b"", b"b c"]),
            (b"\0", &[b""]),
        ] {
            let found: Vec<_> = CommandLine(command.into()).words().map(<[u8]>::to_vec).collect();
            assert_eq!(found, words, "{}", command.escape_ascii());
        }
    }

    #[test]
    fn title_omits_the_directories_of_program_and_script() {
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
            let found = CommandLine(command.as_bytes().into()).title();
            assert_eq!(String::from_utf8_lossy(&found), title);
        }
    }
}
