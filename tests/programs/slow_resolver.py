"""A DNS server on loopback that answers each reverse look-up after a pause.

The argument is the pause in seconds, or "never"; or "never-below-N", to answer at once unless the last
part of the address is less than N; or "fails-once", to answer the first question about each address with
the error SERVFAIL. The name of 10.99.0.N is peer-N.example.test; the
name of 10.99.0.250 contains an escape sequence. Prints "ready".
"""
import socket
import struct
import sys
import threading
import time


def labels(name):
    return b"".join(bytes([len(part)]) + part for part in name.split(b".")) + b"\0"


failed = set()


def answer(query, client):
    how, _, below = sys.argv[1].partition("-below-")
    question = query[12:]
    last = question[1:1 + question[0]].decode()
    if how == "never" and (not below or int(last) < int(below)):
        return
    if how == "fails-once" and last not in failed:
        failed.add(last)
        server.sendto(query[:2] + b"\x81\x82" + query[4:], client)
        return
    if how not in ("never", "fails-once"):
        time.sleep(float(how))
    name = b"\x1b[31mred.test" if last == "250" else f"peer-{last}.example.test".encode()
    data = labels(name)
    header = query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0)
    end = question.index(b"\0") + 5
    record = b"\xc0\x0c" + struct.pack(">HHIH", 12, 1, 60, len(data)) + data
    server.sendto(header + question[:end] + record, client)


server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    threading.Thread(target=answer, args=server.recvfrom(512), daemon=True).start()
