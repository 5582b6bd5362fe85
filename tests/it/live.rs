//! The live view, in a real terminal: tmux runs it, presses keys and says what is on the screen.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::host::Host;
use crate::common::{RNETSTAT, text};

/// A terminal with a shell in it, on a host of its own.
struct Terminal {
    host: Host,
}

impl Terminal {
    fn new() -> Option<Self> {
        let mut host = Host::new(&["python3", "mount", "tmux", "stty"])?;
        host.put_names(b"", "");
        let mounted = host.command("mount").args(["-t", "tmpfs", "none", "/mnt"]).status().unwrap();
        assert!(mounted.success());
        let terminal = Self { host };
        let shell = "PS1='$ ' exec sh";
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "8", shell]);
        terminal.until("a prompt", |screen| screen[0] == "$");
        terminal.enter("echo before");
        terminal.until("an answer", |screen| screen[1] == "before");
        Some(terminal)
    }

    /// Runs a command of tmux, and gives what it prints.
    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command: Command = self.host.command("tmux");
        command.env("TMUX_TMPDIR", "/mnt").env_remove("TMUX");
        command.env_remove("NO_COLOR");
        let output = command.arg("-u").args(arguments).output().unwrap();
        assert!(output.status.success(), "tmux {arguments:?}: {}", text(output.stderr));
        text(output.stdout)
    }

    /// Types a line.
    fn enter(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.press("Enter");
    }

    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// What is on the screen, line by line.
    fn screen(&self) -> Vec<String> {
        let screen = self.tmux(&["capture-pane", "-p"]);
        screen.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Waits until this is on the screen, and gives the screen of that moment.
    fn until(&self, what: &str, is_there: impl Fn(&[String]) -> bool) -> Vec<String> {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return screen;
            }
            let late = start.elapsed() > Duration::from_secs(30);
            assert!(!late, "{what} does not come:\n{}", screen.join("\n"));
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether the terminal is as a shell has it: the usual screen, with a cursor.
    fn is_given_back(&self) -> bool {
        self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}"])
            == "0 1 1\n"
    }

    /// The modes of the terminal that a view changes.
    fn modes(&self) -> String {
        let modes = "-?(icanon|echo|isig)|\\^Z";
        self.enter(&format!(
            "clear; echo $(stty -a | tr ' ;' '\\n\\n' | grep -xE -- '{modes}') end"
        ));
        let screen = self.until("the modes", |screen| screen[0].ends_with(" end"));
        screen[0].clone()
    }

    /// The attributes (SGR) of the first character of the first line that begins with this.
    fn attributes(&self, start: &str) -> Option<Vec<String>> {
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
                        // These are the usual colours.
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

const WATCH: &str = "-tuanc --format table --interval 1";

#[test]
fn sockets_open_and_close_while_the_table_is_watched() {
    let Some(terminal) = Terminal::new() else { return };
    terminal.enter(&format!("{RNETSTAT} {WATCH}"));
    let heading = "   Proto  Recv-Q  Send-Q  Local  Foreign  State  PID  FD  User  Program";
    let status = "0 sockets, 0 new, 0 closed; every 1s; q quits";
    let blank = String::new;
    let empty = [vec![heading.to_owned()], vec![blank(); 6], vec![status.to_owned()]].concat();
    terminal.until("an empty table", |screen| screen == empty);

    let mut receiver = terminal.host.start("python3", &["tests/programs/receiver.py"]);
    let pid = receiver.line().split(' ').nth(3).unwrap().to_owned();
    let width = pid.len().max(3);
    let heading = format!(
        "   Proto  Recv-Q  Send-Q  Local           Foreign    State  {:<width$}  FD  User  Program",
        "PID"
    );
    let row = |mark: &str, screen: &[String]| {
        let start = format!(
            "{mark}  udp         0       0  127.0.0.1:5000  0.0.0.0:*         {pid:<width$}  3   "
        );
        screen[0] == heading && screen[1].starts_with(&start) && screen[1].ends_with("receiver.py")
    };
    let has_status = |line: &str, screen: &[String]| screen[7] == line;
    terminal.until("a new socket", |screen| {
        row("+", screen) && has_status("1 socket, 1 new, 0 closed; every 1s; q quits", screen)
    });
    terminal.until("a socket that stays", |screen| {
        row(" ", screen) && has_status("1 socket, 0 new, 0 closed; every 1s; q quits", screen)
    });

    // A narrower and lower terminal is followed at once; what has no room is said.
    terminal.tmux(&["resize-window", "-x", "50", "-y", "5"]);
    terminal.until("a smaller table", |screen| {
        screen.len() == 5
            && screen[1].starts_with("  udp   127.0.0.1:5000 0.0.0.0:*")
            && screen.iter().all(|line| line.chars().count() <= 50)
            && screen[4].starts_with("1 socket, 0 new, 0 closed; every 1s; q quits")
    });
    terminal.tmux(&["resize-window", "-x", "100", "-y", "8"]);
    terminal.until("the larger table", |screen| row(" ", screen));

    drop(receiver);
    terminal.tmux(&["send-keys", "x"]); // A key that means nothing.
    let kill = terminal.host.command("kill").arg(&pid).status().unwrap();
    assert!(kill.success());
    terminal.until("a closed socket", |screen| {
        row("-", screen) && has_status("0 sockets, 0 new, 1 closed; every 1s; q quits", screen)
    });
    terminal.until("an empty table", |screen| screen == empty);

    // However much was typed at once before it.
    terminal.tmux(&["send-keys", "-l", &("x".repeat(200) + "q")]);
    let screen = terminal.until("the shell", |screen| screen[1] == "before");
    assert_eq!(screen[3..], ["$", "", "", "", ""].map(String::from), "{screen:?}");
    assert!(terminal.is_given_back());
}

/// Struck through while it is shown once more; tmux writes the attributes anew.
#[test]
fn closed_sockets_are_struck_through_and_new_ones_bold() {
    let Some(terminal) = Terminal::new() else { return };
    terminal.enter(&format!("{RNETSTAT} {WATCH}"));
    terminal.until("an empty table", |screen| screen[7].starts_with("0 sockets, 0 new"));
    let attributes = |mark: &str| -> Vec<String> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if let Some(attributes) = terminal.attributes(&format!("{mark}  udp ")) {
                return attributes;
            }
        }
        panic!("no row is marked with {mark}")
    };
    let mut receiver = terminal.host.start("python3", &["tests/programs/receiver.py"]);
    let pid = receiver.line().split(' ').nth(3).unwrap().to_owned();
    assert_eq!(attributes("+"), ["1"]);
    assert!(!attributes(" ").contains(&"1".to_owned()));
    assert!(terminal.host.command("kill").arg(&pid).status().unwrap().success());
    assert_eq!(attributes("-"), ["9"]);
}

#[test]
fn however_it_ends_the_terminal_is_given_back() {
    let Some(terminal) = Terminal::new() else { return };
    let modes = terminal.modes();
    assert_eq!(modes, "^Z isig icanon echo end");
    for end in ["q", "Q", "C-c", "C-\\", "TERM", "HUP", "INT"] {
        terminal.enter(&format!("clear; {RNETSTAT} {WATCH}; echo status $?"));
        terminal.until("a table", |screen| screen[7].contains("every 1s"));
        if ["TERM", "HUP", "INT"].contains(&end) {
            let signal = format!("-{end}");
            let killed = terminal.host.command("pkill").args([&signal, "-x", "rnetstat"]).status();
            assert!(killed.unwrap().success());
        } else {
            // This one would leave the terminal to the shell as it is.
            terminal.press("C-z");
            terminal.press(end);
        }
        terminal.until("its status", |screen| screen.iter().any(|line| line == "status 0"));
        assert!(terminal.is_given_back(), "{end}");
        assert_eq!(terminal.modes(), modes, "{end}");
    }
    // So it is after the last of a number of listings, and after an error.
    terminal.enter(&format!("clear; {RNETSTAT} {WATCH} --count 2; echo status $?"));
    terminal.until("its status", |screen| screen.iter().any(|line| line == "status 0"));
    terminal.enter(&format!("clear; {RNETSTAT} {WATCH} --proc /nowhere; echo status $?"));
    terminal.until("its status", |screen| screen.iter().any(|line| line == "status 2"));
    let screen = terminal.screen();
    assert!(screen[0].starts_with("rnetstat: no socket table can be read: /nowhere/net"));
    assert!(terminal.is_given_back());
    assert_eq!(terminal.modes(), modes);
}

/// Nobody can keep SIGSTOP back, and the shell then has the terminal as it was left.
#[test]
fn a_view_that_was_stopped_takes_the_terminal_again() {
    let Some(terminal) = Terminal::new() else { return };
    let signal = |signal: &str| {
        let killed = terminal.host.command("pkill").args([signal, "-x", "rnetstat"]).status();
        assert!(killed.unwrap().success());
    };
    terminal.enter(&format!("{RNETSTAT} {WATCH}"));
    terminal.until("a table", |screen| screen[7].contains("every 1s"));
    // This one is kept back.
    signal("-TSTP");
    signal("-STOP");
    terminal.until("the shell", |screen| screen.iter().any(|line| line.contains("Stopped")));
    terminal.enter("stty sane; clear; fg");
    terminal
        .until("a table", |screen| screen[0].contains("Proto") && screen[7].contains("every 1s"));
    terminal.press("q");
    terminal.until("the shell", |screen| screen.iter().any(|line| line == "$"));
    assert!(terminal.is_given_back());
}

/// Names that never come leave numbers, and keys are heard meanwhile.
#[test]
fn the_live_view_does_not_wait_for_names() {
    let Some(mut terminal) = Terminal::new() else { return };
    terminal.host.put_names(b"", "dns");
    // Which is longer than this test waits for anything.
    let resolver = b"nameserver 127.0.0.1\noptions timeout:30 attempts:3\n";
    terminal.host.put("/etc/resolv.conf", resolver);
    let route = ["route", "add", "local", "10.99.0.0/16", "dev", "lo"];
    assert!(terminal.host.command("ip").args(route).status().unwrap().success());
    let mut resolver =
        terminal.host.start("python3", &["tests/programs/slow_resolver.py", "never"]);
    assert_eq!(resolver.line(), "ready");
    let mut peers = terminal.host.start("python3", &["tests/programs/peers.py", "1"]);
    assert_eq!(peers.line(), "ready");
    let options = "-ua --numeric-ports -c --format table --resolve-timeout 3600";
    terminal.enter(&format!("{RNETSTAT} {options} --program peers.py"));
    terminal.until("a number", |screen| screen[1].contains("10.99.0.1:9"));
    terminal.press("q");
    terminal.until("the shell", |screen| screen[1] == "before");
}

#[test]
fn what_is_no_terminal_gets_one_listing_after_the_other() {
    let Some(terminal) = Terminal::new() else { return };
    let _receiver = {
        let mut receiver = terminal.host.start("python3", &["tests/programs/receiver.py"]);
        receiver.line();
        receiver
    };
    let mut command = terminal.host.command(RNETSTAT);
    command.args(["-uanc", "--format", "table", "--interval", "0.01", "--count", "3"]);
    let output = command.output().unwrap();
    let listing = text(output.stdout);
    let once: String = listing.split_inclusive('\n').take(2).collect();
    assert!(once.starts_with("Proto  Recv-Q") && once.ends_with("receiver.py\n"), "{listing}");
    assert_eq!((listing, output.status.code()), (once.repeat(3), Some(0)));
}
