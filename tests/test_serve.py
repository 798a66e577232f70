"""`pqwatch serve` with several processes: one address, one limit for a visitor, and nothing left behind however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pqwatch.web.limits import Limiter, Limits, shared
from pqwatch.web.problems import WebError


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Two processes on one port: their parent, and the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "pqwatch", "serve", "--port", str(port), "--workers", "2"]
    environ = {**os.environ, "PQWATCH_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(command, env=environ, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as parent:
        try:
            _until(lambda: len(_children(parent.pid)) >= 3 and _answers(port), "does not answer")
            yield parent, f"http://127.0.0.1:{port}"
        finally:
            parent.kill()


def _until(holds, otherwise: str) -> None:
    deadline = time.monotonic() + 180
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)


def _status(address: str) -> int:
    """Of an answer on a connection of its own, which either process may take."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _answers(port: int) -> bool:
    try:
        return _status(f"http://127.0.0.1:{port}/healthz") == 200
    except OSError:
        return False


def _children(pid: int) -> list[int]:
    """The two workers, and what multiprocessing keeps beside them."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    if not path.exists():
        pytest.skip("needs /proc, where children are listed")
    return [int(each) for each in path.read_text().split()]


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_processes_end_with_their_parent(
    served: tuple[subprocess.Popen[str], str], end: signal.Signals
) -> None:
    parent, address = served
    children = _children(parent.pid)
    if end is signal.SIGTERM:  # one walk is enough: a visitor asks both processes, and is stopped by both
        begun = time.monotonic()
        said = Counter(_status(f"{address}/?q=cocaine") for _ in range(110))
        assert said[200] <= 62 + 2 * (time.monotonic() - begun), (
            "each process alone lets sixty through at once"
        )
    parent.send_signal(end)
    code = parent.wait(120)
    assert code == (-signal.SIGKILL if end is signal.SIGKILL else 130)
    _until(lambda: not any(map(_is_there, children)), "outlived their parent")
    if end is not signal.SIGKILL:
        assert parent.stderr is not None
        assert "Traceback" not in parent.stderr.read()


def test_a_visitor_has_a_burst_and_then_a_rate() -> None:
    limiter = Limiter(a_minute=1, burst=3)
    for _ in range(3):
        limiter.check("192.0.2.1")
    with pytest.raises(WebError) as error:
        limiter.check("192.0.2.1")
    assert 58 <= int(error.value.headers["Retry-After"]) <= 61
    limiter.check("192.0.2.2")


def test_the_visitor_not_seen_for_longest_makes_room() -> None:
    limiter = Limiter(a_minute=1, burst=1)
    for number in range(30_000):
        limiter.check(f"visitor {number}")
    limiter.check("visitor 0")
    with pytest.raises(WebError):
        limiter.check("visitor 29999")


def test_shared_limits_are_those_of_one_process() -> None:
    alone = Limits().of_visitors
    assert {name: (each.a_minute, each.burst) for name, each in shared().items()} == {
        name: (each.a_minute, each.burst) for name, each in alone.items()
    }
    limiter = shared()["logins"]
    for _ in range(5):
        limiter.check("192.0.2.1")
    with pytest.raises(WebError):
        limiter.check("192.0.2.1")
