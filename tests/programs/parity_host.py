"""A host as rich as it can be held still: sockets of every kind that rnetstat lists.

Prints "ready" when all is set up, and ends when its standard input does.
"""
import os
import socket
import subprocess
import sys
import time

STREAM, DGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
V4, V6 = socket.AF_INET, socket.AF_INET6
kept = []


def make(family, kind, address=None, reuse=False):
    made = socket.socket(family, kind)
    kept.append(made)
    if reuse:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if address:
        made.bind(address)
    return made


def listener(family, address, backlog=8, reuse=False):
    made = make(family, STREAM, address, reuse)
    made.listen(backlog)
    return made


def pair(server, address, family=None):
    """A connection to a listener: the client's end and the server's."""
    client = make(family or server.family, STREAM)
    client.connect(address)
    accepted, _ = server.accept()
    kept.append(accepted)
    return client, accepted


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("the host could not be made")
        time.sleep(0.01)


def has(table, state):
    with open(f"/proc/net/{table}") as rows:
        return any(row.split()[3] == state for row in rows)


# Addresses of all lengths, on loopback.
LONG = ["2001:db8:1234:5678:9abc:def0:1234:5678", "2001:db8::1", "fd00:0:1:2:3:4:5:6", "fd00::1:0:0:1"]
for address in LONG:
    subprocess.run(["ip", "addr", "add", address + "/128", "dev", "lo", "nodad"], check=True)

# Listeners, some with connections that nobody has accepted.
plain = listener(V4, ("127.0.0.1", 80))
everywhere = listener(V4, ("0.0.0.0", 8080))
plain6 = listener(V6, ("::1", 80))
dual = listener(V6, ("::", 443))
for _ in range(3):
    make(V4, STREAM).connect(("127.0.0.1", 8080))
make(V6, STREAM).connect(("::1", 443))
make(V4, STREAM, ("127.0.0.1", 7000))
make(V4, STREAM)

# Connections: IPv4, IPv6 with long addresses, IPv4 mapped to IPv6.
pair(plain, ("127.0.0.1", 80))
pair(plain6, ("::1", 80))
pair(dual, ("127.0.0.1", 443), V4)
pair(dual, ("127.200.201.202", 443), V4)
mapped = make(V6, STREAM)
mapped.connect(("::ffff:127.0.0.1", 80))
kept.append(plain.accept()[0])
for number, address in enumerate(LONG):
    server = listener(V6, (address, 55000 + number))
    client = make(V6, STREAM, (LONG[-1 - number], 9 + 5000 * number))
    client.connect(server.getsockname()[:2])
    kept.append(server.accept()[0])

# Queues: unread on one end, unsent on the other.
client, accepted = pair(plain, ("127.0.0.1", 80))
client.sendall(b"x" * 1234)
narrow = listener(V4, ("127.0.0.1", 81))
narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
client, accepted = pair(narrow, ("127.0.0.1", 81))
client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
client.setblocking(False)
try:
    while True:
        client.send(b"x" * 4096)
except BlockingIOError:
    pass

# Half closed, and closed.
client, accepted = pair(plain, ("127.0.0.1", 80))
client.shutdown(socket.SHUT_WR)
client, accepted = pair(plain6, ("::1", 80))
accepted.shutdown(socket.SHUT_WR)
for server, address in (plain, ("127.0.0.1", 80)), (plain6, ("::1", 80)), (dual, ("127.0.0.1", 443)):
    client, accepted = pair(server, address, V4 if server is dual else None)
    client.close()
    accepted.close()

# UDP: bound, connected, unbound, dual and mapped, with datagrams unread.
receiver = make(V4, DGRAM, ("127.0.0.1", 5000))
make(V4, DGRAM).connect(("127.0.0.1", 5000))
sender = make(V4, DGRAM)
sender.sendto(b"x" * 100, ("127.0.0.1", 5000))
make(V4, DGRAM, ("0.0.0.0", 68))
make(V6, DGRAM, ("::", 546))
make(V6, DGRAM, ("::1", 5001)).connect(("::1", 546))
make(V6, DGRAM, ("::ffff:127.0.0.1", 5002))
make(V6, DGRAM).connect(("::ffff:127.0.0.1", 5000))
make(V6, DGRAM, (LONG[0], 53)).connect((LONG[2], 65535))

# Sockets that several processes hold, under names of their own, and of another user.
shared = listener(V4, ("127.0.0.1", 8000))
for _ in range(2):
    listener(V4, ("127.0.0.1", 8001), reuse=True)
names = ["nginx: master process", "/usr/sbin/a name/with spaces", "worker: /x/y", "x" * 300, "naïve", "colon:"]
for number, name in enumerate(names):
    own = listener(V4, ("127.0.0.1", 9000 + number))
    kept.append(subprocess.Popen([name, "1000"], executable="/bin/sleep",
                                 pass_fds=[shared.fileno(), own.fileno()]))
    own.close()
if os.getuid() == 0 and len(open("/proc/self/uid_map").readlines()[0].split()[2]) > 1:
    kept.append(subprocess.Popen(["python3", "-c", "import socket, time;"
        "a = socket.socket(); a.bind(('127.0.0.1', 9100)); a.listen();"
        "b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); b.bind(('127.0.0.1', 9100));"
        "time.sleep(1000)"], executable="/usr/bin/python3", user=1000, group=1000))
    until(lambda: ":238C " in open("/proc/net/udp").read())

for state in "01", "05", "06", "08", "0A":
    until(lambda: has("tcp", state))
until(lambda: has("tcp6", "06"))
print("ready", flush=True)
sys.stdin.read()
