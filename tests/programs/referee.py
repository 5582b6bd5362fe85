"""Opens sockets whose facts ss shows: devices, users, timers, full queues, names. Prints "ready"."""
import os
import socket
import sys

V4, V6, STREAM, DGRAM = socket.AF_INET, socket.AF_INET6, socket.SOCK_STREAM, socket.SOCK_DGRAM
VSOCK = 40


def make(family, kind, address=None, device=None, ipv6_only=None):
    made = socket.socket(family, kind)
    if device is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    if ipv6_only is not None:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, ipv6_only)
    if address is not None:
        made.bind(address)
    return made


def listening(made, backlog=7):
    made.listen(backlog)
    return made


kept = [
    make(V4, DGRAM, ("127.0.0.1", 7001), b"lo"),
    make(V4, DGRAM, ("0.0.0.0", 7002)),
    make(V6, DGRAM, ("::", 7003), ipv6_only=0),
    make(V6, DGRAM, ("::", 7004), ipv6_only=1),
    listening(make(V6, STREAM, ("::", 7005), ipv6_only=0)),
    listening(make(V6, STREAM, ("::", 7006), ipv6_only=1)),
    listening(make(V4, STREAM, ("127.0.0.1", 7007), b"lo")),
]
os.seteuid(1000)
kept += [make(V4, DGRAM, ("127.0.0.1", 7008)), listening(make(V4, STREAM, ("127.0.0.1", 7009)))]
os.seteuid(0)
# A timer, and bytes that wait to be read and sent.
server = listening(make(V4, STREAM, ("127.0.0.1", 7010)))
client = socket.create_connection(server.getsockname())
client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
accepted = server.accept()[0]
client.send(b"x" * 777)
waiting = socket.create_connection(server.getsockname())
udp = make(V4, DGRAM)
udp.connect(("127.0.0.1", 7001))
udp.send(b"x" * 50)
kept += [server, client, accepted, waiting, udp]
# UNIX sockets: a server with a waiting connection, two ends of a connection, and a pair.
server = listening(make(socket.AF_UNIX, STREAM, "\0server"))
for _ in range(2):
    client = socket.socket(socket.AF_UNIX)
    client.connect("\0server")
    kept.append(client)
kept += [server, server.accept()[0], *socket.socketpair(socket.AF_UNIX, DGRAM)]
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
netlink.bind((4294963143, 0))
kept.append(netlink)
print("ready", flush=True)
sys.stdin.read()
