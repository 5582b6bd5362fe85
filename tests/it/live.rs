//! The live view in a real terminal: tmux runs it, presses keys and reads the screen.

use std::time::{Duration, Instant};

use crate::common::host::Host;
use crate::common::pty::Pty;
use crate::common::run::{RNETSTAT, RunCommand};
use crate::common::terminal::{Terminal, until};
use crate::common::{library, words};

/// The flags of the live view.
const WATCH: &str = "-tuanc --format table --interval 1";

#[test]
fn live_view_marks_new_and_closed_sockets() {
    let Some(terminal) = Terminal::new() else { return };
    terminal.enter(&format!("{RNETSTAT} {WATCH}"));
    let heading = "   Proto  Recv-Q  Send-Q  Local  Foreign  State  PID  FD  User  Command";
    let status = "0 sockets, 0 new, 0 closed; every 1s; q quits, ? lists keys";
    let blank = String::new;
    let empty = [vec![heading.to_owned()], vec![blank(); 6], vec![status.to_owned()]].concat();
    terminal.until("an empty table", |screen| screen == empty);

    let (receiver, pid) = terminal.host.receiver();
    let width = pid.len().max(3);
    let heading = format!(
        "   Proto  Recv-Q  Send-Q  Local           Foreign    State  {:<width$}  FD  User  Command",
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
        row("+", screen)
            && has_status("1 socket, 1 new, 0 closed; every 1s; q quits, ? lists keys", screen)
    });
    terminal.until("a socket that stays", |screen| {
        row(" ", screen)
            && has_status("1 socket, 0 new, 0 closed; every 1s; q quits, ? lists keys", screen)
    });

    // The view adapts to the size of the terminal.
    terminal.tmux(&["resize-window", "-x", "50", "-y", "5"]);
    terminal.until("a smaller table", |screen| {
        screen.len() == 5
            && screen[0].starts_with("  Proto Local          PID")
            && screen[1].starts_with("  udp   127.0.0.1:5000 ")
            && screen[1].contains(" python3 receiver")
            && screen.iter().all(|line| line.chars().count() <= 50)
            && screen[4].starts_with("1 socket, 0 new, 0 closed; → Foreign")
    });
    terminal.tmux(&["resize-window", "-x", "100", "-y", "8"]);
    terminal.until("the larger table", |screen| row(" ", screen));

    drop(receiver);
    terminal.tmux(&["send-keys", "x"]); // A key without a meaning.
    terminal.host.kill(&pid);
    terminal.until("a closed socket", |screen| {
        row("-", screen)
            && has_status("0 sockets, 0 new, 1 closed; every 1s; q quits, ? lists keys", screen)
    });
    terminal.until("an empty table", |screen| screen == empty);

    // The view ends even if 200 other keys come before the `q`.
    terminal.tmux(&["send-keys", "-l", &("x".repeat(200) + "q")]);
    terminal.until("the shell", |screen| {
        screen[1] == "before" && screen[3..] == ["$", "", "", "", ""].map(String::from)
    });
    assert!(terminal.is_restored());
}

/// tmux shows attributes as codes: 1 is bold, 7 is reversed, 9 is struck through.
#[test]
fn new_rows_are_bold_and_closed_rows_are_struck_through() {
    let Some(terminal) = Terminal::new() else { return };
    terminal.enter(&format!("{RNETSTAT} {WATCH}"));
    terminal.until("an empty table", |screen| screen[7].starts_with("0 sockets, 0 new"));
    let attributes = |mark: &str| -> Vec<String> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if let Some(mut attributes) = terminal.attributes(&format!("{mark}  udp ")) {
                attributes.sort_unstable();
                return attributes;
            }
        }
        panic!("no row is marked with {mark}")
    };
    let (_receiver, pid) = terminal.host.receiver();
    // The cursor is on the only row: 7 is reversed.
    assert_eq!(attributes("+"), ["1", "7"]);
    assert_eq!(attributes(" "), ["7"]);
    terminal.host.kill(&pid);
    assert_eq!(attributes("-"), ["7", "9"]);
}

#[test]
fn terminal_is_restored_after_every_kind_of_end() {
    let Some(terminal) = Terminal::new() else { return };
    let modes = terminal.modes();
    assert_eq!(modes, "modes ^Z isig icanon echo end");
    for (end, status) in [
        ("q", 0),
        ("Q", 0),
        ("Escape", 0),
        ("C-c", 0),
        ("INT", 0),
        // Another signal has the status that a shell gives a program that does not catch it.
        ("HUP", 129),
        ("C-\\", 131),
        ("USR1", 138),
        ("ALRM", 142),
        ("TERM", 143),
        ("XCPU", 152),
    ] {
        terminal.enter(&format!("clear; {RNETSTAT} {WATCH}; echo status $?"));
        terminal.until("a table", |screen| screen[7].contains("every 1s"));
        if end.chars().all(|char| char.is_ascii_uppercase() || char == '1') && end != "Q" {
            terminal.signal(end);
        } else {
            terminal.press(end);
        }
        let status = format!("status {status}");
        terminal.until("its status", |screen| screen.contains(&status));
        assert!(terminal.is_restored(), "{end}");
        assert_eq!(terminal.modes(), modes, "{end}");
    }
    // The view ends after the last listing of `--count`, and after an error.
    terminal.enter(&format!("clear; {RNETSTAT} {WATCH} --count 2; echo status $?"));
    terminal.until("its status", |screen| screen.iter().any(|line| line == "status 0"));
    terminal.enter(&format!("clear; {RNETSTAT} {WATCH} --proc /nowhere; echo status $?"));
    terminal.until("its status", |screen| screen.iter().any(|line| line == "status 2"));
    let screen = terminal.screen();
    assert!(screen[0].starts_with("rnetstat: no socket table can be read: /nowhere/net"));
    assert!(terminal.is_restored());
    assert_eq!(terminal.modes(), modes);
}

/// No process can catch SIGSTOP, so the view cannot restore the terminal before it stops.
#[test]
fn live_view_continues_after_sigstop() {
    let Some(terminal) = Terminal::new() else { return };
    terminal.enter(&format!("{RNETSTAT} {WATCH}"));
    terminal.until("a table", |screen| screen[7].contains("every 1s"));
    terminal.signal("STOP");
    terminal.until("the shell", |screen| screen.iter().any(|line| line.contains("Stopped")));
    terminal.enter("stty sane; clear; fg");
    // Until the view draws, the screen still has the one before, and the shell takes the key.
    terminal.until("a table", |screen| {
        screen[0].contains("Proto")
            && screen[7].contains("every 1s")
            && !screen.concat().contains("Stopped")
    });
    terminal.press("q");
    terminal.until("the shell", |screen| screen.iter().any(|line| line == "$"));
    assert!(terminal.is_restored());
}

/// A view that stops without leaving the terminal would leave its screen to the shell.
#[test]
fn suspended_view_gives_the_terminal_back_until_it_continues() {
    let Some(terminal) = Terminal::new() else { return };
    let modes = terminal.modes();
    // A terminal sends the signal of Ctrl-Z also to a script that runs rnetstat.
    for script in [format!("{RNETSTAT} {WATCH}"), format!("sh -c '{RNETSTAT} {WATCH}; true'")] {
        for is_key in [true, false] {
            if !is_key && script.starts_with("sh") {
                continue;
            }
            terminal.enter(&format!("clear; {script}; echo status $?"));
            terminal.until("a table", |screen| screen[7].contains("every 1s"));
            if is_key {
                terminal.press("C-z");
            } else {
                terminal.signal("TSTP");
            }
            terminal.until("the shell", |screen| screen.concat().contains("Stopped"));
            assert!(terminal.is_restored(), "{script}");
            assert_eq!(terminal.modes(), modes, "{script}");
            terminal.enter("clear; fg; echo status $?");
            terminal.until("a table", |screen| {
                screen[0].contains("Proto") && screen[7].contains("every 1s")
            });
            terminal.press("q");
            terminal.until("its status", |screen| screen.concat().contains("status 0"));
            assert!(terminal.is_restored(), "{script}");
            assert_eq!(terminal.modes(), modes, "{script}");
        }
    }
}

/// `kill %1` of bash sends these two signals.
const KILL: &str = "kill -TERM %1; kill -CONT %1";

#[test]
fn kill_ends_a_stopped_view_and_restores_the_terminal() {
    let Some(terminal) = Terminal::new() else { return };
    let modes = terminal.modes();
    for (start, is_stopped, more, why) in [
        ("", true, "", "signal"),
        // The kernel stops a view that wants the terminal in the background.
        ("", true, "bg", "tty output"),
        ("&", false, "", "tty output"),
    ] {
        terminal.enter(&format!("clear; {RNETSTAT} {WATCH} {start}"));
        if is_stopped {
            terminal.until("a table", |screen| screen[7].contains("every 1s"));
            terminal.signal("STOP");
            terminal.until("the shell", |screen| screen.concat().contains("Stopped"));
        }
        if !more.is_empty() {
            terminal.enter(more);
        }
        let stopped = format!("Stopped ({why})");
        terminal.until_jobs(|screen| screen.concat().contains(&stopped));
        terminal.enter(KILL);
        terminal.until_jobs(|screen| screen[0] == "jobs end");
        terminal.until_restored();
        assert_eq!(terminal.modes(), modes, "{why}");
    }
}

/// The shell takes the terminal back when the script stops or ends, which the kernel tells nobody.
#[test]
fn view_stops_when_the_script_that_runs_it_stops_or_is_killed() {
    for signal in ["STOP", "KILL"] {
        let Some(terminal) = Terminal::new() else { return };
        let modes = terminal.modes();
        terminal.enter(&format!("clear; sh -c '{RNETSTAT} {WATCH}; echo'"));
        terminal.until("a table", |screen| screen[7].contains("every 1s"));
        let script = [&format!("-{signal}"), "-f", "^sh -c /"];
        terminal.host.command("pkill").args(script).succeed();
        terminal.until("the shell", |screen| screen[7].is_empty());
        terminal.until_restored();
        assert_eq!(terminal.modes(), modes, "{signal}");
        if signal == "STOP" {
            terminal.enter("clear; fg");
            terminal.until("a table", |screen| screen[7].contains("every 1s"));
        }
    }
}

/// Ctrl-S stops the output.
#[test]
fn signals_end_a_view_while_the_terminal_takes_no_output() {
    let Some(terminal) = Terminal::new() else { return };
    let flags = "-uan -c --format table --interval 0.1";
    terminal.enter(&format!("clear; {RNETSTAT} {flags}; echo status $?"));
    terminal.until("a table", |screen| screen[7].contains("every 100ms"));
    terminal.press("C-s");
    // The kernel stops the output of the terminal, and with it what the shell prints afterwards.
    terminal.signal("TERM");
    let is_running = || terminal.host.command("pgrep").args(["-x", "rnetstat"]).run().status;
    until("the end of the view", || is_running() == Some(1));
    terminal.press("C-q");
    terminal.until("its status", |screen| screen.iter().any(|line| line.ends_with("status 143")));
}

/// The thread that looks up the user runs before the view starts.
#[test]
fn signals_restore_the_terminal_while_a_user_is_looked_up() {
    let Some(terminal) = Terminal::new() else { return };
    let (_directory, library) = library("hanging_users.c");
    let flags = "--user 0 --resolve-timeout 0.1";
    for (end, status) in [("INT", "status 1"), ("TERM", "status 143")] {
        let preload = format!("LD_PRELOAD={}", library.display());
        terminal.enter(&format!("clear; {preload} {RNETSTAT} {WATCH} {flags}; echo status $?"));
        terminal.until("a table", |screen| screen[7].contains("every 1s"));
        terminal.signal(end);
        terminal.until("its status", |screen| screen.iter().any(|line| line == status));
        assert!(terminal.is_restored(), "{end}");
    }
}

#[test]
fn terminals_without_escape_sequences_have_no_live_view() {
    let Some(host) = Host::new(&["python3", "env"]) else { return };
    let _receiver = host.receiver();
    let list = |variables: &[&str]| {
        let mut command = host.command("env");
        command.args(variables).arg(RNETSTAT).args(words(WATCH)).args(["--count", "2"]);
        Pty::new(100).run_interactive(&mut command).stdout
    };
    assert!(list(&["TERM=xterm"]).starts_with("\x1b[?1049h"));
    for variables in [&["-u", "TERM"][..], &["TERM="], &["TERM=dumb"]] {
        let shown = list(variables);
        assert!(!shown.contains('\x1b'), "{shown:?}");
        assert_eq!(shown.matches(" 127.0.0.1:5000 ").count(), 2, "{shown}");
    }
}

/// While names are not known yet, the view shows numbers and reacts to keys.
#[test]
fn live_view_does_not_wait_for_names() {
    let Some(mut terminal) = Terminal::new() else { return };
    // With these options the C library's resolver waits longer for answers than `until` does.
    let resolver = "options timeout:30 attempts:3\n";
    let _services = terminal.host.named_peers(1, "never", resolver);
    let options = "-ua --numeric-ports -c --format table --resolve-timeout 3600";
    terminal.enter(&format!("{RNETSTAT} {options} --program peers.py"));
    terminal.until("a number", |screen| screen[1].contains("10.99.0.1:9"));
    terminal.press("q");
    terminal.until("the shell", |screen| screen[1] == "before");
}

#[test]
fn continuous_table_in_a_pipe_has_no_live_view() {
    let Some(terminal) = Terminal::new() else { return };
    let _receiver = terminal.host.receiver();
    let flags = "-uanc --format table --interval 0.01 --count 3";
    let run = terminal.host.rnetstat(flags).run();
    let listing = run.stdout;
    let once: String = listing.split_inclusive('\n').take(4).collect();
    let end = "receiver.py\n\n1 socket\n";
    assert!(once.starts_with("Proto  Recv-Q") && once.ends_with(end), "{listing}");
    assert_eq!((listing, run.status), (once.repeat(3), Some(0)));
}
