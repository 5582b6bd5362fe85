"""A server in a network namespace that other processes enter and end in, as zombies for a while.

Prints the PID of the server, which listens on port 5000. The PIDs of the others are lower. When
stdin ends, prints how many of them have ended.
"""
import ctypes
import os
import random
import select
import socket
import sys
import time

CLONE_NEWNET = 0x40000000
SERVER = 20000  # the PID before that of the server
libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), "namespace")


def next_pid(last):
    with open("/proc/sys/kernel/ns_last_pid", "w") as file:
        file.write(str(last))


def serve(ready):
    check(libc.unshare(CLONE_NEWNET))
    os.system("ip link set lo up")
    server = socket.socket()
    server.bind(("127.0.0.1", 5000))
    server.listen(1)
    # The test reads the pipe of the first process to its end.
    for fd in 0, 1:
        os.dup2(os.open(os.devnull, os.O_RDWR), fd)
    os.write(ready, b"x")
    time.sleep(10000)


own = os.getpid()
next_pid(SERVER)
reading, writing = os.pipe()
server = os.fork()
if server == 0:
    serve(writing)
os.read(reading, 1)
namespace = os.open(f"/proc/{server}/ns/net", os.O_RDONLY)
next_pid(own + 100)
print(server, flush=True)
ended = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    child = os.fork()
    if child == 0:
        check(libc.setns(namespace, CLONE_NEWNET))
        time.sleep(random.uniform(0, 0.02))
        os._exit(0)
    time.sleep(random.uniform(0, 0.04))
    os.waitpid(child, 0)
    ended += 1
print(ended, flush=True)
os._exit(0)
