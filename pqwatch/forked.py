"""Commands in processes of their own that are forked from one in which everything is imported already.

To start is most of what a short command takes. The process that they are forked from has no threads and no reactor, and
ends with this one (`multiprocessing`'s fork server).
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PRELOADED = (
    "pqwatch.cli.entry", "scraper.engine", "scraper.middlewares", "scrapy.core.downloader.handlers.http11",
    "scrapy.core.downloader.middleware", "scrapy.pqueues", "scrapy.resolver", "scrapy.squeues", "sqlalchemy.dialects.sqlite",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str


def run(args: Sequence[str], *, environ: Mapping[str, str], cwd: Path, limit: float) -> Done:
    """`pqwatch ARGS` in that folder and environment. Raises TimeoutError after `limit` seconds, when it is ended."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    with tempfile.TemporaryDirectory(prefix="pqwatch-") as said:
        given = list(args), dict(environ), str(cwd), said
        process = context.Process(target=_become, args=given, daemon=True)  # it ends with this one
        process.start()
        process.join(limit)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"more than {limit:g} s")
        out, err = ((Path(said) / name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
        return Done(process.exitcode, out, err)


def _become(args: list[str], environ: dict[str, str], cwd: str, said: str) -> None:
    """Be the console script, and end as it does."""
    from pqwatch.cli import main

    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    for stream, name in ((sys.stdout, "stdout"), (sys.stderr, "stderr")):
        with (Path(said) / name).open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    main(args)
