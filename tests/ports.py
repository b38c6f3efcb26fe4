"""A port of their own for servers in the process of the tests."""

import socket


def listening_socket() -> socket.socket:
    """On a free port of this machine. The protocol is named, because asyncio turns Nagle off only then; else each answer
    waits 40 ms for a delayed ACK."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    return listening
