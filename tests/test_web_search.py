"""Searching on the web: what is found, marked, counted, narrowed, shared, taken along; and what is refused with a word why."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from fastapi.testclient import TestClient
from lxml import etree, html

from alerts.query import parse
from pqwatch.web.asked import freed, holds, narrowed, read, valued
from pqwatch.web.kept import Pages
from pqwatch.web.limits import Limiter
from pqwatch.web.pages import search as searching
from storage.ingest import ingest
from storage.records import House
from storage.store import Store
from tests.helpers import JUSTICE, NOW, answered, content, feed_item, holding, observation
from tests.web import site, visitor

HOSTILE = "</td><script>alert(1)</script>\u202e cocaine"


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    lords = {"house": House.LORDS, "uin": "HL7", "answering_body": JUSTICE}
    shown = [
        observation(answered("Four tonnes of cocaine were seized.", heading="Drugs: Seizures")),
        observation(holding(uin="2", heading="Prisons: Heroin", answering_body=JUSTICE)),
        observation(content(uin="3", question_text=HOSTILE, heading=HOSTILE)),
        observation(answered("Cocaine " + "and other words " * 200 + "smuggled heroin.", **lords)),
        feed_item(),
    ]
    ingest(store, shown, now=NOW)
    return visitor(store, tmp_path)


def results(page: str) -> list[str]:
    return [str(each) for each in html.fromstring(page).xpath("//article[@class='hit']//h3/a/@href")]


def facet(page: str, label: str) -> dict[str, tuple[str, str]]:
    """The choices of a group: label to address and count."""
    found = html.fromstring(page).xpath(
        f"//aside//h2[normalize-space()='{label}']/following-sibling::ul[1]/li"
    )
    return {
        each.xpath("string(a)").strip(): (str(each.xpath("string(a/@href)")), each.xpath("string(span)").strip())
        for each in found
    }  # fmt: skip


def test_without_a_query_the_newest_are_shown(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert len(results(page.text)) == 5
    assert len(page.content) < 60_000


def test_it_finds_counts_and_marks(client: TestClient) -> None:
    page = client.get("/?q=cocaine").text
    assert "5 questions" in page
    assert len(results(page)) == 5
    assert "<mark>cocaine</mark>" in page
    assert "1 question<" in client.get("/?q=seizures title:drugs").text
    assert "Nothing found" in client.get("/?q=ketamine").text


def test_a_passage_surrounds_what_was_found_far_down(client: TestClient) -> None:
    page = client.get("/?q=smuggling heroin").text
    assert "<mark>smuggled</mark>" in page
    assert len(page) < 12_000  # not the whole answer


def test_a_filter_is_a_click_that_extends_the_query(client: TestClient) -> None:
    page = client.get("/?q=cocaine OR heroin").text
    address, count = facet(page, "Department")["Ministry of Justice"]
    assert count == "2"
    narrow = client.get(address).text
    assert html.fromstring(narrow).xpath("string(//input[@id='q']/@value)") == (
        '(cocaine OR heroin) department:"Ministry of Justice"'
    )
    assert len(results(narrow)) == 2
    (back,) = [where for label, (where, _) in facet(narrow, "Department").items() if "Remove" in label]
    assert len(results(client.get(back).text)) == 5


@pytest.mark.parametrize("label", ["Department", "House", "State"])
def test_counts_are_what_a_click_brings(client: TestClient, label: str) -> None:
    choices = facet(client.get("/?q=cocaine OR heroin").text, label)
    assert choices
    for address, count in choices.values():
        assert len(results(client.get(address).text)) == int(count)


def test_the_next_page_goes_on_where_the_last_ended(store: Store, tmp_path: Path) -> None:
    ingest(store, [observation(answered(uin=str(n))) for n in range(1, 48)], now=NOW)
    client, seen, address = visitor(store, tmp_path), [], "/?q=tonnes"
    while address:
        page = client.get(address).text
        seen += results(page)
        address = str(html.fromstring(page).xpath("string(//a[@rel='next']/@href)"))
    assert len(seen) == len(set(seen)) == 47


def test_most_relevant_is_another_order_of_the_same(client: TestClient) -> None:
    newest, relevant = client.get("/?q=heroin").text, client.get("/?q=heroin&sort=relevance").text
    assert set(results(newest)) == set(results(relevant))
    assert 'aria-current="true">Most relevant' in relevant


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("cocaine NEAR/10", "at column 16"),
        ("NOT cocaine", "can match everything"),
        ("x" * 2_500, "longer than 2,000"),
        ('"open', "closing quotation mark"),
        ("department:", "expected a value after department:"),
        ("(a", "closing bracket"),
    ],
)
def test_a_mistake_is_shown_with_its_place(client: TestClient, query: str, said: str) -> None:
    page = client.get("/", params={"q": query})
    assert page.status_code == 422
    assert said in html.fromstring(page.text).xpath("string(//*[@id='fault'])")
    assert 'aria-invalid="true"' in page.text
    for form in ("csv", "atom"):
        assert client.get(f"/search.{form}", params={"q": query}).status_code == 422


def test_a_number_or_a_key_leads_to_the_question(client: TestClient) -> None:
    gone = client.get("/?q=Commons/2025-03-03/35566", follow_redirects=False)
    assert gone.headers["location"] == "/commons/2025-03-03/35566"
    assert "uin:HL7" in client.get("/?q=hl7").text


def test_odd_parameters_are_no_failure(client: TestClient) -> None:
    assert client.get("/?q=cocaine&sort=up").status_code == 422
    assert client.get("/?q=cocaine&after=zzz", follow_redirects=False).status_code == 303
    assert client.get("/?q=%00%ff").status_code in {200, 422}


def test_downloads_hold_exactly_what_is_found(client: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get("/search.csv?q=heroin").text)))
    lines = client.get("/search.jsonl?q=heroin").text.splitlines()
    shown = [path.lstrip("/") for path in results(client.get("/?q=heroin").text)]
    assert [row["key"] for row in rows] == [orjson.loads(line)["key"] for line in lines] == shown
    import pyarrow.parquet as pq

    packed = client.get("/search.parquet?q=heroin")
    assert pq.read_table(io.BytesIO(packed.content)).column("key").to_pylist() == shown
    assert 'filename="pqwatch-search.parquet"' in packed.headers["content-disposition"]


def test_a_download_that_is_too_large_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pqwatch.web.pages.downloads.MOST", 2)
    refused = client.get("/search.csv?q=cocaine")
    assert refused.status_code == 422
    assert "pqwatch export" in refused.text


def test_only_so_many_downloads_run_at_once(client: TestClient) -> None:
    places = client.app.state.site.limits.downloads
    assert places.acquire(blocking=False)
    assert places.acquire(blocking=False)
    assert client.get("/search.csv?q=cocaine").status_code == 503
    places.release()
    assert client.get("/search.csv?q=cocaine").status_code == 200
    assert client.get("/search.csv?q=cocaine").status_code == 200  # each gives its place back
    places.release()


def test_the_feed_of_a_search_is_stable(client: TestClient, store: Store) -> None:
    first = client.get("/search.atom?q=heroin")
    root = etree.fromstring(first.content)
    ids = root.xpath("//a:entry/a:id/text()", namespaces={"a": "http://www.w3.org/2005/Atom"})
    assert len(ids) == 2
    again = client.get("/search.atom?q=heroin", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    ingest(store, [observation(answered("Heroin, now answered.", uin="2"), observed_at=NOW)], now=NOW)
    assert client.get("/search.atom?q=heroin").headers["etag"] != first.headers["etag"]


def test_a_search_is_worked_out_once_until_anything_is_stored(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out = []
    real = searching.find
    monkeypatch.setattr(searching, "find", lambda *given: worked_out.append(given[1].text) or real(*given))
    first = client.get("/?q=heroin").text
    assert client.get("/?q=heroin").text == first
    client.get("/?q=heroin&sort=relevance")
    if store.dialect == "sqlite":  # to PostgreSQL what other databases of the server store is news too
        assert worked_out == ["heroin", "heroin"]
    later = NOW + timedelta(minutes=1)
    for number in range(8, 11):  # each of them, whichever connection stored it
        ingest(store, [observation(answered("Heroin again.", uin=str(number)))], now=later)
        assert any(each.endswith(f"/{number}") for each in results(client.get("/?q=heroin").text))


def test_pages_that_are_kept_stay_few() -> None:
    pages = Pages(most_bytes=30)
    for number in range(10):
        assert pages.get(number, "state", lambda: b"ten bytes.") == b"ten bytes."
    made: list[int] = []
    for number in (9, 8, 7, 6):
        pages.get(number, "state", lambda number=number: bytes(made.append(number) or b"ten bytes."))  # type: ignore[misc]
    assert made == [6]


def test_hostile_text_is_text(client: TestClient) -> None:
    for address in (
        "/",
        "/?q=cocaine",
        '/?q="alert+1"',
        "/?q=" + "%3Cscript%3Ealert(1)%3C/script%3E",
        "/search.atom?q=cocaine",
    ):
        page = client.get(address).text
        assert "<script>alert" not in page
        assert "\u202e" not in re.sub(r'value="[^"]*"', "", page) or "atom" in address


def test_who_asks_too_often_waits(store: Store, tmp_path: Path) -> None:
    client = visitor(store, tmp_path)
    client.app.state.site.limits.searches = Limiter(a_minute=0.01, burst=5)  # type: ignore[attr-defined]
    statuses = [client.get("/?q=cocaine").status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert client.get("/").status_code == 200  # reading goes on


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(client: TestClient) -> None:
    for address in ("/", "/?q=cocaine"):
        root = html.fromstring(client.get(address).text)
        assert not root.xpath("//@style | //style | //script[not(@src)] | //@onclick")
        assert all(
            str(each).startswith("/") for each in root.xpath("//script/@src | //link/@href | //img/@src")
        )


def test_filters_and_queries_stay_apart(store: Store, tmp_path: Path) -> None:
    at = site(store, tmp_path)
    asked = read('a OR "b c"', at.setup.topics)
    token = valued("department", 'Ministry "of" Justice')
    assert token == 'department:"Ministry of Justice"'
    text = narrowed(asked, token)
    assert text == f'(a OR "b c") {token}'
    assert holds(text, token)
    assert not holds(f'"{token}" (x {token})', "x")
    assert freed(text, token) == '(a OR "b c")'
    assert parse(text)
