"""Two TCP connections over the loopback device. The client of the first sends this many bytes, and the
server answers. With a second argument, the client of the second sends this many bytes per second.

Prints "ready" once the bytes have arrived.
"""
import socket
import sys
import threading
import time

SIZE = int(sys.argv[1])
server = socket.create_server(("127.0.0.1", 7000))
clients, accepted = [], []
for _ in range(2):
    clients.append(socket.create_connection(server.getsockname()))
    accepted.append(server.accept()[0])


def receive(connection, size):
    while size > 0:
        size -= len(connection.recv(min(size, 65536)))


if SIZE:
    sender = threading.Thread(target=clients[0].sendall, args=(b"x" * SIZE,))
    sender.start()
    receive(accepted[0], SIZE)
    sender.join()
    accepted[0].sendall(b"thanks")
    receive(clients[0], 6)


def drain():
    while accepted[1].recv(1 << 20):
        pass


def send(speed):
    """Sends a piece every hundredth of a second. A late piece is made up for."""
    start, sent = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - start) * speed) - sent
        if due > 0:
            clients[1].sendall(b"x" * due)
            sent += due
        time.sleep(0.01)


if sys.argv[2:]:
    threading.Thread(target=drain, daemon=True).start()
    threading.Thread(target=send, args=(float(sys.argv[2]),), daemon=True).start()
    time.sleep(0.2)
print("ready", flush=True)
sys.stdin.read()
