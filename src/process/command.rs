//! The command line of a process, which the process itself can rewrite.

use std::borrow::Cow;

/// A command line: words that each end with a NUL (`man 5 proc_pid_cmdline`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine(pub Box<[u8]>);

/// The maximum number of bytes of a command line that are shown. Each socket of a process shows it
/// again, so without a limit, a user could make the listing of another user very large.
pub const MOST_SHOWN: usize = 4096;

/// The maximum length of the name of a file, `NAME_MAX` (`linux/limits.h`).
const LONGEST_NAME: usize = 255;

impl CommandLine {
    /// The bytes that are shown.
    fn shown(&self) -> &[u8] {
        start_of(&self.0, MOST_SHOWN)
    }

    /// Returns true if the command line has more bytes than are shown.
    pub fn is_truncated(&self) -> bool {
        self.0.len() > MOST_SHOWN
    }

    /// All words with a space between them, to be searched.
    pub fn searched(&self) -> Vec<u8> {
        let words = self.0.strip_suffix(b"\0").unwrap_or(&self.0);
        words.iter().map(|&byte| if byte == 0 { b' ' } else { byte }).collect()
    }

    /// The name of the program as netstat prints it: `argv[0]`, without directories if that is an
    /// absolute path. At most 255 bytes, which are enough for the name of any file.
    pub fn program(&self) -> &[u8] {
        let name = self.shown().split(|&byte| byte == 0).next().unwrap_or_default();
        start_of(if name.starts_with(b"/") { last_part(name) } else { name }, LONGEST_NAME)
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let words = self.shown().split_inclusive(|&byte| byte == 0);
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
        if let Some(script) = script(program, arguments) {
            *script = last_part(script).to_vec().into();
        }
        words.join(&b' ')
    }

    /// The program and the script that it interprets, both without directories, such as `python3
    /// receiver.py`. A program that rewrites its command line often puts a colon after its name.
    pub fn short(&self) -> Vec<u8> {
        let text = self.program_and_script();
        let mut words = self.words();
        let (Some(program), Some(_)) = (words.next(), words.next()) else {
            let program = without_directories(&text, true).into_owned();
            return program.strip_suffix(b":").unwrap_or(&program).to_vec();
        };
        let script = text.get(program.len()..).unwrap_or_default();
        let program = without_directories(program, false);
        match script.strip_prefix(b" ") {
            Some(script) => [&program, &b" "[..], last_part(script)].concat(),
            None => program.into_owned(),
        }
    }

    /// The program, and the script that it interprets. Without the arguments: if the command line
    /// has only one word, without what follows its first space.
    pub fn program_and_script(&self) -> Vec<u8> {
        let mut words: Vec<Cow<'_, [u8]>> = self.words().map(Cow::from).collect();
        let is_only_word = words.len() == 1;
        let Some((program, arguments)) = words.split_first_mut() else { return Vec::new() };
        if is_only_word {
            return program.split(|&byte| byte == b' ').next().unwrap_or_default().to_vec();
        }
        match script(&without_directories(program, false), arguments) {
            Some(script) => [program, &b" "[..], script].concat(),
            None => program.to_vec(),
        }
    }
}

/// Returns as many whole characters from the start of a text as fit into `most` bytes.
fn start_of(text: &[u8], most: usize) -> &[u8] {
    let is_boundary = |&at: &usize| text.get(at).is_none_or(|byte| byte & 0xc0 != 0x80);
    let end = (most.saturating_sub(3)..=most).rev().find(is_boundary).unwrap_or(most);
    text.get(..end).unwrap_or(text)
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

/// The programs that run scripts, with the letters of their options for code or a module. Such an
/// option can stand in a group, such as `-lc`.
const INTERPRETERS: [(&[u8], &[u8]); 14] = [
    (b"python", b"cm"),
    (b"sh", b"c"),
    (b"bash", b"c"),
    (b"dash", b"c"),
    (b"zsh", b"c"),
    (b"ksh", b"c"),
    (b"fish", b"c"),
    (b"perl", b"eE"),
    (b"ruby", b"e"),
    (b"node", b"ep"),
    (b"php", b"BERr"),
    (b"lua", b"e"),
    (b"tclsh", b""),
    (b"Rscript", b"e"),
];

/// The long options for code.
const CODE_OPTIONS: [&[u8]; 4] = [b"--command", b"--eval", b"--print", b"--run"];

/// Returns the script among the arguments of a program: the first that is not an option. `None` if
/// the program is not an interpreter, or has an option for code or a module instead. The name of an
/// interpreter can end with a version.
fn script<'a, 'b>(
    program: &[u8],
    arguments: &'a mut [Cow<'b, [u8]>],
) -> Option<&'a mut Cow<'b, [u8]>> {
    let version = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let end = program.iter().rposition(|byte| !version(byte)).map_or(0, |last| last + 1);
    let name = program.get(..end)?;
    let &(_, letters) = INTERPRETERS.iter().find(|&&(interpreter, _)| interpreter == name)?;
    let first = arguments.iter().position(|word| !word.starts_with(b"-"))?;
    let (options, rest) = arguments.split_at_mut(first);
    let has_code = |word: &Cow<'_, [u8]>| {
        if word.starts_with(b"--") {
            CODE_OPTIONS.contains(&&**word)
        } else {
            word.iter().any(|letter| letters.contains(letter))
        }
    };
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
    fn only_the_first_4096_bytes_are_shown_but_all_are_searched() {
        let x = |count| "x".repeat(count);
        for (command, words, is_truncated) in [
            (format!("a\0{}\0", x(4093)), vec!["a".to_owned(), x(4093)], false),
            (format!("a\0{}\0", x(4094)), vec!["a".to_owned(), x(4094)], true),
            (format!("a\0{}\0b\0", x(60_000)), vec!["a".to_owned(), x(4094)], true),
            (format!("{}\u{20ac}", x(4095)), vec![x(4095)], true),
            (format!("{}\u{20ac}yes", x(4093)), vec![x(4093) + "\u{20ac}"], true),
            (x(4097), vec![x(4096)], true),
        ] {
            let command = CommandLine(command.into_bytes().into());
            let shown: Vec<_> = command.words().map(String::from_utf8_lossy).collect();
            assert_eq!(
                (shown, command.is_truncated()),
                (words.iter().map(Into::into).collect(), is_truncated)
            );
            let all = String::from_utf8_lossy(&command.0).trim_end_matches('\0').replace('\0', " ");
            assert_eq!(String::from_utf8_lossy(&command.searched()), all);
        }
        let invalid = CommandLine([0x80; 5000].into());
        assert_eq!(invalid.joined(), [0x80; 4096]);
        assert_eq!(invalid.program(), [0x80; 255]);
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
            ("/bin/bash\0-lc\0/usr/bin/a b/c\0", "bash -lc /usr/bin/a b/c"),
            ("/bin/bash\0-e\0/srv/run.sh\0", "bash -e run.sh"),
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

    #[test]
    fn short_form_has_program_and_script_without_directories() {
        for (command, expected) in [
            ("/usr/bin/python3\0/home/x/receiver.py\0--verbose\0", "python3 receiver.py"),
            ("python3\0-m\0http.server\0", "python3"),
            ("/usr/sbin/nginx\0-c\0/etc/nginx.conf\0", "nginx"),
            ("nginx: master process /usr/sbin/nginx", "nginx"),
            ("/opt/My App/app\0-v\0", "app"),
            ("/opt/app --type=gpu --path=/x/y", "app"),
            ("sshd: student@pts/0", "sshd"),
            ("sleep\0", "sleep"),
            (":", ""),
            ("", ""),
        ] {
            let found = CommandLine(command.as_bytes().into()).short();
            assert_eq!(String::from_utf8_lossy(&found), expected, "{command}");
        }
    }

    #[test]
    fn program_and_script_are_without_arguments() {
        for (command, expected) in [
            ("sudo\0rnetstat\0--program\0receiver.py\0", "sudo"),
            ("/bin/bash\0-c\0rnetstat --program receiver.py\0", "/bin/bash"),
            ("bash\0-elc\0rnetstat --program receiver.py\0", "bash"),
            ("fish\0--command\0rnetstat --program receiver.py\0", "fish"),
            ("node\0--eval\0run('receiver.py')\0", "node"),
            ("bash\0/srv/watch.sh\0receiver.py\0", "bash /srv/watch.sh"),
            ("/usr/bin/python3.11\0-u\0watch.py\0receiver.py\0", "/usr/bin/python3.11 watch.py"),
            ("python3\0-m\0watch\0receiver.py\0", "python3"),
            ("tmux: server", "tmux:"),
            ("screen rnetstat --program receiver.py", "screen"),
            ("", ""),
        ] {
            let found = CommandLine(command.as_bytes().into()).program_and_script();
            assert_eq!(String::from_utf8_lossy(&found), expected);
        }
    }
}
