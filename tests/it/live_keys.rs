//! The keys of the live view, in a real terminal.

use crate::common::host::Host;
use crate::common::library;
use crate::common::pty::Pty;
use crate::common::run::RNETSTAT;
use crate::common::terminal::Terminal;

/// Starts the view with these flags, and waits for its first screen.
fn view(flags: &str) -> Option<Terminal> {
    let terminal = Terminal::new()?;
    start(&terminal, flags);
    Some(terminal)
}

fn start(terminal: &Terminal, flags: &str) {
    terminal.enter(&format!("clear; {RNETSTAT} -tuanc --table {flags}; echo status $?"));
    terminal.until("the view", |screen| screen[7].contains("every"));
}

/// Returns true if the cursor is on the row that begins with this text.
fn is_at(terminal: &Terminal, row: &str) -> bool {
    terminal.attributes(row).is_some_and(|attributes| attributes.contains(&"7".to_owned()))
}

#[test]
fn cursor_stays_on_its_socket_when_rows_come_and_go() {
    let Some(terminal) = view("--columns local,proto,state,command --sort sport") else { return };
    let server = |port: &str| {
        let mut server = terminal.host.python("server.py", &[port]);
        server.line();
        server
    };
    let (_first, _second) = (server("6001"), server("6002"));
    terminal
        .until("two servers", |screen| screen[2].contains(":6002") && !screen[2].starts_with('+'));
    terminal.press("Down");
    let local = |number: usize| {
        let screen = terminal.screen();
        screen[number].split_whitespace().find(|it| it.contains(':')).unwrap().to_owned()
    };
    let row = format!("   {}", local(2));
    terminal.until("the cursor", |_| is_at(&terminal, &row));
    let mut before = terminal.host.python("server.py", &["5001"]);
    let line = before.line();
    let (pid, _) = line.split_once(' ').unwrap();
    terminal.until("three servers", |screen| screen[3].contains(":6002"));
    terminal.until("the cursor", |_| is_at(&terminal, &row));
    terminal.host.kill(pid);
    terminal.until("two servers", |screen| screen[3].is_empty() && screen[2].contains(":6002"));
    assert!(is_at(&terminal, &row));
    // Another order shows its first row.
    terminal.press("S");
    terminal.until("the reverse order", |screen| screen[1].contains(":6002"));
    assert!(is_at(&terminal, &row));
}

#[test]
fn cursor_at_the_first_row_of_an_order_stays_there() {
    let Some(terminal) = view("--columns local,proto,state,command --sort sport") else { return };
    let mut servers = Vec::new();
    for port in ["6001", "5001"] {
        let mut server = terminal.host.python("server.py", &[port]);
        server.line();
        servers.push(server);
        let screen = terminal.until(port, |screen| {
            screen[1].contains(&format!(":{port} ")) && !screen[1].starts_with('+')
        });
        let local = screen[1].split_whitespace().find(|it| it.contains(':')).unwrap();
        let row = format!("   {local}");
        terminal.until("the cursor", |_| is_at(&terminal, &row));
    }
}

#[test]
fn filter_applies_while_it_is_typed() {
    let Some(terminal) = view("") else { return };
    let _services = terminal.host.receiver_and_connection();
    let shows = |screen: &[String], port: &str| {
        screen[..7].iter().any(|line| line.contains(&format!(":{port} ")))
    };
    terminal.until("all", |screen| shows(screen, "5000") && shows(screen, "5001"));
    terminal.tmux(&["send-keys", "-l", "/5001"]);
    terminal.until("one port", |screen| {
        screen[7] == "/5001_" && shows(screen, "5001") && !shows(screen, "5000")
    });
    terminal.tmux(&["send-keys", "-l", " ^receiver"]);
    terminal.until("two words", |screen| shows(screen, "5001"));
    // Typed characters that control a terminal are not taken.
    terminal.tmux(&["send-keys", "-H", "c2", "9b", "33", "31", "6d", "e2", "80", "ae"]);
    terminal.until("the rest of them", |screen| screen[7].starts_with("/5001 ^receiver31m_"));
    terminal.press("C-u");
    // While a word is wrong, the filter before it stays, and Enter does not close the prompt.
    terminal.tmux(&["send-keys", "-l", "5001"]);
    terminal.until("one port", |screen| screen[7] == "/5001_" && !shows(screen, "5000"));
    terminal.tmux(&["send-keys", "-l", ",x"]);
    let has_error = |screen: &[String]| {
        screen[7].starts_with("/5001,x_  a word is ports")
            && shows(screen, "5001")
            && !shows(screen, "5000")
    };
    terminal.until("the error", has_error);
    terminal.press("Enter");
    terminal.press("y");
    terminal.press("BSpace");
    terminal.until("the error", has_error);
    terminal.press("C-u");
    terminal.tmux(&["send-keys", "-l", "receiver.py"]);
    terminal.press("Enter");
    terminal.until("one program", |screen| {
        screen[7].starts_with("1 socket, 0 new, 0 closed; /receiver.py; ") && !shows(screen, "5001")
    });
    // Esc in the prompt restores the filter, and then removes it.
    terminal.tmux(&["send-keys", "-l", "/ 5001"]);
    terminal.until("no socket", |screen| screen[7] == "/receiver.py 5001_" && screen[1].is_empty());
    terminal.press("Escape");
    terminal.until("one program", |screen| screen[7].contains("; /receiver.py; "));
    terminal.press("Escape");
    terminal.until("all", |screen| shows(screen, "5000") && shows(screen, "5001"));
}

#[test]
fn right_arrow_stops_at_the_last_column() {
    let Some(terminal) = view("") else { return };
    let _services = terminal.host.receiver_and_connection();
    terminal.tmux(&["resize-window", "-x", "80", "-y", "8"]);
    terminal.until("columns to the right", |screen| {
        screen[0].contains(" Foreign ")
            && screen[7].contains("; → ")
            && !screen[7].contains('←')
            && screen[1].starts_with("  ")
    });
    for _ in 0..20 {
        terminal.press("Right");
    }
    let screen = terminal.until("columns to the left", |screen| {
        screen[7].contains("; ← ") && !screen[7].contains('→')
    });
    let titles: Vec<_> = screen[0].split_whitespace().collect();
    assert_eq!(titles[..3], ["Proto", "Local", "PID"]);
    assert!(titles.len() > 4 && titles[titles.len() - 1] == "Command", "{titles:?}");
    for _ in 0..20 {
        terminal.press("Left");
    }
    terminal.until("the first columns", |screen| screen[0].contains(" Foreign "));
}

#[test]
fn enter_shows_the_sockets_of_a_group() {
    let Some(terminal) = view("") else { return };
    let _services = terminal.host.receiver_and_connection();
    terminal.press("g");
    terminal.until("groups", |screen| screen[0].starts_with("   Program") && !screen[3].is_empty());
    let group = terminal.screen().iter().position(|line| line.contains("client.py")).unwrap();
    for _ in 1..group {
        terminal.press("Down");
    }
    terminal.press("Enter");
    terminal.until("its socket", |screen| {
        screen[1].contains("client.py")
            && screen[2].is_empty()
            && screen[7].starts_with("1 socket")
            && screen[7].contains("; Program: python3 client.py; ")
    });
    terminal.press("Escape");
    terminal.until("groups", |screen| screen[0].starts_with("   Program"));
    assert!(is_at(&terminal, "   python3 client.py"));
    terminal.press("Escape");
    terminal.until("all", |screen| screen[0].contains("Proto") && !screen[3].is_empty());
}

#[test]
fn heading_and_last_line_show_the_order() {
    let Some(terminal) = view("--sort local") else { return };
    terminal.until("ascending order", |screen| screen[0].contains("  Local ▲  "));
    terminal.press("S");
    terminal.until("descending order", |screen| screen[0].contains("  Local ▼  "));
    terminal.press("m");
    terminal.until("changes first", |screen| screen[7].contains("; changes first; "));
    terminal.press("m");
    terminal.until("the same order", |screen| !screen[7].contains("changes first"));
}

#[test]
fn program_that_does_not_read_is_marked() {
    let Some(terminal) = view("--interval 0.5") else { return };
    let mut server = terminal.host.python("server.py", &["5001"]);
    server.line();
    let mut client = terminal.host.python("client.py", &["5001", "This is not read."]);
    client.line();
    terminal.until("the mark", |screen| {
        screen.iter().any(|line| line.starts_with("! ") && line.contains(" 17 "))
    });
    // The column that says why has no room, so it is named first.
    terminal.tmux(&["resize-window", "-x", "48", "-y", "8"]);
    terminal.until("the name of the column", |screen| screen[7].contains("; → Recv-Q"));
}

#[test]
fn enter_shows_everything_about_the_socket() {
    let Some(terminal) = view("--program client.py") else { return };
    let _services = terminal.host.receiver_and_connection();
    terminal.until("the client", |screen| screen[1].contains("client.py"));
    terminal.press("Enter");
    // The first entry is the owner. The last line of the screen says that there are more lines.
    terminal.until("the owner", |screen| {
        screen[2].starts_with("owner ") && screen[7].contains("; lines 1-7 of ")
    });
    assert!(terminal.screen()[7].contains("; more below, PgDn; Esc closes"));
    for _ in 0..9 {
        terminal.press("PageDown");
    }
    terminal.until("the end", |screen| screen[7].contains("; more above, PgUp; Esc closes"));
    terminal.tmux(&["resize-window", "-x", "100", "-y", "60"]);
    let has = |screen: &[String], label: &str, text: &str| {
        screen.iter().any(|line| line.starts_with(label) && line.contains(text))
    };
    let screen = terminal
        .until("the socket", |screen| has(screen, "Socket", "") && has(screen, "other end", ""));
    let directory = std::env::current_dir().unwrap();
    for (label, text) in [
        ("Socket", "tcp 127.0.0.1:"),
        ("Socket", ":5001 ESTABLISHED"),
        ("RTT", "."),
        ("CC", ""),
        ("owner", ""),
        ("Command", "python3 tests/programs/client.py 5001"),
        ("Command", "python3 tests/programs/server.py 5001"),
        ("Directory", directory.to_str().unwrap()),
        ("Descriptors", "3"),
    ] {
        assert!(has(&screen, label, text), "{label} {text}\n{}", screen.join("\n"));
    }
    terminal.press("Escape");
    terminal
        .until("the rows", |screen| screen[0].contains("Proto") && screen[1].contains("client.py"));
    terminal.press("?");
    terminal.until("the keys", |screen| has(screen, "Ctrl-Z", "suspend"));
    terminal.press("Escape");
    terminal.until("the rows", |screen| screen[0].contains("Proto"));
    terminal.press("Escape");
    terminal.until("the shell", |screen| screen.concat().contains("status 0"));
}

#[test]
fn state_that_changed_is_marked_for_one_round() {
    let Some(terminal) = view("--sport 5001 --interval 4") else { return };
    let [_receiver, _server, client] = terminal.host.receiver_and_connection();
    terminal.until("a connection", |screen| screen[2].contains("ESTABLISHED"));
    drop(client);
    terminal.until("the mark", |screen| {
        screen.iter().any(|line| line.starts_with("~ ") && line.contains("CLOSE_WAIT"))
    });
    terminal.until("the trouble", |screen| {
        screen.iter().any(|line| line.starts_with("! ") && line.contains("CLOSE_WAIT"))
    });
}

#[test]
fn pause_keeps_the_rows_and_groups_count_them() {
    let Some(terminal) = view("--interval 0.1 --columns +drops") else { return };
    terminal.press("Space");
    terminal.until("a pause", |screen| screen[7].contains("PAUSED"));
    let (_receiver, _) = terminal.host.receiver();
    terminal.press("?");
    terminal.until("the keys", |screen| screen[0].starts_with("Up Down"));
    terminal.press("Escape");
    terminal.until("the old rows", |screen| screen[7].starts_with("0 sockets, 0 new"));
    terminal.press("Space");
    terminal.until("the new rows", |screen| screen[1].contains("receiver.py"));
    terminal.press("g");
    terminal.until("groups", |screen| {
        screen[0].starts_with("   Program") && screen[1].contains("python3 receiver.py        1")
    });
    // Columns with numbers are added up.
    terminal.until("the drops", |screen| screen[0].ends_with("Drops"));
    terminal.press("c");
    terminal.press("Escape");
    terminal.until("groups", |screen| screen[0].starts_with("   Program"));
}

/// Terminals without a size report 0.
#[test]
fn smallest_screens_do_no_harm() {
    let Some(terminal) = view("--interval 0.1") else { return };
    let _services = terminal.host.receiver_and_connection();
    for (columns, lines) in [("1", "1"), ("1", "2"), ("2", "1"), ("3", "3"), ("200", "1")] {
        terminal.tmux(&["resize-window", "-x", columns, "-y", lines]);
        let keys = "Down End Enter Right Enter ? Down Enter c Space Enter g / x C-u Enter";
        for key in keys.split(' ').chain(["g"; 6]) {
            terminal.press(key);
        }
    }
    terminal.tmux(&["resize-window", "-x", "100", "-y", "8"]);
    terminal.until("the view", |screen| {
        screen[7].contains("every") || screen[7].contains("Esc closes")
    });
    terminal.press("C-c");
    terminal.until("the shell", |screen| screen.concat().contains("status 0"));
    let Some(host) = Host::new(&["python3"]) else { return };
    let mut command = host.rnetstat("-tuanc --table --count 2 --interval 0.1");
    assert_eq!(Pty::new(0).run_interactive(command.env("TERM", "xterm")).status, Some(0));
}

/// A release build aborts after a panic, so nothing is dropped. The library makes the clock fail, at
/// which the standard library panics.
#[test]
fn terminal_is_restored_after_a_panic() {
    let Some(terminal) = Terminal::new() else { return };
    let modes = terminal.modes();
    let (_directory, library) = library("failing_clock.c");
    let preload = format!("RUST_BACKTRACE=0 LD_PRELOAD={}", library.display());
    terminal.enter(&format!("clear; {preload} {RNETSTAT} -tuanc --table; echo status $?"));
    terminal.until("the view", |screen| screen[7].contains("every"));
    terminal.signal("RTMIN");
    terminal.until("its status", |screen| screen.concat().contains("status 101"));
    assert!(terminal.is_restored());
    assert!(terminal.screen().concat().contains("panicked"));
    assert_eq!(terminal.modes(), modes);
}

/// The cursor follows its socket, but not away from the first row while changes are shown there.
#[test]
fn changes_stay_in_view_at_the_first_row() {
    let flags = "--columns local,proto,state,command --interval 3";
    let Some(terminal) = view(flags) else { return };
    let server = |port: u16| {
        let mut server = terminal.host.python("server.py", &[&port.to_string()]);
        server.line();
        server
    };
    let _servers: Vec<_> = (6001..=6008).map(server).collect();
    terminal.until("the servers", |screen| screen[7].starts_with("8 sockets, 0 new"));
    let _last = server(6009);
    terminal.until("the change", |screen| screen[7].starts_with("9 sockets, 1 new"));
    terminal.press("m");
    terminal
        .until("the change", |screen| screen[1].starts_with('+') && screen[1].contains(":6009"));
    terminal.until("no change", |screen| screen[7].starts_with("9 sockets, 0 new"));
    assert!(terminal.screen()[1].contains(":6001"));
}
