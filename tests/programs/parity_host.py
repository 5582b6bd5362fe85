"""Opens sockets of every kind and state that rnetstat lists and that do not change by themselves.

The arguments are an empty directory, and "root" if it may run programs as other users. Prints
"ready" when all sockets are open, and ends when stdin ends.
"""
import errno
import os
import socket
import struct
import subprocess
import sys
import threading
import time

STREAM, DGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
V4, V6 = socket.AF_INET, socket.AF_INET6
FAR_PEER = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "far_peer.py")
kept = []


def make(family, kind, address=None, reuse=False, protocol=0):
    made = socket.socket(family, kind, protocol)
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
    """Makes a connection, and returns the sockets of the client and of the server."""
    client = make(family or server.family, server.type)
    client.connect(address)
    accepted, _ = server.accept()
    kept.append(accepted)
    return client, accepted


def until(condition):
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            print("the host could not be made", flush=True)
            sys.exit(1)
        time.sleep(0.01)


def has(table, state):
    with open(f"/proc/net/{table}") as rows:
        return any(row.split()[3] == state for row in rows)


# IPv6 addresses of different lengths, on loopback.
LONG = ["2001:db8:1234:5678:9abc:def0:1234:5678", "2001:db8::1", "fd00:0:1:2:3:4:5:6", "fd00::1:0:0:1"]
for address in LONG:
    subprocess.run(["ip", "addr", "add", address + "/128", "dev", "lo", "nodad"], check=True)

def run(*words):
    subprocess.run(words, check=True)


def connect_when_routed(client, address):
    """The kernel adds the route to a new IPv6 address a little later."""
    end = time.monotonic() + 20
    while True:
        try:
            return client.connect(address)
        except OSError as error:
            if error.errno != errno.ENETUNREACH or time.monotonic() > end:
                raise
            time.sleep(0.01)


# Listeners, some with connections that are not accepted.
plain = listener(V4, ("127.0.0.1", 80))
everywhere = listener(V4, ("0.0.0.0", 8080))
plain6 = listener(V6, ("::1", 80))
dual = listener(V6, ("::", 443))
for _ in range(3):
    make(V4, STREAM).connect(("127.0.0.1", 8080))
make(V6, STREAM).connect(("::1", 443))
make(V4, STREAM, ("127.0.0.1", 7000))
make(V4, STREAM)

# Connections: IPv4, IPv4-mapped IPv6, IPv6 with long addresses.
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
    connect_when_routed(client, server.getsockname()[:2])
    kept.append(server.accept()[0])

# Queues: unread bytes at one end, unsent bytes at the other.
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

# UDP: bound, connected, unbound, dual-stack and IPv4-mapped, with unread datagrams.
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

# UDP-Lite, if the kernel has it, and raw sockets.
UDPLITE = 136
try:
    make(V4, DGRAM, protocol=UDPLITE).bind(("127.0.0.1", 5003))
    make(V4, DGRAM, protocol=UDPLITE).connect(("127.0.0.1", 5003))
    make(V6, DGRAM, protocol=UDPLITE).bind(("::1", 5003))
except OSError:
    pass
for protocol in 1, 103, 255:
    make(V4, socket.SOCK_RAW, protocol=protocol)
make(V4, socket.SOCK_RAW, protocol=17).bind(("127.0.0.1", 0))
make(V4, socket.SOCK_RAW, protocol=47).connect(("127.0.0.1", 0))
make(V6, socket.SOCK_RAW, protocol=58)
make(V6, socket.SOCK_RAW, protocol=89).connect(("::1", 0))

# SCTP, if the kernel has it: one and several addresses, IPv4 and IPv6, one-to-one and one-to-many.
SCTP, SCTP_SOCKOPT_BINDX_ADD = 132, 100


def sctp_server(family, kind, port, *addresses):
    server = make(family, kind, (addresses[0], port), protocol=SCTP)
    for address in addresses[1:]:
        # struct sockaddr_in, struct sockaddr_in6
        layout = "=H2s4x16s4x" if family == V6 else "=H2s4s8x"
        end = struct.pack(layout, family, port.to_bytes(2, "big"), socket.inet_pton(family, address))
        server.setsockopt(SCTP, SCTP_SOCKOPT_BINDX_ADD, end)
    server.listen()
    return server


def associate(server, address, family=None, kind=STREAM):
    client = make(family or server.family, kind, protocol=SCTP)
    client.connect(address)
    if server.type == STREAM:
        kept.append(server.accept()[0])
    return client


try:
    single = sctp_server(V4, STREAM, 5004, "127.0.0.1")
    several = sctp_server(V4, STREAM, 5005, "127.0.0.1", "127.0.0.2", "127.78.0.1")
    several6 = sctp_server(V6, STREAM, 5006, *LONG)
    everywhere = sctp_server(V6, STREAM, 5007, "::")
    many = sctp_server(V4, socket.SOCK_SEQPACKET, 5008, "127.0.0.1")
    associate(single, ("127.0.0.1", 5004)).send(b"x" * 100)
    associate(several, ("127.0.0.2", 5005))
    associate(several6, (LONG[1], 5006))
    associate(everywhere, ("127.0.0.1", 5007), V4)
    associate(many, ("127.0.0.1", 5008), kind=socket.SOCK_SEQPACKET)
    associate(many, ("127.0.0.1", 5008))
    make(V4, STREAM, protocol=SCTP).connect(("127.0.0.1", 5004))
except OSError:
    pass

# The subflows of an MPTCP socket have the same inode.
MPTCP = 262
try:
    server = make(V4, STREAM, ("0.0.0.0", 81 + 8000), protocol=MPTCP)
    run("ip", "mptcp", "limits", "set", "subflow", "2")
    run("ip", "mptcp", "endpoint", "add", "127.0.1.1", "dev", "lo", "subflow")
    server.listen()
    client = make(V4, STREAM, protocol=MPTCP)
    client.connect(("127.0.0.1", 8081))
    kept.append(server.accept()[0])
    client.sendall(b"x")
    until(lambda: ":1F91 0101007F:" in open("/proc/net/tcp").read())
except OSError:
    pass

# UNIX sockets of all types, with paths and abstract names, in all states.
os.chdir(sys.argv[1])
for number, (kind, name) in enumerate([(STREAM, sys.argv[1] + "/stream"), (STREAM, "relative"),
                                       (STREAM, "\0abstract"), (socket.SOCK_SEQPACKET, "\0packets"),
                                       (STREAM, "\0/nul\0nul\0"), (STREAM, "é-日本")]):
    server = make(socket.AF_UNIX, kind, name)
    server.listen(4)
    pair(server, name)
    client = make(socket.AF_UNIX, kind)
    client.connect(name)
make(socket.AF_UNIX, DGRAM, sys.argv[1] + "/datagrams")
make(socket.AF_UNIX, DGRAM).connect(sys.argv[1] + "/datagrams")
make(socket.AF_UNIX, DGRAM)
make(socket.AF_UNIX, STREAM, "\0bound")
make(socket.AF_UNIX, STREAM)
make(socket.AF_UNIX, STREAM, b"")
for kind in STREAM, DGRAM, socket.SOCK_SEQPACKET:
    kept.extend(socket.socketpair(socket.AF_UNIX, kind))

full = make(socket.AF_UNIX, STREAM, sys.argv[1] + "/full")
full.listen(0)
make(socket.AF_UNIX, STREAM).connect(sys.argv[1] + "/full")
waiting = make(socket.AF_UNIX, STREAM)
threading.Thread(target=waiting.connect, args=[sys.argv[1] + "/full"], daemon=True).start()
until(lambda: " 0000 04 " in open("/proc/net/unix").read())

# Sockets with several owners, owners with odd names, and sockets of other users.
shared = listener(V4, ("127.0.0.1", 8000))
for _ in range(2):
    listener(V4, ("127.0.0.1", 8001), reuse=True)
names = ["nginx: master process", "/usr/sbin/a name/with spaces", "worker: /x/y", "x" * 300, "naïve", "colon:"]
for number, name in enumerate(names):
    own = listener(V4, ("127.0.0.1", 9000 + number))
    kept.append(subprocess.Popen([name, "1000"], executable="/bin/sleep",
                                 pass_fds=[shared.fileno(), own.fileno()]))
    own.close()
other = """
import socket, time
kept = [socket.socket(f, k) for f in (socket.AF_INET, socket.AF_INET6) for k in (1, 2)]
for each in kept:
    each.bind(("127.0.0.1" if each.family == socket.AF_INET else "::1", 9100))
kept[0].listen()
kept[2].listen()
print("ready", flush=True)
time.sleep(1000)
"""


def run_as(user, program):
    """Runs a program until it has printed a line, as another user if that is allowed."""
    user = user if sys.argv[2] == "root" else None
    child = subprocess.Popen(["python3", "-c", program], executable="/usr/bin/python3",
                             user=user, group=user, stdout=subprocess.PIPE)
    kept.append(child)
    child.stdout.readline()


if sys.argv[2] == "root":
    for number, user in enumerate((1000, 33, 4000000)):
        run_as(user, other.replace("127.0.0.1", f"127.78.0.{number}").replace("::1", LONG[number]))

# Another namespace behind a veth pair. Later, packets to it are lost, but not packets from it.
far = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE)
kept.append(far)
far.stdout.readline()
inside = ["nsenter", f"--net=/proc/{far.pid}/ns/net"]
run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(far.pid))
run(*inside, "ip", "addr", "add", "10.77.0.2/24", "dev", "far")
run(*inside, "ip", "link", "set", "far", "up")
run("ip", "addr", "add", "10.77.0.1/24", "dev", "near")
run("ip", "link", "set", "near", "up")
run("ip", "addr", "add", "fe80::77/64", "dev", "near", "nodad")
scope = socket.if_nametoindex("near")
listener(V6, ("fe80::77", 8500, 0, scope))
make(V6, DGRAM, ("fe80::77", 8500, 0, scope)).connect(("fe80::78", 9, 0, scope))
# Listeners of other users, whose connections stay in SYN_RECV and belong to the same users.
for user, address in (1000, "10.77.0.1"), (33, "::"):
    run_as(user, f"""
import socket, time
ipv6 = ":" in "{address}"
listener = socket.create_server(("{address}", 8600 + {user}), dualstack_ipv6=ipv6,
                                family=socket.AF_INET6 if ipv6 else socket.AF_INET)
print("ready", flush=True)
time.sleep(1000)
""")
peer = subprocess.Popen([*inside, "python3", FAR_PEER, "10.77.0.2"],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
kept.append(peer)
peer.stdout.readline()


def tell(command):
    print(command, file=peer.stdin, flush=True)
    return peer.stdout.readline().strip()


fin_wait1, closing, last_ack, established = [make(V4, STREAM) for _ in range(4)]
for number, client in enumerate([fin_wait1, closing, last_ack, established]):
    client.connect(("10.77.0.2", 7))
    until(lambda: tell("count") == str(number + 1))
run("ip", "neigh", "replace", "10.77.0.2", "lladdr", "02:00:00:00:00:09", "dev", "near", "nud", "permanent")
fin_wait1.shutdown(socket.SHUT_WR)
closing.shutdown(socket.SHUT_WR)
tell("finish 1")
tell("finish 2")
until(lambda: has("tcp", "0B"))
until(lambda: "0007 08 " in open("/proc/net/tcp").read())
last_ack.close()
syn_sent = make(V4, STREAM)
syn_sent.setblocking(False)
syn_sent.connect_ex(("10.77.0.2", 7))
tell("connect 10.77.0.1 9600")
tell("connect 10.77.0.1 8633")
established.send(b"unanswered")

for number in range(1, 12):
    if number != 7:
        until(lambda: has("tcp", f"{number:02X}"))
until(lambda: has("tcp6", "03") and has("tcp6", "06"))
print("ready", flush=True)
sys.stdin.read()
