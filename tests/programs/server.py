"""The lab's TCP server, on a port of this host, or a UNIX one at a path: whichever is its argument.

Says its PID and which descriptor listens, and of each client which descriptor it has.
"""
import os
import socket
import sys

where = sys.argv[1]
if where.isdigit():
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.bind(("127.0.0.1", int(where)))
else:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(where)
server.listen()
print(f"{os.getpid()} {server.fileno()}", flush=True)
clients = []
while True:
    clients.append(server.accept()[0])
    print(clients[-1].fileno(), flush=True)
