"""Where the engine listens."""

import socket
from typing import NamedTuple
from urllib.parse import urlsplit


class Address(NamedTuple):
    """A Unix socket's path, or a host and a port."""

    path: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read unix:///path or tcp://host:port; ValueError otherwise."""
        parts = urlsplit(url)
        if parts.scheme == "unix" and parts.path:
            return cls(path=parts.path)
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            return cls(host=parts.hostname, port=parts.port)
        raise ValueError(f"{url!r} is neither unix:///path nor tcp://host:port")

    def connect(self, *, timeout_seconds: float) -> socket.socket:
        """Return a blocking socket; OSError when nobody listens."""
        if not self.path:
            link = socket.create_connection((self.host, self.port), timeout=timeout_seconds)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return link
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.settimeout(timeout_seconds)
        try:
            link.connect(self.path)
        except OSError:
            link.close()
            raise
        return link
