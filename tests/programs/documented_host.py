"""Makes the host of the examples in README.md, docs/ and docs/terminal.svg, and prints `ready`.

Needs network, PID and mount namespaces of its own, where it is root, and a loopback device that is up.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

PROGRAMS = pathlib.Path(__file__).parent
FILES = {
    "/etc/hosts": "127.0.0.1 localhost\n",
    "/etc/services": "ssh 22/tcp\nhttps 443/tcp\nhttp-alt 8080/tcp\n",
    # The tests also run without root, so this is the only user.
    "/etc/passwd": "student:x:0:0::/:/bin/sh\n",
    "/etc/nsswitch.conf": "passwd: files\nhosts: files\nservices: files\n",
}
ESTABLISHED, FIN_WAIT2, CLOSE_WAIT, LISTEN = "01", "05", "08", "0A"
running = []


def put(path, content):
    """Mounts a file with this content over a file."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(content)
        file.flush()
        os.chmod(file.name, 0o644)
        subprocess.run(["mount", "--bind", file.name, path], check=True)


def start(pid, *arguments):
    """Starts a Python program with this PID."""
    # `man 5 proc_sys_kernel`: the next process gets the next PID.
    pathlib.Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
    program = subprocess.Popen(["python3", *arguments], cwd=PROGRAMS, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if program.pid != pid:
        sys.exit(f"the PID is {program.pid}, not {pid}")
    running.append(program)
    return program


def wait_for_states(*states):
    """Waits until these are the states of all TCP sockets (`include/net/tcp_states.h` of the kernel)."""
    while True:
        rows = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
        if sorted(row.split()[3] for row in rows) == sorted(states):
            return
        time.sleep(0.01)


for path, content in FILES.items():
    put(path, content)
start(812, "-m", "http.server", "8000")
wait_for_states(LISTEN)
start(3261, "receiver.py").stdout.readline()
server = start(3304, "server.py", "8080")
server.stdout.readline()
start(3310, "client.py", "8080").stdout.readline()
server.stdout.readline()
quotes = start(4127, "quotes.py", "1717")
quotes.stdout.readline()
start(4130, "client.py", "1717").stdout.readline()
quotes.stdout.readline()
# The end of one direction is confirmed a little later.
wait_for_states(LISTEN, LISTEN, LISTEN, ESTABLISHED, ESTABLISHED, FIN_WAIT2, CLOSE_WAIT)
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
