"""Fixture cases: `fixtures/<source>/<case>/` holds request.json, response.* and what the parser must make of them.

A case without expected.json gets one, whose first line asks to be looked at; the test fails until someone has read it against the
response and taken that line out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from scraper.source import Page, Parsed, ScraperError, Source
from scraper.sources import all_sources
from storage.records import PageRef

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
LOOK = "look"
ASKED = "generated: read every field against the response, then remove this line"


def cases(root: Path = FIXTURES) -> list[Path]:
    return sorted(folder.parent for folder in root.glob("*/*/request.json"))


def sources_without_case(root: Path = FIXTURES) -> set[str]:
    return set(all_sources()) - {case.parent.name for case in cases(root)}


def folders_without_source(root: Path = FIXTURES) -> set[str]:
    return {case.parent.name for case in cases(root)} - set(all_sources())


def check(case: Path) -> None:
    """Fails unless the parser of the case's source makes of its response exactly what is expected."""
    shown = show(all_sources()[case.parent.name], load(case))
    path = case / "expected.json"
    if not path.exists():
        path.write_text(json.dumps({LOOK: ASKED} | shown, indent=1, ensure_ascii=False) + "\n")
    expected = json.loads(path.read_text())
    if LOOK in expected:
        raise AssertionError(f"{path} was {expected[LOOK]}")
    if differences := list(_differences("", shown, expected)):
        raise AssertionError("\n".join(differences))


def _differences(where: str, shown: Any, expected: Any) -> Iterator[str]:
    if isinstance(shown, dict) and isinstance(expected, dict):
        for name in {**shown, **expected}:
            yield from _differences(
                f"{where}.{name}", shown.get(name, "absent"), expected.get(name, "absent")
            )
    elif isinstance(shown, list) and isinstance(expected, list) and len(shown) == len(expected):
        for index, pair in enumerate(zip(shown, expected, strict=True)):
            yield from _differences(f"{where}[{index}]", *pair)
    elif shown != expected:
        yield f"{where}: the parser makes {shown!r}, expected {expected!r}"


def load(case: Path) -> Page:
    request = json.loads((case / "request.json").read_text())
    (response,) = case.glob("response.*")
    body = response.read_bytes()
    return Page(
        url=request["url"],
        status=request.get("status", 200),
        headers=request.get("headers", {}),
        body=body,
        fetched_at=datetime.fromisoformat(request["fetched_at"]),
        ref=PageRef(sha256(body).hexdigest()),
    )


def show(source: Source, page: Page) -> dict[str, Any]:
    """All that a parser made of a page, as JSON; an error by its kind and message."""
    try:
        parsed = source.parse(page)
    except ScraperError as error:
        return {"error": type(error).__name__, "message": str(error)}
    return _plain(asdict(parsed)) if isinstance(parsed, Parsed) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name != "page"}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value
