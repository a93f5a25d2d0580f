"""What may stand between a visitor and the app: a proxy with a path, another site's page with a frame."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

HEAD_END = b"\r\n\r\n"


@dataclass
class Proxy:
    """Forwards what is asked below `path` to the server at `target`, the path kept; refuses all else."""

    url: str  # of the app, as a visitor writes it
    target: str
    path: str
    refused: list[str] = field(default_factory=list)  # what was asked for outside the path

    def serve(self, visitor: socket.socket) -> None:
        """One connection: its head is read, all else goes through as it comes."""
        with visitor:
            head = read_head(visitor)
            if not head:
                return
            asked = head.split(b" ")[1].decode()
            if not asked.startswith(f"{self.path}/"):
                self.refused.append(asked)
                visitor.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            if not re.search(rb"\r\nupgrade: *websocket", head, re.IGNORECASE):
                # One request a connection: so each is seen here.
                head = re.sub(rb"\r\nconnection:[^\r]*", b"", head, flags=re.IGNORECASE)
                head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            parts = urlsplit(self.target)
            with socket.create_connection((parts.hostname, parts.port)) as server:
                server.sendall(head)
                back = threading.Thread(target=pump, args=(server, visitor), daemon=True)
                back.start()
                pump(visitor, server)
                back.join()


def read_head(connection: socket.socket) -> bytes:
    """What came until the head of the request is whole, perhaps with the beginning of what follows it."""
    data = b""
    while HEAD_END not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    return data


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Hand on what comes until there is no more."""
    with contextlib.suppress(OSError):  # the other side has gone
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def listening(serve: object) -> Iterator[int]:
    """A port of 127.0.0.1 whose connections are each given to `serve`, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):  # closed: that is the end
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@contextlib.contextmanager
def proxy(target: str, path: str) -> Iterator[Proxy]:
    """A proxy before the server at `target`, which serves the app below `path`."""
    made = Proxy("", target, path)
    with listening(made.serve) as port:
        made.url = f"http://127.0.0.1:{port}{path}"
        yield made


@contextlib.contextmanager
def another_site(framed: str) -> Iterator[str]:
    """The address of a page at localhost, another site than 127.0.0.1, that shows `framed` in a frame."""
    page = f'<!doctype html><title>Another site</title><iframe src="{framed}"'
    page += ' style="width: 1300px; height: 1300px; border: 0"></iframe>'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\nConnection: close"

    def serve(visitor: socket.socket) -> None:
        with visitor:
            if read_head(visitor):
                visitor.sendall(f"{head}\r\n\r\n{page}".encode())

    with listening(serve) as port:
        yield f"http://localhost:{port}/"
