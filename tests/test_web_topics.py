"""Topics on the web: what moved, and figures that anybody can work out again from the download beside them."""

from __future__ import annotations

import csv
import io
import statistics
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from alerts.query import parse
from pqwatch.timeliness import ALL, OTHERS, Fact, monthly, period, times
from pqwatch.web import charts
from storage.ingest import ingest
from storage.records import Body
from storage.store import Store
from tests.helpers import HOME_OFFICE, JUSTICE, NOW, answered, content, corrected, holding, observation
from tests.web import visitor

TODAY = date(2025, 3, 10)
TOPICS = {"drugs": parse("cocaine OR heroin")}


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    week = TODAY - timedelta(days=3)
    shown = [
        content(uin="1", tabled_on=week, due_on=date(2025, 3, 14)),
        content(uin="2", named_day=True, tabled_on=date(2025, 2, 20), due_on=date(2025, 2, 25), heading="Late & <b>"),
        holding(uin="3", answering_body=JUSTICE),
        answered(uin="4", answered_on=date(2025, 3, 5)),
        corrected(uin="5", corrected_on=date(2025, 3, 8)),
        answered(uin="6", tabled_on=date(2024, 9, 2), due_on=date(2024, 9, 4), answered_on=date(2024, 12, 2), answering_body=JUSTICE),
        answered(uin="7", question_text="About ships.", heading="Ships"),
    ]  # fmt: skip
    ingest(store, [observation(each, observed_at=NOW) for each in shown], now=NOW)
    return visitor(store, tmp_path, topics=TOPICS)  # type: ignore[arg-type]


def test_the_topics_are_listed(client: TestClient) -> None:
    assert "/topics/drugs" in client.get("/topics").text
    assert client.get("/topics/ships").status_code == 404


def test_what_moved_is_shown_with_its_search(client: TestClient) -> None:
    page = html.fromstring(client.get("/topics/drugs").text)
    tiles = {" ".join(each.text_content().split()) for each in page.xpath("//ul[@class='tiles']/li")}
    assert {"1 New this week", "2 Answered this week", "1 Overdue", "1 Held open by a holding answer",
            "1 Corrected in the last three months", "0 Written about this week"} == tiles  # fmt: skip
    assert not page.xpath("//b[not(ancestor::strong)]")


def test_figures_follow_from_the_download(client: TestClient) -> None:
    page = html.fromstring(client.get("/topics/drugs").text)
    answers, rows = (
        list(csv.DictReader(io.StringIO(client.get(str(each)).text)))
        for each in page.xpath("//a/@href")
        if "search.csv" in each
    )
    by_month = Counter(f"{date.fromisoformat(row['answered_on']):%b %Y}" for row in answers)
    table = page.xpath("//section[@aria-labelledby='answers']//tbody/tr")
    monthly = {row.xpath("string(th)"): int(row.xpath("string(td[last()])")) for row in table}
    assert +Counter(monthly) == by_month
    cohort = [row for row in rows if row["state"] not in {"withdrawn", "lapsed", "published"}]
    shown = {
        row.xpath("string(th)"): [" ".join(str(cell.text_content()).split()) for cell in row.xpath("td")]
        for row in page.xpath("//section[@aria-labelledby='time']//tbody/tr")
    }
    for department, cells in shown.items():
        group = [row for row in cohort if department in {ALL, row["answering_body"]}]
        taken = [
            date.fromisoformat(r["answered_on"]) - date.fromisoformat(r["tabled_on"])
            for r in group
            if r["answered_on"]
        ]
        judged = [r for r in group if r["answered_on"] or r["overdue_after"] < TODAY.isoformat()]
        in_time = [r for r in judged if r["answered_on"] and r["answered_on"] <= r["overdue_after"]]
        median = f"{statistics.median([each.days for each in taken]):g}" if taken else "–"
        share = f"{len(in_time) / len(judged):.0%} of {len(judged)}" if judged else "– of 0"
        held = f"{sum(bool(r['holding_on']) for r in group) / len(group):.0%}"
        assert cells == [str(len(group)), str(len(taken)), median, share, held]
    assert set(shown) == {ALL, HOME_OFFICE.name, JUSTICE.name}


def test_a_topic_is_read_anew_when_something_came(client: TestClient, store: Store) -> None:
    before = client.get("/topics/drugs").text
    later = NOW + timedelta(seconds=1)
    ingest(store, [observation(content(uin="9", tabled_on=TODAY), observed_at=later)], now=later)
    assert client.get("/topics/drugs").text != before


def test_an_empty_topic_has_a_page(store: Store, tmp_path: Path) -> None:
    page = visitor(store, tmp_path, topics=TOPICS).get("/topics/drugs")  # type: ignore[arg-type]
    assert page.status_code == 200
    assert "No question of this topic" in page.text


def test_a_chart_is_nothing_but_shapes_and_text() -> None:
    drawn = charts.stacked("Name <b>", ["Jan", "<script>"], {"A": [1, 2], "B": [0, 3]})
    lying = charts.lying("Days", {"Home Office": 3.0, "A department with a name that is very long": None})
    for svg in (drawn, lying):
        root = html.fromstring(str(svg))
        assert {each.tag for each in root.iter()} <= {"svg", "g", "rect", "path", "text"}
        assert not root.xpath("//@style | //@onclick | //@href")
        assert root.get("role") == "img"
    assert "<script>" not in drawn


def _facts() -> st.SearchStrategy[list[Fact]]:
    days = st.none() | st.dates(date(2024, 1, 1), date(2025, 12, 31))
    names, states = (
        st.sampled_from("ABCDEF"),
        st.sampled_from(["answered", "tabled", "withdrawn", "published"]),
    )
    return st.lists(st.builds(Fact, st.just("k"), names, states, days, days, days, days), max_size=30)


@given(_facts())
def test_parts_add_up_to_the_whole(facts: list[Fact]) -> None:
    first, last = period(TODAY)
    rows = times(facts, first, last, today=TODAY)
    if rows:
        for name in ("tabled", "answered", "judged", "on_time", "holding"):
            assert getattr(rows[0], name) == sum(getattr(row, name) for row in rows[1:])
    table = monthly(facts, today=TODAY, most=2)
    counted = [
        f
        for f in facts
        if f.answered_on and f.state != "published" and f.answered_on.isoformat()[:7] in table.months
    ]
    assert sum(map(sum, table.counts.values())) == len(counted)
    assert len(table.counts) <= 3
    assert list(table.counts)[2:] in ([], [OTHERS])


@pytest.mark.parametrize("today", [date(2025, 3, 1), date(2024, 2, 29), date(2024, 3, 1), date(2025, 1, 1)])
def test_a_period_is_a_year(today: date) -> None:
    first, last = period(today)
    assert last == today - timedelta(days=1)
    assert (last - first).days in {364, 365, 366}


def test_a_renamed_department_is_one(store: Store, tmp_path: Path) -> None:
    for number, name in enumerate(("HM Treasury", "Treasury")):
        ingest(store, [observation(answered(uin=f"2{number}", answering_body=Body(name, 14)))], now=NOW)
    page = html.fromstring(visitor(store, tmp_path, topics=TOPICS).get("/topics/drugs").text)  # type: ignore[arg-type]
    assert page.xpath("//section[@aria-labelledby='time']//tbody/tr/th/text()") == [ALL, "Treasury"]
