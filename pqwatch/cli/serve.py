"""The web pages, feeds and HTTP API: `serve`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from pqwatch.cli.frame import Frame, app, frame, set_up_logs

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from pqwatch.web.limits import Limiter
    from pqwatch.wiring import Wiring
    from storage.store import Store


@app.command(rich_help_panel="Run")
def serve(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option(help="The address to listen on; the default answers this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 chooses a free one.")] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that answer; one for each core is most of use.")
    ] = 1,
) -> None:
    """Web pages, feeds and the HTTP API, until stopped."""
    import uvicorn

    from pqwatch.web.limits import shared

    at = frame(ctx)
    at.clock = at.clock.running()
    with at.store() as store:
        at.wiring.setup(store)  # makes the secret, which all processes share
        config = uvicorn.Config(
            _site(at.wiring, store, {}) if workers == 1 else _Worker(_bare(at), shared()),
            factory=workers > 1,
            workers=workers,
            host=host,
            port=port,
            log_level="info" if at.verbose else "warning",
            server_header=False,
            timeout_keep_alive=15,
            limit_concurrency=200,
        )
        sock = config.bind_socket()
        at.out().note(f"serving http://{host}:{sock.getsockname()[1]}")
        if workers == 1:
            uvicorn.Server(config).run(sockets=[sock])
            return
    _supervise(config, sock)


def _supervise(config: uvicorn.Config, sock: socket.socket) -> None:
    """Processes that answer, each with the store open for itself, until a signal ends them all. One that dies is replaced."""
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.supervisors import Multiprocess

    supervisor = Multiprocess(config, sockets=[sock])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise typer.Exit(1)
    raise KeyboardInterrupt  # as one process ends


def _bare(at: Frame) -> Frame:
    """The frame without what was built from it, which cannot be handed to another process."""
    return Frame(database=at.database, clock=at.clock, verbose=at.verbose, quiet=at.quiet)


def _site(wiring: Wiring, store: Store, limits: dict[str, Limiter]) -> FastAPI:
    from pqwatch.web.app import create_app
    from pqwatch.web.limits import Limits
    from pqwatch.web.site import Site

    of = wiring.settings
    return create_app(
        Site(store, of, wiring.setup(store), wiring.clock, of.admin_token, Limits(**limits))  # type: ignore[arg-type]
    )


@dataclass(frozen=True, slots=True)
class _Worker:
    """Makes the application in a process of its own; handed to it when it is started. Settings are read there again."""

    at: Frame
    limits: dict[str, Limiter]

    def __call__(self) -> FastAPI:
        from storage.store import open_store

        set_up_logs(self.at.verbose, self.at.quiet)
        threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
        return _site(self.at.wiring, open_store(self.at.settings.database_url), self.limits)


def _end_with_parent() -> None:
    """However the parent ends: killed, it cannot say so, and its port would stay taken."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
