"""Parallel Parliament's lists: all departments, only what is new, and as far back as a list goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pqwatch.replica.server import serve
from tests.crawling import Desk
from tests.parallel_page import Shown, cards
from tests.servers import Reply, Site, serving

NOW = "2026-03-12T09:00:00+00:00"
TODAY = date(2026, 3, 12)
PAGE = 2  # questions on a page of a list


def ordinal(day: date) -> str:
    return f"{day.day}th {day:%B %Y}"


class Lists:
    """A site whose departments answer one question every second day, the newest on 11 March 2026."""

    def __init__(self, departments: Mapping[str, int], *, pages: bool = True) -> None:
        self.days = {
            f"{number}{count:03}": (name, TODAY - timedelta(days=1 + 2 * count))
            for number, (name, most) in enumerate(departments.items(), 1)
            for count in range(most)
        }
        self.departments, self.pages, self.broken = set(departments), pages, ""

    def answer(self, target: str, _headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(target)
        kind, name = [*parts.path.split("/"), "", ""][1:3]
        if self.broken and self.broken in target:
            return Reply(500)
        if kind == "dept" and name in self.departments:
            number = int(parse_qs(parts.query).get("page", ["1"])[0]) if self.pages else 1
            return Reply(body=self._list(name, number).encode())
        if kind == "question" and name in self.days:
            return Reply(body=self._question(name).encode())
        return Reply(404)

    def _list(self, name: str, number: int) -> str:
        mine = [uin for uin, (whose, _) in self.days.items() if whose == name]
        items = "".join(self._item(uin) for uin in mine[PAGE * (number - 1) : PAGE * number])
        nav = "".join(f'<a href="/dept/{each}">{each}</a>' for each in sorted(self.departments))
        return f"<html><body>{nav}{items or 'No results found'}</body></html>"

    def _item(self, uin: str) -> str:
        day = self.days[uin][1]
        return f'<div><p>Written Question</p><a href="/question/{uin}/ports">Ports</a><p>{day:%A} {ordinal(day)}</p><p>Asked by: A B (C - D)</p></div>'

    def _question(self, uin: str) -> str:
        day = self.days[uin][1]
        asked = day - timedelta(days=7)
        source = f"https://questions-statements.parliament.uk/written-questions/detail/{asked}/{uin}"
        return cards(
            Shown(
                "Ports",
                ordinal(asked),
                "Home Office",
                "To ask.",
                "Sam Sample",
                "",
                ordinal(day),
                ("Ten.",),
                source,
            )
        )


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(lambda path, headers: Reply(404)) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, site: Site, sqlite_url: str) -> Desk:
    values = {"parallelparliament_url": site.url}
    return Desk(tmp_path, "", sqlite_url, values=values, sources=("parallelparliament",))


def lists_asked(site: Site) -> list[str]:
    asked = [path for path in site.paths if path.startswith("/dept/")]
    site.log.clear()
    return asked


def read(desk: Desk) -> list[date]:
    return sorted(each.content.answered_on for each in desk.records().values() if each.content.answered_on)


def test_every_department_is_read_also_those_only_linked_to(desk: Desk, site: Site) -> None:
    site.answer = Lists({"home-office": 1, "HomeOffice": 0, "ports-and-piers": 2}).answer
    report = desk.crawl(NOW)
    assert (report["ok"], desk.problems()) == (True, [])
    assert report["new"] == 3
    asked = lists_asked(site)
    assert "/dept/ports-and-piers/writtenanswers" in asked
    assert "/dept/wales-office/writtenanswers" in asked, "asked for, and not there: no fault"
    assert "/dept/HomeOffice/writtenanswers" not in asked, "the same department by another spelling"


def test_a_second_pass_reads_the_first_pages_only(desk: Desk, site: Site) -> None:
    site.answer = Lists({"home-office": 9}).answer
    desk.crawl(NOW)
    assert read(desk) == [TODAY - timedelta(days=n) for n in (13, 11, 9, 7, 5, 3, 1)], "a fortnight"
    assert [each for each in lists_asked(site) if "home-office" in each][-1].endswith("?page=4")
    assert desk.crawl(NOW)["new"] == 0
    assert [each for each in lists_asked(site) if "home-office" in each] == ["/dept/home-office/writtenanswers"]  # fmt: skip


def test_a_list_that_was_there_and_is_gone_is_told(desk: Desk, site: Site) -> None:
    lists = Lists({"home-office": 1, "wales-office": 1})
    site.answer = lists.answer
    desk.crawl(NOW)
    lists.departments.remove("wales-office")
    desk.crawl(NOW)
    assert [problem.url for problem in desk.problems()] == [f"{site.url}/dept/wales-office/writtenanswers"]


def test_no_list_at_all_is_told(desk: Desk, site: Site) -> None:
    assert not desk.crawl(NOW)["complete"]
    assert [problem.url for problem in desk.problems()] == [f"{site.url}/dept/home-office/writtenanswers"]


def test_a_backfill_goes_back_as_far_as_asked_and_goes_on_where_it_was_stopped(
    desk: Desk, site: Site
) -> None:
    lists = Lists({"home-office": 30, "wales-office": 30})
    site.answer, lists.broken = lists.answer, "wales-office/writtenanswers?page=9"
    span = {"first": "2026-02-01", "last": "2026-02-20"}
    (report,) = desk.run("backfill", NOW, **span)
    assert (report["gaps"], report["windows"]) == (1, 1)
    days = read(desk)
    assert (days[0], days[-1]) == (date(2026, 2, 1), date(2026, 2, 19))
    assert all(v.backfilled for record in desk.records().values() for v in record.versions)
    lists_asked(site)
    lists.broken = ""
    (report,) = desk.run("backfill", NOW, **span)
    assert (report["gaps"], report["windows"]) == (0, 1)
    assert not [path for path in lists_asked(site) if "home-office" in path], "done already"
    assert len(desk.records()) == 20
    (report,) = desk.run("backfill", NOW, **span)
    assert (report["windows"], report["gaps"], report["complete"]) == (0, 0, True)
    assert desk.problems() == [], "departments that the site never had are no news once the others are done"


def test_a_list_without_older_pages_cannot_be_backfilled_and_says_so(desk: Desk, site: Site) -> None:
    site.answer = Lists({"home-office": 30}, pages=False).answer
    (report,) = desk.run("backfill", NOW, first="2026-01-01", last="2026-03-11")
    assert report["gaps"] == 1
    (problem,) = desk.problems()
    assert problem.kind == "no-older-pages"
    assert problem.message == "the list of home-office shows no older page: what was answered before 2026-03-09 cannot be read from it"  # fmt: skip


def test_the_replica_is_backfilled(tmp_path: Path, sqlite_url: str) -> None:
    with serve(at="2026-03-14T08:00Z") as replica:
        values = {"parallelparliament_url": replica.url}
        desk = Desk(tmp_path, "", sqlite_url, values=values, sources=("parallelparliament",))
        (report,) = desk.run("backfill", "2026-03-14T08:00:00+00:00", first="2026-03-01", last="2026-03-13")
        assert (report["gaps"], desk.problems()) == (0, [])
        bodies = {
            each.content.answering_body.name
            for each in desk.records().values()
            if each.content.answering_body
        }
        assert bodies > {"Home Office", "Treasury"}, "which the pages link to under another name than we know"
