"""Makes a network namespace whose first process turns into a zombie.

Prints the PID of that process. A second process there listens on port 5000. After a line on stdin,
kills the first process without waiting for it, and prints "zombie".
"""
import os
import pathlib
import subprocess
import sys
import time

first = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up; echo; exec cat"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
first.stdout.readline()
server = pathlib.Path(__file__).with_name("server.py")
second = subprocess.Popen(["nsenter", "-t", str(first.pid), "-n", "python3", server, "5000"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
second.stdout.readline()
print(first.pid, flush=True)
sys.stdin.readline()
first.kill()
while ") Z " not in pathlib.Path(f"/proc/{first.pid}/stat").read_text():
    time.sleep(0.01)
print("zombie", flush=True)
sys.stdin.read()
second.kill()
os._exit(0)
