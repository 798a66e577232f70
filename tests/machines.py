"""A PostgreSQL cluster and a RabbitMQ node of a test's own, in its folder and on free ports, that it may kill and start again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import postgres

_RABBITMQ = Path(
    "/usr/lib/rabbitmq/bin/rabbitmq-server"
)  # not the wrapper on the path, which takes up the machine's settings
_SECONDS = 240.0


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


class Server:
    """A server process in a session of its own. `kill` is kill -9 of all of it."""

    def __init__(
        self,
        folder: Path,
        user: str,
        command: Sequence[str | Path],
        answers: Callable[[], bool],
        **environ: str,
    ) -> None:
        self.folder, self._command, self._answers, self._environ = folder, command, answers, environ
        self._owner = account(user)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, and wait until it answers."""
        end = time.monotonic() + _SECONDS
        while not self._answers():
            assert time.monotonic() < end, (self.folder / "said").read_text(errors="replace")[-2000:]
            if (
                self.process is None or self.process.poll() is not None
            ):  # what the killed one left may be in its way for a moment
                self._begin()
            time.sleep(0.2)

    def _begin(self) -> None:
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=self.folder, start_new_session=True,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **self._environ}, **self._owner,
            )  # fmt: skip

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()


def account(name: str) -> dict[str, Any]:
    """For Popen: as this user where we are root, for neither server wants to be root; else as ourselves."""
    if os.geteuid() != 0:
        return {}
    try:
        owner = pwd.getpwnam(name)
    except KeyError:
        pytest.skip(f"needs the user {name}")
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _folder(folder: Path, owner: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    return folder


class OwnPostgres(Server):
    """Listens on a socket in `folder` alone. `url` is that of its first database."""

    def __init__(self, folder: Path) -> None:
        programs = postgres.programs()
        if programs is None:
            pytest.skip("needs PostgreSQL: initdb is not installed")
        owner = account("postgres")
        _folder(folder, owner)
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        initdb = [
            programs / "initdb",
            "-D",
            folder / "data",
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(initdb, cwd=folder, stdout=subprocess.DEVNULL, check=True, timeout=60, **owner)
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        super().__init__(
            folder, "postgres", [programs / "postgres", "-D", folder / "data", *options], self._ready
        )

    def _ready(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True


class OwnRabbit(Server):
    """Listens on a free port of 127.0.0.1, with a port mapper of its own. `url` is the broker's."""

    def __init__(self, folder: Path) -> None:
        if not _RABBITMQ.exists():
            pytest.skip("needs RabbitMQ: it is not installed")
        owner = account("rabbitmq")
        _folder(folder, owner)
        port, distribution, mapper = free_ports(3)
        self.url = f"amqp://guest:guest@127.0.0.1:{port}//"
        (folder / "plugins").write_text("[].\n")
        environ = {
            "HOME": folder, "ERL_EPMD_PORT": mapper, "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_NODENAME": f"pqwatch{port}@localhost",
            "RABBITMQ_NODE_PORT": port, "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_DIST_PORT": distribution,
            "RABBITMQ_MNESIA_BASE": folder / "mnesia", "RABBITMQ_LOG_BASE": folder / "log", "RABBITMQ_CONF_ENV_FILE": folder / "none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "plugins", "RABBITMQ_CONFIG_FILE": folder / "none",
            "RABBITMQ_GENERATED_CONFIG_DIR": folder / "made",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }  # fmt: skip
        super().__init__(
            folder,
            "rabbitmq",
            [_RABBITMQ],
            self._ready,
            **{name: str(value) for name, value in environ.items()},
        )
        mapping = [shutil.which("epmd") or "epmd", "-port", str(mapper), "-address", "127.0.0.1"]
        self._mapper = subprocess.Popen(
            mapping, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **owner
        )

    def _ready(self) -> bool:
        from kombu import Connection
        from kombu.exceptions import OperationalError

        try:
            with Connection(self.url, connect_timeout=3) as conn:
                conn.ensure_connection(max_retries=1, interval_start=0)
        except OperationalError:
            return False
        return True

    def close(self) -> None:
        super().close()
        self._mapper.kill()
        self._mapper.wait()
