//! A real terminal: tmux runs a shell in it, presses keys and reads the screen.

use std::thread;
use std::time::{Duration, Instant};

use super::host::Host;
use super::run::RunCommand;

/// Waits for a condition.
pub fn until(what: &str, is_met: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_met() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what} did not come");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A shell in tmux, on its own host.
pub struct Terminal {
    pub host: Host,
}

impl Terminal {
    /// Starts the shell, and waits until it has run a first command.
    pub fn new() -> Option<Self> {
        let mut host = Host::new(&["python3", "mount", "tmux", "stty"])?;
        host.put_names(b"", "");
        host.mount_tmpfs("/mnt");
        let terminal = Self { host };
        let shell = "PS1='$ ' exec sh";
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "8", shell]);
        terminal.until("a prompt", |screen| screen[0] == "$");
        terminal.enter("echo before");
        terminal.until("an answer", |screen| screen[1] == "before");
        Some(terminal)
    }

    /// Runs a tmux command and returns its output.
    pub fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = self.host.command("tmux");
        command.env("TMUX_TMPDIR", "/mnt").env_remove("TMUX").env_remove("NO_COLOR");
        command.arg("-u").args(arguments).succeed().stdout
    }

    /// Types a line.
    pub fn enter(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.press("Enter");
    }

    /// Presses a key, by its name in tmux.
    pub fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// Sends a signal to rnetstat, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        self.host.command("pkill").args([&format!("-{signal}"), "-x", "rnetstat"]).succeed();
    }

    /// Returns the lines on the screen.
    pub fn screen(&self) -> Vec<String> {
        let screen = self.tmux(&["capture-pane", "-p"]);
        screen.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Waits until the screen meets a condition, and returns it. `what` is for the message.
    pub fn until(&self, what: &str, is_there: impl Fn(&[String]) -> bool) -> Vec<String> {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return screen;
            }
            let late = start.elapsed() > Duration::from_secs(30);
            assert!(!late, "{what} did not appear:\n{}", screen.join("\n"));
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lists the shell's jobs again and again, until the screen meets a condition. The list ends with
    /// the line `jobs end`.
    pub fn until_jobs(&self, is_there: impl Fn(&[String]) -> bool) {
        self.until("the job", |screen| {
            let is_there = is_there(screen);
            if !is_there {
                self.enter("clear; jobs; echo jobs end");
            }
            is_there
        });
    }

    pub fn until_restored(&self) {
        until("the normal screen", || self.is_restored());
    }

    /// Returns true if the terminal shows the normal screen, with a cursor and line wrap.
    pub fn is_restored(&self) -> bool {
        self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}"])
            == "0 1 1\n"
    }

    /// Returns which of the modes icanon, echo and isig are set, and `^Z` if that key suspends.
    pub fn modes(&self) -> String {
        let modes = "-?(icanon|echo|isig)|\\^Z";
        self.enter(&format!(
            "clear; echo modes $(stty -a | tr ' ;' '\\n\\n' | grep -xE -- '{modes}') end"
        ));
        let screen = self.until("the modes", |screen| {
            screen[0].starts_with("modes ") && screen[0].ends_with(" end")
        });
        screen[0].clone()
    }

    /// Returns the attributes (codes of `ESC [ ... m`) of the first character of the first line
    /// that starts with this text.
    pub fn attributes(&self, start: &str) -> Option<Vec<String>> {
        let screen = self.tmux(&["capture-pane", "-ep"]);
        let mut attributes = Vec::new();
        for line in screen.lines() {
            let mut text = String::new();
            let mut first = None;
            for (number, part) in line.split("\x1b[").enumerate() {
                let (codes, rest) =
                    if number == 0 { ("", part) } else { part.split_once('m').unwrap() };
                for code in codes.split(';').filter(|_| number > 0) {
                    if ["", "0"].contains(&code) {
                        attributes.clear();
                    } else if !["39", "49"].contains(&code) {
                        // 39 and 49 are the default colours.
                        attributes.push(code.to_owned());
                    }
                }
                if !rest.is_empty() {
                    first.get_or_insert_with(|| attributes.clone());
                }
                text += rest;
            }
            if text.starts_with(start) {
                return first;
            }
        }
        None
    }
}
