"""The demo tells the whole story, ends by itself, and touches no folder but its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def demo(folder, cwd):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PQWATCH_")}
    own = {
        "XDG_CONFIG_HOME": str(cwd),
        "PQWATCH_RATE": "1",
        "PQWATCH_SOURCES": "feeds",
    }  # the user's own settings do not matter
    return subprocess.run(
        [sys.executable, "-m", "pqwatch", "demo", "--folder", str(folder)], env=clean | own, cwd=cwd,
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


@pytest.mark.xdist_group("demo")
def test_the_story_is_told(tmp_path):
    done = demo(tmp_path / "d", tmp_path)
    assert done.returncode == 0, done.stderr
    story = done.stdout
    for source in ("parliament", "theyworkforyou", "parallelparliament", "feeds"):
        assert source in story
    for said in ("ANSWERED: Cocaine: Seizures", "matched “cocaine”", "HOLDING: County Lines", "OVERDUE: Organised Crime: Fraud",
                 "EDITED: Synthetic Opioids: Death", "CORRECTED: Cocaine: Seizures", "[-16,920-]{+19,620+}", "questions and posts are stored"):  # fmt: skip
        assert said in story, said
    assert "seen at  parallelparliament, parliament, theyworkforyou (2 addresses)" in story
    assert len(story.splitlines()) < 100
    assert list((tmp_path / "d" / "messages").glob("*.eml"))


def test_a_folder_that_is_not_its_own_is_left_alone(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    done = demo(folder, tmp_path)
    assert done.returncode == 1
    assert "not from a demo" in done.stderr
    assert (folder / "thesis.txt").read_text() == "years of work"
