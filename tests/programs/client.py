"""Connects to server.py, sends its second argument, prints its PID and the descriptor of the connection,
and waits."""
import os
import socket
import sys

where = sys.argv[1]
if where.isdigit():
    client = socket.create_connection(("127.0.0.1", int(where)))
else:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(where)
client.sendall("".join(sys.argv[2:]).encode())
print(f"{os.getpid()} {client.fileno()}", flush=True)
sys.stdin.read()
