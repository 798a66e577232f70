"""Scenario 5: a researcher builds a query; preview, alert, search, page, API, export, match and explain mean the same by it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from itertools import count, repeat
from pathlib import Path

import pytest

from pqwatch.replica import serve
from tests.desk import database
from tests.shell import Forks, Shell

pytestmark = pytest.mark.xdist_group("scenario 5")  # what a file sets up is set up once

WORDS = '("county lines" OR cuckoo*) AND (child* NEAR/10 exploit*) NOT "bus service"'
QUERY = f'{WORDS} department:"Home Office" answered:2020..'
NOW = "2026-03-06T08:00Z"


def key(number: int) -> str:
    return f"commons/2026-03-03/119{number}"


FOUND = {key(201), key(202), key(203), key(204)}
EVERYWHERE = {
    QUERY: FOUND,
    QUERY.replace("Home Office", "home department"): FOUND,  # a former name
    QUERY.replace('"', "”").replace("answered", "ANSWERED"): FOUND,
    f'{WORDS} department:"Home Office"': FOUND | {key(216), "commons/2019-09-09/291001"},
    f"{WORDS} answered:2026-03": FOUND | {key(212)},
    "=NPS": {key(221)},
    "nps": {key(221), key(222)},
    "fox-it": {key(231), key(232)},
    '"fox it"': {key(231), key(232)},
    "fox it": {key(231), key(232), key(233)},
    "“county lines” state:holding": {key(216)},
    "prisoners'": set(),
}


on_both = pytest.mark.parametrize("shell", ["sqlite", "postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("shell", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def shell(
    request: pytest.FixtureRequest, forked: Forks, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shell]:
    """A subscription for every query, then everything is tabled and answered, and told."""
    folder = tmp_path_factory.mktemp("query")
    world = Path(__file__).parent / "worlds" / "county-lines"
    with (
        database(request.param, folder, request, "query") as url,
        serve(at="2026-03-02T08:00Z", data=world) as replica,
    ):
        made = Shell(forked, folder, replica, PQWATCH_DATABASE_URL=url)
        made.at("2026-03-02T08:00Z").well("crawl")
        made.well("backfill", "parliament", "--from", "2019-09-09", "--to", "2019-09-11")
        made.at("2026-03-02T09:00Z")
        made.well(
            "subscribe", QUERY, "--to", f"file://{folder}/box0", "--name", "q0", "--on", "answered,holding"
        )
        others = folder / "others.toml"
        others.write_text(
            "\n".join(map(toml, list(EVERYWHERE)[1:], count(1), repeat(folder))), encoding="utf-8"
        )
        made.well("subscriptions", "import", str(others))
        made.at(NOW).well("crawl")
        made.well("alerts", "run")
        yield made


def toml(query: str, number: int, folder: Path) -> str:
    to, on = f"file://{folder}/box{number}", ["answered", "holding"]
    return f"[[subscription]]\nname = 'q{number}'\nquery = '''{query}'''\nto = '{to}'\non = {on}\n"


@on_both
def test_alert_ledger_search_and_download_agree_on_every_query(shell: Shell) -> None:
    rows = shell.json("deliveries")["items"]
    with shell.web() as visitor:
        for number, (query, found) in enumerate(EVERYWHERE.items()):
            heard = {each for each in found if "2026" in each}
            assert told(shell, number) == heard, query
            assert {row["key"] for row in rows if row["subscription"]["name"] == f"q{number}"} == heard
            answer = visitor.get("/api/v1/search", params={"q": query}).json()
            assert {item["key"] for item in answer["items"]} == found, query
            lines = visitor.get("/search.jsonl", params={"q": query}).text.splitlines()
            assert {json.loads(line)["key"] for line in lines} == found, query


@on_both
@pytest.mark.parametrize("query", [QUERY, "=NPS", "fox-it"])
def test_the_command_line_finds_and_exports_the_same(shell: Shell, query: str) -> None:
    found = EVERYWHERE[query]
    assert {item["key"] for item in shell.json("search", query)["items"]} == found
    exported = shell.well("export", query, "--format", "jsonl", "--out", "-").splitlines()
    assert {json.loads(line)["key"] for line in exported} == found


def told(shell: Shell, number: int) -> set[str]:
    """The questions that the messages of a subscription speak of."""
    keys: set[str] = set()
    for path in (shell.folder / f"box{number}").glob("*.eml"):
        part = message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("plain",))
        assert part is not None
        keys.update(re.findall(r"Page: \S+?/(commons/\S+)", part.get_content()))
    return keys


@on_sqlite
def test_preview_counts_twelve_months_and_shows_the_same_samples(shell: Shell) -> None:
    preview = shell.json("preview", QUERY)
    assert len(preview["months"]) == 12
    assert (preview["months"][0]["month"], preview["months"][-1]) == (
        "2025-04", {"month": "2026-03", "hits": len(FOUND)},
    )  # fmt: skip
    assert {sample["key"] for sample in preview["samples"]} == FOUND
    assert all(sample["matched"] for sample in preview["samples"])
    assert {each["word"] for each in preview["words"]} >= {'"county lines"', "cuckoo*"}
    shown = shell.well("preview", QUERY)
    assert "2026-03" in shown
    assert "cuckooing" in shown


@on_sqlite
def test_pages_and_api_find_the_same(shell: Shell) -> None:
    with shell.web() as visitor:
        page = visitor.get("/", params={"q": QUERY}).text
        answer = visitor.get("/api/v1/search", params={"q": QUERY}).json()
        steps = visitor.get("/subscribe", params={"q": QUERY}).text
    assert set(re.findall(r'<h\d[^>]*>\s*<a href="/(commons/[^"#?]+)', page)) == FOUND
    assert {item["key"] for item in answer["items"]} == FOUND
    assert answer["total"] == len(FOUND)
    assert set(re.findall(r'href="/(commons/2026[^"#?]+)"', steps)) == FOUND


@on_sqlite
def test_match_needs_no_database_and_finds_the_same(shell: Shell, tmp_path: Path) -> None:
    queries, documents = tmp_path / "queries", tmp_path / "documents.jsonl"
    queries.write_text("\n".join(EVERYWHERE), encoding="utf-8")
    shell.well("export", "--format", "jsonl", "--out", str(documents))
    lines = [json.loads(line) for line in shell.well("match", str(queries), str(documents)).splitlines()]
    for number, found in enumerate(EVERYWHERE.values(), 1):
        assert {line["key"] for line in lines if line["query"] == number} == found


@on_sqlite
def test_explain_says_the_same_of_each_and_why_not(shell: Shell) -> None:
    for number in (201, 204, 211, 212, 213, 216):
        why = shell.json("explain", "q0", key(number))
        assert why["matches"] == (key(number) in FOUND), number
        assert bool(why["events"]) == why["matches"]
    assert "no " in shell.well("explain", "q0", key(212))


@on_sqlite
def test_matched_words_are_those_of_the_branches_that_hold(shell: Shell) -> None:
    rows = shell.json("deliveries", "--subscription", "q0")["items"]
    matched = {row["key"]: [(m["part"], m["text"]) for m in row["matched"]] for row in rows}
    assert matched[key(202)] == [("question", "cuckooing"), ("answer", "Children"), ("answer", "exploited")]
    assert matched[key(203)] == [
        ("question", "county-lines"),
        ("answer", "child"),
        ("answer", "exploitation"),
    ]


@on_sqlite
@pytest.mark.parametrize(
    ("query", "column", "said"),
    [
        (WORDS.replace(" exploit*", ""), WORDS.index(" exploit*") + 1, "expected a word after NEAR/10"),
        (WORDS.replace("cuckoo*)", "cuckoo*"), len(WORDS), "expected"),
        (WORDS.replace("lines", 'lines"'), None, "column"),
        ("=NPS department:", 17, "expected"),
        ('NOT "bus service"', None, "this can match everything"),
    ],
)
def test_a_mistake_points_at_its_column(shell: Shell, query: str, column: int | None, said: str) -> None:
    commands = [["search", query], ["subscribe", query, "--to", "feed:"]]
    done = [shell(*command) for command in commands]
    assert [each.code for each in done] == [2, 2]
    (error,) = {each.err for each in done}  # one meaning, one message
    assert said in error
    if column:
        assert f"column {column}:" in error
    with shell.web() as visitor:
        page, api = (visitor.get(path, params={"q": query}) for path in ("/", "/api/v1/search"))
    assert (page.status_code, api.status_code) == (422, 422)
    if column:
        assert f"column {column}" in page.text.lower()
        assert f"Column {column}:" in api.text
