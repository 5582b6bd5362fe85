"""Opens sockets of many kinds, and prints the PID and, as JSON, their names and inodes.

With the argument `all`, also of every other family that this kernel has. The kernel can load modules
for them.
"""
import json
import os
import socket
import sys

STREAM, DGRAM, RAW, RDM, SEQPACKET = 1, 2, 3, 4, 5
V4, V6 = socket.AF_INET, socket.AF_INET6
PACKET, NETLINK, VSOCK = 17, 16, 40
MPTCP, UDPLITE, SCTP, L2TP = 262, 136, 132, 115
ALL_PACKETS, IP_PACKETS = socket.htons(3), socket.htons(0x800)
kept, said = [], []


def make(name, family, kind, protocol=0, address=None, listen=False, connect=None):
    """Opens a socket if this kernel has its kind."""
    try:
        made = socket.socket(family, kind, protocol)
        if address is not None:
            made.bind(address)
        if listen:
            made.listen(5)
        if connect is not None:
            made.connect(connect)
    except OSError:
        return
    kept.append(made)
    said.append([name, os.fstat(made.fileno()).st_ino])
    if listen and family in (V4, V6):
        accept(name, made)


def accept(name, server):
    """Keeps a connection to this server."""
    client = socket.socket(server.family, server.type, server.proto)
    client.connect(server.getsockname())
    for end, made in ("client", client), ("accepted", server.accept()[0]):
        kept.append(made)
        said.append([f"{name} {end}", os.fstat(made.fileno()).st_ino])
    client.send(b"x" * 5000)


# Everyone may open sockets for pings.
try:
    with open("/proc/sys/net/ipv4/ping_group_range", "w") as groups:
        groups.write("0 2147483647")
except OSError:
    pass

for family, host, end in (V4, "127.0.0.1", ""), (V6, "::1", "6"):
    icmp = 1 if family == V4 else 58
    make(f"tcp{end}", family, STREAM, 0, (host, 6001), True)
    make(f"tcp{end} bound", family, STREAM, 0, (host, 6004))
    make(f"tcp{end} unbound", family, STREAM)
    make(f"mptcp{end}", family, STREAM, MPTCP, (host, 6030), True)
    make(f"mptcp{end} unbound", family, STREAM, MPTCP)
    make(f"udp{end}", family, DGRAM, 0, (host, 6002))
    make(f"udp{end} unbound", family, DGRAM)
    make(f"udplite{end}", family, DGRAM, UDPLITE, (host, 6003))
    make(f"raw{end}", family, RAW, icmp)
    make(f"ping{end}", family, DGRAM, icmp, (host, 0))
    make(f"ping{end} connected", family, DGRAM, icmp, connect=(host, 0))
make("packet", PACKET, RAW, ALL_PACKETS)
make("packet of lo", PACKET, DGRAM, IP_PACKETS, ("lo", 0x800))
make("packet silent", PACKET, RAW, 0)
make("netlink", NETLINK, RAW, 0, (0, 1))
make("netlink unbound", NETLINK, RAW, 4)
for kind in STREAM, DGRAM, SEQPACKET:
    make("unix", socket.AF_UNIX, kind, 0, f"\0kind{kind}")
    make("unix unbound", socket.AF_UNIX, kind)
if sys.argv[1:] == ["all"]:
    for kind in STREAM, SEQPACKET:
        make("vsock", VSOCK, kind, 0, (socket.VMADDR_CID_ANY, 6050 + kind), True)
    for family, host in (V4, "127.0.0.1"), (V6, "::1"):
        make("sctp", family, STREAM, SCTP, (host, 6010), True)
        make("sctp unbound", family, STREAM, SCTP)
        make("l2tp", family, DGRAM, L2TP)
    for family in range(3, 46):
        for kind in STREAM, DGRAM, RAW, RDM, SEQPACKET:
            make(f"family {family}, type {kind}", family, kind)
print(os.getpid(), json.dumps(said), flush=True)
sys.stdin.read()
