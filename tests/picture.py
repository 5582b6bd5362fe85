#!/usr/bin/env python3
"""Makes docs/terminal.svg: the output of rnetstat in a terminal, on the host of the examples.

    cargo build && tests/picture.py     needs unshare, mount and ip

The program is target/debug/rnetstat, or that of the variable RNETSTAT_PROGRAM.
"""
import fcntl
import html
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import termios

PROJECT = pathlib.Path(__file__).parents[1]
COLUMNS = 100
COMMANDS = [
    "sudo rnetstat 5000",
    "sudo rnetstat -tuan --table",
    "sudo rnetstat -tan --group program,state",
]

# Pixels. Most monospaced fonts are 0.6 times as wide as high.
SIZE, LINE, MARGIN = 14, 19, 16
ADVANCE = SIZE * 0.6
BACKGROUND, TEXT = "#0d1117", "#d1d7e0"
COLORS = {"31": "#ff7b72", "32": "#7ee787", "35": "#d2a8ff"}


def output(command):
    """Runs a command in a terminal, and returns what it prints there."""
    process, terminal = pty.fork()
    if process == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        program = os.environ.get("RNETSTAT_PROGRAM", PROJECT / "target/debug/rnetstat")
        arguments = command.removeprefix("sudo ").split()[1:]
        os.execve(program, ["rnetstat", *arguments], {"TERM": "xterm", "PATH": os.environ["PATH"]})
    text = b""
    try:
        while part := os.read(terminal, 4096):
            text += part
    except OSError:
        pass  # The end of a terminal is an error on Linux.
    os.waitpid(process, 0)
    return text.decode().replace("\r\n", "\n").rstrip("\n").split("\n")


def spans(line):
    """Splits a line at its escape sequences: pairs of a text and its attributes in SVG."""
    codes = set()
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if found := re.fullmatch(r"\x1b\[([0-9;]*)m", part):
            new = set(found[1].split(";")) - {""}
            codes = new - {"0"} if not new or "0" in new else codes | new
        elif part:
            fill = next((f' fill="{COLORS[code]}"' for code in codes if code in COLORS), "")
            bold = ' font-weight="bold"' if "1" in codes else ""
            faint = ' opacity="0.6"' if "2" in codes else ""
            yield part, fill + bold + faint


def svg(lines):
    width = round(COLUMNS * ADVANCE + 2 * MARGIN)
    height = len(lines) * LINE + 2 * MARGIN
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" role="img">')
    yield "<title>rnetstat in a terminal</title>"
    yield f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>'
    yield ("<g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" "
           f'font-size="{SIZE}" fill="{TEXT}">')
    for number, line in enumerate(lines):
        y = MARGIN + number * LINE + SIZE
        text, column = "", 0
        for part, attributes in spans(line):
            # Each part has its own place, so that the columns are straight in every font.
            x = round(MARGIN + column * ADVANCE, 1)
            attributes += f' x="{x:g}" textLength="{round(len(part) * ADVANCE, 1):g}"'
            text += f"<tspan{attributes}>{html.escape(part, quote=False)}</tspan>"
            column += len(part)
        yield f'<text y="{y}" xml:space="preserve">{text}</text>'
    yield "</g>"
    yield "</svg>"


def session():
    """Returns the lines of the commands and of their output."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    host = subprocess.Popen([sys.executable, PROJECT / "tests/programs/documented_host.py"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if host.stdout.readline() != "ready\n":
        sys.exit(f"{sys.argv[0]}: the host cannot be made")
    lines = []
    for command in COMMANDS:
        lines += [f"\x1b[1m$ {command}\x1b[0m", *output(command), ""]
    host.communicate()
    return lines[:-1]


if os.environ.get("PICTURE_HOST") is None:
    user = [] if os.geteuid() == 0 else ["-Ur"]
    namespaces = ["unshare", *user, "-npmf", "--mount-proc", "--kill-child"]
    done = subprocess.run([*namespaces, sys.executable, *sys.argv], env={**os.environ, "PICTURE_HOST": "yes"})
    sys.exit(done.returncode)
(PROJECT / "docs/terminal.svg").write_text("\n".join(svg(session())) + "\n")
