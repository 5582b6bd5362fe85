"""TCP connections whose timers run: one with keepalives, and one whose other end reads nothing, so that
the kernel probes its window. Prints "ready" when both timers run.
"""
import socket
import sys
import time

server = socket.create_server(("127.0.0.1", 0))
idle = socket.create_connection(server.getsockname())
idle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
stuck = socket.create_connection(server.getsockname())
stuck.setblocking(False)
try:
    while True:
        stuck.send(b"x" * 65536)
except BlockingIOError:
    pass
local = f"0100007F:{stuck.getsockname()[1]:04X}"
while True:
    with open("/proc/net/tcp") as table:
        timer = next(words[5] for words in map(str.split, table) if words[1] == local)
    if timer.startswith("04:"):
        break
    time.sleep(0.02)
print("ready", flush=True)
sys.stdin.read()
