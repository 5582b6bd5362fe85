"""Opens, binds, connects and closes sockets of several kinds all the time. Prints "ready", and at the
end the number of sockets that it opened."""
import random
import select
import socket
import sys

server = socket.create_server(("127.0.0.1", 0), backlog=100)
NETLINK, PACKET = 16, 17


def unbound():
    return [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(5)]


def bound():
    made = unbound()
    for each in made:
        each.bind(("127.0.0.1", 0))
    return made


def connection():
    client = socket.create_connection(server.getsockname())
    return [client, server.accept()[0]]


def pairs():
    return [end for _ in range(5) for end in socket.socketpair()]


def others():
    families = (socket.AF_INET, 1), (socket.AF_INET6, 58), (NETLINK, 0), (PACKET, 0)
    return [socket.socket(family, socket.SOCK_RAW, protocol) for family, protocol in families]


kept, count = [], 0
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0.0005)[0]:
    made = random.choice([unbound, bound, connection, pairs, others])()
    count += len(made)
    kept += made
    random.shuffle(kept)
    for each in kept[:3]:
        try:
            each.bind(("127.0.0.1", 0))
        except (OSError, TypeError):
            pass  # it has an address already, or another family
    for each in kept[60:]:
        each.close()
    del kept[60:]
print(count, flush=True)
