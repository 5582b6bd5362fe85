"""Opens sockets whose names contain harmful characters.

The argument is appended to each name. Prints the inode of its UDP socket and its PID.
"""
import os
import socket
import sys

harm = os.fsencode(sys.argv[1])
if len(sys.argv) == 2:
    # Start again with harmful names for the program and for an argument.
    os.execv(sys.executable, [b"program" + harm, __file__, harm, b"argument" + harm])
kept = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
kept.connect(("10.99.0.1", 9))
path = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
path.bind(b"\0path" + harm)
path.listen()
# In /proc/net/unix the newline makes this name look like a row with the inode of the UDP socket.
inode = os.fstat(kept.fileno()).st_ino
forged = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
row = f"ffff888000000000: 00000002 00000000 00010000 0001 01 {inode} /run/forged"
forged.bind(b"\0line\n" + row.encode())
print(inode, os.getpid(), flush=True)
sys.stdin.read()
