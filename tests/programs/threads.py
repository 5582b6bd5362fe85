"""Sockets of which /proc shows nothing by the first thread of their process.

Called with "leader": a UDP socket on port 6001, whose process goes on without its first thread; or
with "netns": one on port 6002, in a network namespace that a second thread has for itself. Prints
its PID.
"""
import ctypes
import os
import platform
import socket
import sys
import threading
import time

CLONE_NEWNET = 0x40000000
EXIT = {"x86_64": 60}.get(platform.machine(), 93)  # of a thread alone
libc = ctypes.CDLL(None, use_errno=True)


def receiver(port):
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("0.0.0.0", port))
    return made


def stay():
    if sys.argv[1] == "netns":
        if libc.unshare(CLONE_NEWNET) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))
        kept.append(receiver(6002))
    else:
        # The first thread's state in /proc/PID/stat, behind the name: Z once it has ended.
        while open(f"/proc/{os.getpid()}/stat").read().rsplit(")")[1].split()[0] != "Z":
            time.sleep(0.01)
    print(os.getpid(), flush=True)
    time.sleep(10000)


kept = [receiver(6001)] if sys.argv[1] == "leader" else []
threading.Thread(target=stay).start()
threading.Thread(target=time.sleep, args=(10000,)).start()  # has the same descriptors
if sys.argv[1] == "leader":
    libc.syscall(EXIT, 0)
