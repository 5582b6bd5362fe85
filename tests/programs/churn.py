"""Opens sockets that stay, while other processes and sockets come and go.

Prints a line "TABLE INODE PID" for each socket that stays, then "ready". When stdin ends, prints
how many processes and sockets have come and gone.
"""
import mmap
import os
import random
import resource
import signal
import socket
import struct
import sys
import time

EACH = 250  # sockets of each kind that stay
OWNERS = 5
CHURNERS = 4
PAUSE = 0.02  # longest pause between two steps in seconds, which leaves time to rnetstat

_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
for name, value in [("core/somaxconn", "65535"), ("ipv4/tcp_max_tw_buckets", "0")]:
    try:
        with open(f"/proc/sys/net/{name}", "w") as file:
            file.write(value)
    except OSError:
        pass  # in older kernels this setting does not belong to the namespace


def udp(family, host):
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.bind((host, 0))
    return made


def listener(family, host):
    made = socket.socket(family, socket.SOCK_STREAM)
    made.bind((host, 0))
    made.listen(8)
    return made


def connection(family, host):
    with listener(family, host) as server:
        client = socket.create_connection(server.getsockname()[:2])
        return client, server.accept()[0]


def unix(number):
    made = socket.socket(socket.AF_UNIX, random.choice([socket.SOCK_STREAM, socket.SOCK_DGRAM]))
    made.bind(f"\0{number}")
    return made


def steady(owner):
    for number in range(EACH // OWNERS):
        yield "udp", udp(socket.AF_INET, "127.0.0.1")
        yield "udp6", udp(socket.AF_INET6, "::1")
        yield "tcp", listener(socket.AF_INET, "127.0.0.1")
        yield "tcp6", listener(socket.AF_INET6, "::1")
        yield from (("tcp", end) for end in connection(socket.AF_INET, "127.0.0.1"))
        yield from (("tcp6", end) for end in connection(socket.AF_INET6, "::1"))
        yield "unix", unix(f"steady {owner} {number}")
        yield from (("unix", end) for end in socket.socketpair())


def some():
    """Opens a few sockets of a random kind."""
    kind = random.randrange(5)
    if kind == 0:
        return [udp(socket.AF_INET, "127.0.0.1") for _ in range(20)]
    if kind == 1:
        return [udp(socket.AF_INET6, "::1") for _ in range(20)]
    if kind == 2:
        return [listener(socket.AF_INET, "127.0.0.1") for _ in range(8)]
    if kind == 3:
        return [end for _ in range(4) for end in connection(socket.AF_INET, "127.0.0.1")]
    return [end for _ in range(20) for end in socket.socketpair()]


counts = mmap.mmap(-1, 16 * CHURNERS)


def churn(churner):
    processes = sockets = 0
    random.seed(churner)
    kept = []
    while True:
        made = some()
        sockets += len(made)
        kept += made
        if len(kept) > random.randrange(400):
            random.shuffle(kept)
            del kept[random.randrange(len(kept)):]
        time.sleep(random.uniform(0, PAUSE))
        processes += 1
        child = os.fork()
        if child == 0:
            inherited = some()
            for each in inherited:
                os.set_inheritable(each.fileno(), True)
            if random.random() < 0.3:
                os.execv("/bin/sleep", ["a sleeper", "0.02"])
            os._exit(0)
        if random.random() < 0.5:
            os.waitpid(-1, 0)
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break
        counts[16 * churner:16 * churner + 16] = struct.pack("=QQ", processes, sockets)


def start(work):
    pid = os.fork()
    if pid == 0:
        try:
            # The test reads the pipe of the first process to its end. Only that process may keep
            # the pipe open.
            for fd in 0, 1:
                os.dup2(os.open(os.devnull, os.O_RDWR), fd)
            work()
        finally:
            os._exit(1)


for owner in range(OWNERS):
    reading, writing = os.pipe()

    def keep():
        kept = list(steady(owner))
        lines = [f"{table} {os.fstat(it.fileno()).st_ino} {os.getpid()}\n" for table, it in kept]
        with os.fdopen(writing, "w") as out:
            out.writelines(lines)
        signal.pause()

    start(keep)
    os.close(writing)
    with os.fdopen(reading) as lines:
        sys.stdout.write(lines.read())
for churner in range(CHURNERS):
    start(lambda: churn(churner))
print("ready", flush=True)
sys.stdin.read()
numbers = struct.unpack(f"={2 * CHURNERS}Q", counts[:])
print(sum(numbers[::2]), sum(numbers[1::2]), flush=True)
os._exit(0)
