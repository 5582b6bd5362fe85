"""Opens a socket that /proc does not show for the first thread of the process.

With the argument "leader", a UDP socket on port 6001, and the first thread ends. With "chain", the
same, and every other thread ends after it has started the next one. With "netns", a UDP socket on
port 6002, in a network namespace that only the second thread is in. Prints its PID.
"""
import ctypes
import os
import platform
import socket
import sys
import threading
import time

CLONE_NEWNET = 0x40000000
EXIT = {"x86_64": 60}.get(platform.machine(), 93)  # ends one thread
libc = ctypes.CDLL(None, use_errno=True)


def receiver(port):
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("0.0.0.0", port))
    return made


def wait_for_end_of_leader():
    # /proc/PID/stat is "PID (NAME) STATE ...". The state is Z once the first thread has ended.
    while open(f"/proc/{os.getpid()}/stat").read().rsplit(")")[1].split()[0] != "Z":
        time.sleep(0.01)


def stay():
    if sys.argv[1] == "netns":
        if libc.unshare(CLONE_NEWNET) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))
        kept.append(receiver(6002))
    else:
        wait_for_end_of_leader()
    print(os.getpid(), flush=True)
    time.sleep(10000)


def chain():
    time.sleep(0.0003)
    threading.Thread(target=chain).start()


def first():
    wait_for_end_of_leader()
    print(os.getpid(), flush=True)
    chain()


kept = [receiver(6001)] if sys.argv[1] != "netns" else []
if sys.argv[1] == "chain":
    threading.Thread(target=first).start()
else:
    threading.Thread(target=stay).start()
    threading.Thread(target=time.sleep, args=(10000,)).start()  # shares the descriptors
if sys.argv[1] != "netns":
    libc.syscall(EXIT, 0)
