"""Opens as many UDP sockets as its argument says, and waits until stdin ends."""
import resource
import socket
import sys

_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
kept = []
for number in range(int(sys.argv[1])):
    kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    kept[-1].bind(("127.0.0.1", 0))
print("ready", flush=True)
sys.stdin.read()
