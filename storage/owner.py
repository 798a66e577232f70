"""Who holds something: a host, a process on it and which one that is, so that a dead holder is known at once."""

from __future__ import annotations

import os
import secrets

from storage import processes


def this_process() -> str:
    """`host:pid:identity:token`; the token tells apart several holders in one process."""
    pid = os.getpid()
    return f"{processes.host()}:{pid}:{processes.identity(pid)}:{secrets.token_hex(6)}"


def is_dead(owner: str) -> bool:
    """Whether the process is known to be gone. One that cannot be looked at from here never is."""
    host, pid, rest = [*owner.split(":", 2), "", ""][:3]
    return pid.isdecimal() and bool(processes.is_gone(host, int(pid), rest.rpartition(":")[0]))
