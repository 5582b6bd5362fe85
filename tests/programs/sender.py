"""The sender of the lab: sends each line of stdin to the receiver until one is "exit"."""
import socket
import sys

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    for line in sys.stdin:
        message = line.rstrip("\n")
        sender.sendto(message.encode(), ("127.0.0.1", 5000))
        print("Sent", flush=True)
        if message == "exit":
            break
