"""The far end of a cable: a peer for connections that are to be held half way.

Listens on port 7 of the address that it is given and accepts. Reads commands from standard input,
and answers each with a line: "count" says how many connections there are, "finish N" ends the
sending of the Nth, "connect ADDRESS PORT" starts a connection and does not wait for it.
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
