"""Opens sockets of many kinds, and prints the PID and, as JSON, their names and inodes.

A name is the protocol, and what kind of socket of that protocol it is.

With the argument `all`, also of every other family that this kernel has. The kernel can load modules
for them.
"""
import contextlib
import ctypes
import errno
import json
import os
import socket
import struct
import subprocess
import sys

STREAM, DGRAM, RAW, RDM, SEQPACKET, DCCP_TYPE = 1, 2, 3, 4, 5, 6
V4, V6 = socket.AF_INET, socket.AF_INET6
NETLINK, PACKET, BLUETOOTH, VSOCK, SMC = 16, 17, 31, 40, 43
TCP, DCCP, L2TP, SCTP, UDPLITE, MPTCP = 6, 33, 115, 132, 136, 262
ALL_PACKETS, IP_PACKETS = socket.htons(3), socket.htons(0x800)
OF_LO = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
OF_VRF = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"vrf0")
SMALL = (socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
DEFERRED = (TCP, socket.TCP_DEFER_ACCEPT, 100)
FAST_OPEN = (TCP, 23, 5)
DCCP_SERVICE = (269, 2, struct.pack("!I", 42))
libc = ctypes.CDLL(None, use_errno=True)
kept, said = [], []


def keep(name, made):
    kept.append(made)
    said.append([name, os.fstat(made.fileno()).st_ino])


def bind(made, address):
    """Binds a socket; `bytes` are an address of a family that Python does not know."""
    if not isinstance(address, bytes):
        made.bind(address)
    elif libc.bind(made.fileno(), address, len(address)) != 0:
        raise OSError(ctypes.get_errno(), "bind")


def make(name, family, kind, protocol=0, address=None, listen=False, connect=None, options=()):
    """Opens a socket if this kernel has its kind."""
    with contextlib.suppress(OSError):
        made = socket.socket(family, kind, protocol)
        for option in options:
            made.setsockopt(*option)
        if address is not None:
            bind(made, address)
        if listen:
            made.listen(5)
        if connect is not None:
            made.connect(connect)
        keep(name, made)
        return made
    return None


def listen(name, family, kind, protocol, address, options=()):
    return make(f"{name} server", family, kind, protocol, address, listen=True, options=options)


def serve(name, family, kind, protocol, address, target=None, options=()):
    """Opens a server with a connection."""
    server = listen(name, family, kind, protocol, address, options)
    if server is None:
        return
    target = target or server.getsockname()
    client = make(f"{name} client", family, kind, protocol, connect=target, options=options)
    if client is None:
        return
    accepted = server.accept()[0]
    keep(f"{name} accepted", accepted)
    if family in (V4, V6) and kind == STREAM:
        client.send(b"x" * 5000)
        accepted.send(b"y")


def drop(name, family, kind, protocol, address):
    """Opens a socket that has dropped datagrams."""
    receiver = make(name, family, kind, protocol, address, options=[SMALL])
    if receiver is None:
        return
    with socket.socket(family, kind, protocol) as sender:
        for _ in range(50):
            sender.sendto(b"x" * 600, address)


def usual():
    """What kernels have without modules."""
    for family, host, end in (V4, "127.0.0.1", ""), (V6, "::1", "6"):
        icmp = 1 if family == V4 else 58
        serve(f"tcp{end}", family, STREAM, 0, (host, 6001))
        make(f"tcp{end} bound", family, STREAM, 0, (host, 6004))
        make(f"tcp{end} unbound", family, STREAM)
        listen(f"tcp{end} of lo", family, STREAM, 0, (host, 6005), [OF_LO])
        serve(f"mptcp{end}", family, STREAM, MPTCP, (host, 6030))
        make(f"mptcp{end} unbound", family, STREAM, MPTCP)
        make(f"udp{end} bound", family, DGRAM, 0, (host, 6002))
        make(f"udp{end} connected", family, DGRAM, 0, connect=(host, 6002))
        make(f"udp{end} unbound", family, DGRAM)
        make(f"udp{end} of lo", family, DGRAM, 0, (host, 6061), options=[OF_LO])
        drop(f"udp{end} drops", family, DGRAM, 0, (host, 6060))
        make(f"udplite{end} bound", family, DGRAM, UDPLITE, (host, 6003))
        make(f"raw{end} unbound", family, RAW, icmp)
        make(f"raw{end} bound", family, RAW, 255, (host, 0))
        make(f"raw{end} of lo", family, RAW, 223, options=[OF_LO])
        drop(f"raw{end} drops", family, RAW, 222, (host, 0))
        make(f"icmp{end} bound", family, DGRAM, icmp, (host, 0))
        make(f"icmp{end} connected", family, DGRAM, icmp, connect=(host, 0))
    make("packet of all", PACKET, RAW, ALL_PACKETS)
    make("packet of lo", PACKET, DGRAM, IP_PACKETS, ("lo", 0x800))
    make("packet silent", PACKET, RAW, 0)
    make("netlink route", NETLINK, RAW, 0, (0, 1))
    make("netlink uevent", NETLINK, RAW, 15, (0, 2))
    make("netlink generic", NETLINK, RAW, 16, (0, 0))
    make("netlink unbound", NETLINK, RAW, 4)
    for kind, word in (STREAM, "stream"), (DGRAM, "dgram"), (SEQPACKET, "seqpacket"):
        make(f"unix {word} unbound", socket.AF_UNIX, kind)
    # The kernel makes it a datagram socket.
    make("unix raw unbound", socket.AF_UNIX, RAW)
    make("unix dgram", socket.AF_UNIX, DGRAM, 0, "\0kind-dgram")
    serve("unix stream", socket.AF_UNIX, STREAM, 0, "\0kind-stream")
    serve("unix seqpacket", socket.AF_UNIX, SEQPACKET, 0, "\0kind-seqpacket")


def has(family):
    """Returns true if this kernel has a family. Asking for a type makes it look for modules."""
    try:
        socket.socket(family, STREAM).close()
    except OSError as error:
        return error.errno != errno.EAFNOSUPPORT
    return True


def internet_protocols():
    """Internet sockets that need modules, a device, or a handshake that does not end."""
    for command in "add vrf0 type vrf table 10", "set vrf0 up":
        subprocess.run(["ip", "link", *command.split()], stderr=subprocess.DEVNULL)
    for family, host, end in (V4, "127.0.0.1", ""), (V6, "::1", "6"):
        every_address = ("", 6062) if family == V4 else ("::", 6066)
        listen(f"tcp{end} of vrf0", family, STREAM, 0, every_address, [OF_VRF])
        listen(f"tcp{end} deferred", family, STREAM, 0, (host, 6063), [DEFERRED])
        make(f"tcp{end} deferred client", family, STREAM, connect=(host, 6063))
        listen(f"tcp{end} fast open", family, STREAM, 0, (host, 6064), [FAST_OPEN])
        serve(f"sctp{end}", family, STREAM, SCTP, (host, 6010))
        listen(f"sctp{end} one-to-many", family, SEQPACKET, SCTP, (host, 6011))
        make(f"sctp{end} bound", family, STREAM, SCTP, (host, 6013))
        make(f"sctp{end} unbound", family, STREAM, SCTP)
        serve(f"dccp{end}", family, DCCP_TYPE, DCCP, (host, 6020), options=[DCCP_SERVICE])
        make(f"l2tp{end} unbound", family, DGRAM, L2TP)
    serve("sctp6 any", V6, STREAM, SCTP, ("::", 6012), target=("::ffff:127.0.0.1", 6012))
    smc = struct.pack("=HH4s8x", V4, socket.htons(6040), b"\x7f\0\0\1")
    listen("smc", SMC, STREAM, 0, smc)


def other_families():
    """Sockets of families that need modules."""
    local = 1
    serve("vsock", VSOCK, STREAM, 0, (socket.VMADDR_CID_ANY, 6050), target=(local, 6050))
    listen("vsock seqpacket", VSOCK, SEQPACKET, 0, (socket.VMADDR_CID_ANY, 6051))
    # TIPC_ADDR_NAMESEQ; the instances 10 to 20 of a service in the whole cluster.
    service = lambda number: struct.pack("=HBbIII", socket.AF_TIPC, 1, 2, number, 10, 20)
    make("tipc rdm bound", socket.AF_TIPC, RDM, 0, service(18888))
    listen("tipc stream", socket.AF_TIPC, STREAM, 0, service(18889))
    make("tipc seqpacket unbound", socket.AF_TIPC, SEQPACKET)
    l2cap = struct.pack("=HH6sHB1x", BLUETOOTH, 4099, b"\0" * 6, 0, 0)
    listen("bluetooth l2cap", BLUETOOTH, SEQPACKET, 0, l2cap)
    rfcomm = struct.pack("=H6sB1x", BLUETOOTH, b"\0" * 6, 11)
    listen("bluetooth rfcomm", BLUETOOTH, STREAM, 3, rfcomm)
    make("bluetooth hci unbound", BLUETOOTH, RAW, 1)
    for name, family, kind, protocol in (
        ("alg", 38, SEQPACKET, 0),
        ("appletalk", 5, DGRAM, 0),
        ("atm", 8, DGRAM, 0),
        ("ax25", 3, SEQPACKET, 0),
        ("caif", 37, SEQPACKET, 0),
        ("can raw", 29, RAW, 1),
        ("can bcm", 29, DGRAM, 2),
        ("ieee802154", 36, DGRAM, 0),
        ("ipx", 4, DGRAM, 0),
        ("kcm", 41, SEQPACKET, 0),
        ("key", 15, RAW, 2),
        ("llc", 26, STREAM, 0),
        ("mctp", 45, DGRAM, 0),
        ("netrom", 6, SEQPACKET, 0),
        ("nfc", 39, SEQPACKET, 0),
        ("phonet", 35, DGRAM, 0),
        ("pppox", 24, STREAM, 0),
        ("qrtr", 42, DGRAM, 0),
        ("rds", 21, SEQPACKET, 0),
        ("rose", 11, SEQPACKET, 0),
        ("rxrpc", 33, DGRAM, V4),
        ("x25", 9, SEQPACKET, 0),
        ("xdp", 44, RAW, 0),
    ):
        make(f"{name} unbound", family, kind, protocol)
    # What no list above has.
    for family in filter(has, range(3, 46)):
        for kind in STREAM, DGRAM, RAW, RDM, SEQPACKET, DCCP_TYPE:
            make(f"family {family} type {kind}", family, kind)


# Everyone may open sockets for pings.
with contextlib.suppress(OSError), open("/proc/sys/net/ipv4/ping_group_range", "w") as groups:
    groups.write("0 2147483647")
usual()
if sys.argv[1:] == ["all"]:
    internet_protocols()
    other_families()
print(os.getpid(), json.dumps(said), flush=True)
sys.stdin.read()
