"""Sockets whose every name means harm.

Called with what stands behind the first part of each name. Prints the inode of its UDP socket, and
its PID.
"""
import os
import socket
import sys

harm = os.fsencode(sys.argv[1])
if len(sys.argv) == 2:
    # Once more, under a name of its own.
    os.execv(sys.executable, [b"program" + harm, __file__, harm, b"argument" + harm])
kept = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
kept.connect(("10.99.0.1", 9))
path = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
path.bind(b"\0path" + harm)
path.listen()
# A row of its own making, about the other socket, if the kernel's text is believed.
inode = os.fstat(kept.fileno()).st_ino
forged = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
row = f"ffff888000000000: 00000002 00000000 00010000 0001 01 {inode} /run/forged"
forged.bind(b"\0line\n" + row.encode())
print(inode, os.getpid(), flush=True)
sys.stdin.read()
