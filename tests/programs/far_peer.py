"""The peer of connections that stay in a state such as FIN_WAIT1.

Listens on port 7 of the address in its argument, and accepts. Reads commands from stdin: "finish N"
shuts down the sending side of connection N, from 0; "connect ADDRESS PORT" starts a connection
without waiting for it; "count" does nothing. Answers each command with the number of accepted
connections.
"""
import socket
import sys
import threading

accepted = []
started = []
server = socket.create_server((sys.argv[1], 7))


def accept():
    while True:
        accepted.append(server.accept()[0])


threading.Thread(target=accept, daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    command, *words = line.split()
    if command == "finish":
        accepted[int(words[0])].shutdown(socket.SHUT_WR)
    elif command == "connect":
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((words[0], int(words[1])))
        started.append(client)
    print(len(accepted), flush=True)
