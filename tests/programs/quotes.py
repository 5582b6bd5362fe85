"""A server on a TCP port of this host: sends one line to each client, and then closes its direction of the
connection. Prints `ready`, and a line for each client."""
import socket
import sys

server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
clients = []
while True:
    client, _ = server.accept()
    client.sendall(b"Simple is better than complex.\n")
    client.shutdown(socket.SHUT_WR)
    clients.append(client)
    print("served", flush=True)
