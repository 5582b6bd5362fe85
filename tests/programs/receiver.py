"""The receiver of the lab: prints messages to UDP port 5000 of this host until one is "exit"."""
import os
import socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
    receiver.bind(("127.0.0.1", 5000))
    print(f"Server with PID {os.getpid()} is listening for data on port 5000...", flush=True)
    message = ""
    while message != "exit":
        data, (host, port) = receiver.recvfrom(1024)
        message = data.decode()
        print(f"Received {message!r} from {host}:{port}", flush=True)
