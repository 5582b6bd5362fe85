"""Two servers whose connections grow in number, on a host with many idle processes.

The server on port 7001 forks a child for each connection, which keeps it. The server on port 7002
keeps all connections itself. Both often accept a connection late, because other programs run
first. Prints "ready".
"""
import os
import signal
import socket
import sys
import time

IDLE = 60  # with this many processes, rnetstat reads the tables while it sweeps them
RATE = 60  # connections per second to each server


def start(work, *arguments):
    if os.fork() == 0:
        try:
            for fd in 0, 1:
                os.dup2(os.open(os.devnull, os.O_RDWR), fd)
            work(*arguments)
        finally:
            os._exit(1)


def fork_for_each(server):
    os.nice(19)
    while True:
        connection, _ = server.accept()
        if os.fork() == 0:
            server.close()
            signal.pause()
        connection.close()


def keep_all(server):
    os.nice(19)
    kept = []
    while True:
        kept.append(server.accept()[0])


def connect(servers):
    kept = []
    while True:
        kept += [socket.create_connection(server.getsockname()) for server in servers]
        time.sleep(1 / RATE)


servers = []
for port, work in (7001, fork_for_each), (7002, keep_all):
    server = socket.socket()
    server.bind(("127.0.0.1", port))
    server.listen(100)
    start(work, server)
    servers.append(server)
for _ in range(IDLE):
    start(signal.pause)
start(connect, servers)
first = [socket.create_connection(server.getsockname()) for server in servers]
print("ready", flush=True)
sys.stdin.read()
os._exit(0)
