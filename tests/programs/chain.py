"""Opens sockets of one kind that share a hash chain of the kernel, while others in it come and go.

Arguments: the kind, and the number of sockets that stay. Prints the PID, then for each socket that
stays its inode, or the ports of its ends if it has no inode, then "ready".
"""
import ctypes
import os
import random
import resource
import socket
import struct
import sys
import time

PORT = 443
CHURNERS = 2
BATCH = 20

kind, count = sys.argv[1], int(sys.argv[2])
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def write(name, value):
    try:
        with open(f"/proc/sys/net/ipv4/{name}", "w") as file:
            file.write(value)
    except OSError:
        pass  # older kernels do not have this setting


def udp(number):
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", PORT))
    made.connect((f"127.1.{number // 250 % 250}.{1 + number % 250}", 1024 + number // 62500))
    return made


def listener(_):
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(("127.0.0.1", PORT))
    made.listen(4)
    return made


def raw(_):
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


def unix(_):
    return socket.socketpair()[0]


def server():
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen(100)
    return made


def connection(listener):
    client = socket.create_connection(listener.getsockname())
    return client, listener.accept()[0]


def churn_sockets(make, number):
    kept = []
    while True:
        for _ in range(BATCH):
            number += 1
            kept.append(make(number))
        random.shuffle(kept)
        del kept[random.randrange(len(kept)):]
        time.sleep(0.001)


def churn_connections():
    listener, kept = server(), []
    while True:
        kept += [connection(listener) for _ in range(BATCH)]
        random.shuffle(kept)
        for end in [end for pair in kept[60:] for end in pair]:
            # A reset, so that nothing stays in TIME_WAIT.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()
        del kept[60:]
        time.sleep(0.002)


def start(work, *arguments):
    if os.fork() == 0:
        try:
            for fd in 0, 1:
                os.dup2(os.open(os.devnull, os.O_RDWR), fd)
            work(*arguments)
        finally:
            os._exit(1)


def time_wait():
    """Makes a network namespace with a small table of connections, and connections that wait."""
    CLONE_NEWNET = 0x40000000
    write("tcp_child_ehash_entries", "16")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    os.system("ip link set lo up")
    write("tcp_tw_reuse", "0")
    write("tcp_max_tw_buckets", "100000")
    for _ in range(CHURNERS):
        start(churn_connections)
    listener = server()
    for _ in range(count):
        client, accepted = connection(listener)
        ends = client.getsockname()[1], client.getpeername()[1]
        client.close()
        accepted.recv(1)
        accepted.close()
        yield "{}-{}".format(*ends)


def steady():
    make = {"udp": udp, "tcp": listener, "raw": raw, "unix": unix}[kind]
    # Some come and go on each side of those that stay.
    start(churn_sockets, make, 100_000)
    time.sleep(0.2)
    kept.extend(make(number) for number in range(count))
    start(churn_sockets, make, 200_000)
    return [os.fstat(it.fileno()).st_ino for it in kept]


kept = []
lines = list(time_wait() if kind == "time_wait" else steady())
print(os.getpid(), *lines, "ready", sep="\n", flush=True)
sys.stdin.read()
os._exit(0)
