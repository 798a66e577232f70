"""A time limit over a whole exchange: a peer that sends a byte a second never trips a socket's own timeout."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class Watchdog:
    """Shuts the socket when the time is up; what fails inside because of that leaves as TimeoutError."""

    def __init__(self, sock: socket.socket | None, seconds: float) -> None:
        self._sock = sock
        self._expired = False
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def watch(self, sock: socket.socket) -> None:
        """Goes on with the socket that now stands in place of the first (TLS wraps it anew)."""
        self._sock = sock
        if self._expired:
            raise TimeoutError("no answer within the time limit")

    def __enter__(self) -> Watchdog:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._expired and (error is None or isinstance(error, Exception)):
            raise TimeoutError("no answer within the time limit") from error

    def _shut(self) -> None:
        self._expired = True
        if self._sock is not None:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
