"""Whether a process that left its mark in the database or on a file is still alive, as far as that can be told from here."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

_GONE, _UNKNOWN = "gone", "unknown"


def host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def identity(pid: int) -> str:
    """`machine/boot/process space/start` of a process of this machine: two processes never share it."""
    machine, boot = _read(Path("/etc/machine-id")), _read(Path("/proc/sys/kernel/random/boot_id"))
    return f"{machine}/{boot}/{_link(Path('/proc/self/ns/pid'))}/{_started(pid)}"


def is_gone(on: str, pid: int, known_as: str) -> bool | None:
    """Whether the process `pid` on the host `on`, of the `identity` known then, has ended; null: that cannot be told from here."""
    here = identity(os.getpid()).split("/")
    then = known_as.split("/")
    if on != host() or len(then) != len(here) or then[0] != here[0]:
        return None
    if then[1] != here[1]:
        return True  # the machine was started anew since
    return identity(pid) != known_as if then[2] == here[2] else None


def begun_at(pid: int) -> datetime | None:
    """When a process of this machine started (proc(5)); null: there is none. Where there is no /proc, one that answers is old."""
    started = _started(pid)
    if started == _GONE:
        return None
    if started == _UNKNOWN:
        return datetime.min.replace(tzinfo=UTC)
    boot = next(line for line in _read(Path("/proc/stat")).splitlines() if line.startswith("btime "))
    return datetime.fromtimestamp(int(boot.split()[1]) + int(started) / os.sysconf("SC_CLK_TCK"), UTC)


def _started(pid: int) -> str:
    """Start of a process in clock ticks since boot (field 22 of its stat); `gone` also for one that is dead but not yet buried."""
    stat = _read(Path(f"/proc/{pid}/stat"))
    if not stat:
        return _GONE if Path("/proc/self/stat").exists() or not _answers(pid) else _UNKNOWN
    fields = stat.rpartition(")")[2].split()  # the name of the program may hold blanks and brackets
    return _GONE if fields[0] in {"Z", "X", "x"} else fields[19]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it lives, and is somebody else's
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
