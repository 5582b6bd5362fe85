"""Connects UDP sockets to hosts. The arguments are N, and the first number if it is not 1:
10.99.0.1 to 10.99.0.N."""
import socket
import sys

kept = []
first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
for number in range(first, int(sys.argv[1]) + 1):
    kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    kept[-1].connect((f"10.99.0.{number}", 9))
print("ready", flush=True)
sys.stdin.read()
