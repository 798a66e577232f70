"""A command in a process of its own that ends with its parent, however that ends.

The parent holds the other end of the child's standard input and never writes to it; when it is gone, the child reads the
end of the file and sends itself SIGTERM (SIGINT is ignored in what a script begins in the background). So a crawl never
outlives the `watch` that began it, on any system.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

GRACE = 30.0  # seconds for a child to end by itself


def start(args: Sequence[str], database_url: str) -> subprocess.Popen[bytes]:
    """Begin `pqwatch ARGS` as a child of this process, on the same database.

    Its address goes through the environment: it may hold a password, and everyone can read a command line.
    """
    command = [sys.executable, "-m", "pqwatch.child", *args]
    environ = {**os.environ, "PQWATCH_DATABASE_URL": database_url}
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=environ)  # noqa: S603  # our own program


def stop(child: subprocess.Popen[bytes], grace: float = GRACE) -> int:
    """End it: asked first, killed after `grace` seconds. Its exit code."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        return child.wait(grace)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _end_with_parent(grace: float) -> None:
    os.read(sys.stdin.fileno(), 1)  # returns when nobody holds the other end any more
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(grace)
    os._exit(130)


def main() -> None:
    from pqwatch.cli.entry import INTERRUPTED, catch_signals
    from pqwatch.cli.entry import main as command

    catch_signals()
    try:
        threading.Thread(target=_end_with_parent, args=(GRACE,), daemon=True, name="parent").start()
        command(sys.argv[1:])
    except KeyboardInterrupt:  # before the command had begun
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
