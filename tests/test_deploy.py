"""What stands in deploy/ fits the program: its commands and settings exist, the compose file and the units read."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pqwatch import settings
from tests.test_docs import commands

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))


def test_every_setting_there_exists() -> None:
    known = {each.variable for each in settings.table(settings.declared())}
    named = {name for path in DEPLOY.iterdir() for name in re.findall(r"PQWATCH_[A-Z_]+", path.read_text())}
    assert {name for name in named if name != "PQWATCH_"} <= known


def test_the_compose_file_starts_commands_that_there_are() -> None:
    yaml = pytest.importorskip("yaml")
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert set(services) == {"watch", "worker", "web", "database", "broker"}
    started = {service["command"][0] for service in services.values() if "command" in service}
    assert started == {"watch", "worker", "serve"}
    assert started <= set(commands())
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_there_is(unit: Path) -> None:
    started = re.search(r"^ExecStart=\S+/pqwatch (\S+)", unit.read_text(), re.MULTILINE)
    assert started
    assert started[1] in commands()


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze, which is not on the path")
    copies = []
    for unit in UNITS:
        text = re.sub(r"^(ExecStart=).*", r"\1/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
        copies.append(tmp_path / unit.name)
    done = subprocess.run(["systemd-analyze", "verify", *copies], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "pqwatch" in line]
    assert said == []
