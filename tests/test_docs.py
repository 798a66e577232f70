"""The docs keep up with the code: every command, setting, channel, kind and state is told of, and what they show exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer

from alerts.channel import channels
from pqwatch import settings
from pqwatch.cli.entry import find_commands
from pqwatch.cli.frame import app
from storage.records import OVERDUE, Kind, State

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
SHOWN = [
    README,
    OPERATING,
    *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))),
]
PARTS = "docs/operating.md: mention it there"


def commands(group=app, before=""):
    """Every command as it is typed, with its function's help: `alerts run`."""
    find_commands()
    found = {}
    for command in group.registered_commands:
        name = command.name or command.callback.__name__.replace("_", "-")
        found[before + name] = command.callback.__doc__ or command.help
    for each in group.registered_groups:
        found[before + each.name] = each.typer_instance.info.help
        found |= commands(each.typer_instance, f"{before}{each.name} ")
    return found


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_told_of_and_has_help(name):
    assert isinstance(commands()[name], str), "a command tells in its docstring what it does"
    first, _, rest = name.partition(" ")
    assert re.search(rf"`{re.escape(first)}\b[^\n]*{re.escape(rest)}", OPERATING), PARTS


@pytest.mark.parametrize("setting", settings.table(settings.declared()), ids=lambda each: each.name)
def test_every_setting_is_told_of(setting):
    row = re.search(rf"^\| `{setting.variable}` \| (.*?) \|", OPERATING, re.MULTILINE)
    assert row, PARTS
    if setting.default and setting.name != "data_dir":
        assert setting.default in row[1]


def test_no_setting_is_told_of_that_is_none():
    known = {setting.variable for setting in settings.table(settings.declared())}
    told = {name for text in SHOWN for name in re.findall(r"PQWATCH_[A-Z_]+[A-Z]", text)}
    assert {name for name in told if not name.startswith("PQWATCH_TEST")} <= known


@pytest.mark.parametrize("channel", sorted(channels()))
def test_every_channel_is_told_of(channel):
    assert f"channel {channel}" in OPERATING, PARTS


@pytest.mark.parametrize("word", sorted({*map(str, Kind), *map(str, State), OVERDUE}))
def test_every_kind_and_state_is_told_of(word):
    assert f"`{word}`" in OPERATING, PARTS


def typed():
    """Lines of the docs' code blocks that begin with the program's name."""
    return sorted(
        {
            match.strip()
            for text in SHOWN
            for match in re.findall(r"^    (?:[^\n]*?&& )?(pqwatch [^\n]+)", text, re.MULTILINE)
        }
    )


@pytest.mark.parametrize("line", typed())
def test_what_the_docs_type_exists(line):
    known = commands()
    words = line.split("#")[0].split()[1:]
    names = [" ".join(words[:2]), words[0]]
    found = next((name for name in names if name in known), None)
    assert found, f"{line}: no such command"
    assert set(re.findall(r"(?<=\s)--[a-z-]+", line.split("#")[0].split("|")[0])) <= options_of(found)


def options_of(name):
    """The options that a command takes, with the global ones."""
    command = typer.main.get_command(app)
    found = {option for param in command.params for option in param.opts}
    for word in name.split():
        command = command.commands[word]
        found |= {option for param in command.params for option in param.opts}
    return found


def tracked():
    """Text files that are part of the project."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    return [
        ROOT / name
        for name in listed
        if name and not name.endswith((".gz", ".png", ".ico", ".woff2", ".zip"))
    ]


FORBIDDEN = re.compile(
    r"/(?:work|root)/[\w.]|/tmp/[a-z]+_jobs|files\.pythonhosted|(?:index|registry)-url\s*="
)


def test_no_file_speaks_of_the_machine_it_was_made_on():
    files = tracked()
    if not files:
        pytest.skip("no git here: nothing says which files are the project's")
    wrong = [path.relative_to(ROOT).as_posix() for path in files if path.is_file() and path != Path(__file__).resolve()
             and FORBIDDEN.search(path.read_text(encoding="utf-8", errors="replace"))]  # fmt: skip
    assert wrong == []


def test_links_between_docs_lead_somewhere():
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_make_recipes_of_the_readme_exist():
    recipes = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", README)) <= recipes


def test_the_changelog_has_a_part_to_add_to():
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("package", ["scraper", "storage", "alerts", "pqwatch"])
def test_the_map_has_every_module_and_no_other(package):
    text = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    part = re.search(rf"^## {package}: .*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[0]
    told = {name for name in re.findall(r"`([\w/]+)`", part) if name != package}
    folder = ROOT / package
    deep = {"spiders", "compose", "channels"}  # of other folders the map names some modules only
    there = {
        path.relative_to(folder).with_suffix("").as_posix()
        for path in folder.rglob("*.py")
        if path.name != "__init__.py" and (path.parent == folder or path.parent.name in deep)
    }
    assert there <= told
    assert all((folder / f"{name}.py").exists() or (folder / name).is_dir() for name in told)
