"""Connects UDP sockets to the hosts 10.99.0.1 to 10.99.0.N. N is the argument."""
import socket
import sys

kept = []
for number in range(1, int(sys.argv[1]) + 1):
    kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    kept[-1].connect((f"10.99.0.{number}", 9))
print("ready", flush=True)
sys.stdin.read()
