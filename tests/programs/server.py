"""A server: on a TCP port of this host, or on a UNIX socket if its argument is a path.

Prints its PID and the descriptor of the listening socket, then the descriptor of each accepted
connection.
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
