"""Senders that die at a chosen step, as a kill -9 would have it: `python -m tests.chaos.sender`, one order a line.

An order is a JSON list: database URL, SMTP URL, step, how often the step is passed before, now. Each is carried out by a
process of its own, forked here, where everything is imported already; the answer is its exit code, -9 where it was killed.
The order "warm" is carried out here instead, so that those forked later find statements compiled and modules loaded: two
thirds of a sender's time. Nothing of the database is open when they are forked.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from datetime import datetime
from typing import Any

from alerts import posting, sending
from alerts.channels.mail import MailSender
from alerts.run import run
from storage import changes, ledger, messages
from storage.store import Store, open_store
from tests.fakes import make_setup

STEPS = ("claim", "rows", "done", "committed", "posted", "composed", "stored", "sending", "taken", "marked")
"""Where the process is killed: in the order in which a run passes them."""


class Bomb:
    """Goes off when it is touched for the nth time."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def touch(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def after(owner: Any, name: str, bomb: Bomb) -> None:
    """Lets a function end, then touches the bomb."""
    real = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        bomb.touch()
        return result

    setattr(owner, name, wrapped)


def before(owner: Any, name: str, bomb: Bomb) -> None:
    real = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        bomb.touch()
        return real(*args, **kwargs)

    setattr(owner, name, wrapped)


def arm(step: str, bomb: Bomb) -> None:
    match step:
        case "claim":
            after(changes, "claim", bomb)
        case "rows":
            after(ledger, "write", bomb)
        case "done":
            after(changes, "done", bomb)  # before the commit
        case "committed":
            before(ledger, "one_matcher", bomb)  # between transactions
        case "posted":
            after(posting, "post_due", bomb)
        case "composed":
            before(messages, "store_payloads", bomb)
        case "stored":
            after(sending, "_composed", bomb)
        case "sending":
            before(MailSender, "_hand_over", bomb)
        case "taken":
            after(MailSender, "_hand_over", bomb)
        case "marked":
            after(messages, "sent", bomb)  # before the commit
        case _:
            raise ValueError(step)


def send(store: Store, smtp: str, step: str, nth: int, now: str) -> int:
    if step not in ("none", "warm"):
        arm(step, Bomb(nth))
    report = run(store, now=datetime.fromisoformat(now), settings=make_setup(smtp_url=smtp))
    store.engine.dispose()
    return 0 if report.ok else 1


def serve() -> None:
    stores: dict[str, Store] = {}
    for line in sys.stdin:
        url, *order = json.loads(line)
        if url not in stores:
            stores[url] = open_store(url)
            stores[url].engine.dispose()
        gc.freeze()  # else a collection in each copies every page of what is imported
        print(send(stores[url], *order) if order[1] == "warm" else forked(stores[url], order), flush=True)


def forked(store: Store, order: list[Any]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 2
        try:
            code = send(store, *order)
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    serve()
