"""The page of a question: whole, safe, and the same whatever key leads to it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from storage.ingest import ingest
from storage.records import Member
from storage.store import Store
from tests.helpers import NOW, answered, at, content, corrected, feed_item, observation
from tests.web import visitor

KEY = "/commons/2025-03-03/35566"
HOSTILE = "</td><script>alert(1)</script>\u202e"


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    steps = [content(), answered(heading="Drugs: Seizures"), corrected(heading="Drugs: Seizures")]
    for day, what in enumerate(steps):
        ingest(store, [observation(what, observed_at=at(day))], now=at(day))
    bad = answered(
        HOSTILE, uin="7", heading=HOSTILE, question_text=HOSTILE, asking_member=Member(HOSTILE),
        answer_html='<p onclick="x()">Table</p><a href="javascript:alert(1)">x</a><script>alert(1)</script>',
    )  # fmt: skip
    ingest(store, [observation(bad), feed_item()], now=NOW)
    return visitor(store, tmp_path)


def test_it_shows_texts_states_and_every_version(client: TestClient) -> None:
    page = client.get(KEY)
    assert page.status_code == 200
    for part in (
        "Drugs: Seizures",
        "Answer corrected",
        "3 March 2025",
        "Five tonnes",
        "Ann Example",
        "Max Mustermann",
    ):
        assert part in page.text
    assert page.text.count('<li id="v') == 3
    assert "<del>Four</del>" in page.text
    assert "<ins>Five</ins>" in page.text


def test_any_two_versions_can_be_compared(client: TestClient) -> None:
    page = client.get(f"{KEY}/diff?from=1&to=3")
    assert "From version 1 to version 3" in page.text
    assert "<ins>Five tonnes were seized.</ins>" in page.text
    assert client.get(f"{KEY}/diff?from=1&to=9", follow_redirects=False).status_code == 303
    assert client.get(f"{KEY}/diff?from=x&to=9").status_code == 422


def test_a_former_key_leads_to_the_present_one(client: TestClient, store: Store) -> None:
    moved = corrected(tabled_on=date(2025, 3, 4), heading="Drugs: Seizures")
    ingest(store, [observation(moved, observed_at=at(5), official_id=1_835_566)], now=at(5))
    gone = client.get(KEY, follow_redirects=False)
    assert (gone.status_code, gone.headers["location"]) == (301, "/commons/2025-03-04/35566")


def test_it_is_new_as_soon_as_anything_is_stored(client: TestClient, store: Store) -> None:
    page = client.get(KEY)
    known = {"If-None-Match": page.headers["etag"]}
    assert client.get(KEY, headers=known).status_code == 304
    later = corrected("Six tonnes were seized.", heading="Drugs: Seizures")
    ingest(store, [observation(later, observed_at=at(5))], now=at(5))
    again = client.get(KEY, headers=known)
    assert again.status_code == 200
    assert "Six tonnes" in again.text


def test_hostile_text_is_text(client: TestClient) -> None:
    page = client.get("/commons/2025-03-03/7").text
    assert "<script>alert" not in page
    assert "javascript:" not in page
    assert "onclick" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_is_not_held_is_said(client: TestClient) -> None:
    for path in (
        "/commons/2025-03-03/99", "/commons/nonsense/99", "/other/2025-03-03/99", "/search.xls?q=x", "/sources/problems/x",
    ):  # fmt: skip
        page = client.get(path)
        assert page.status_code == 404
        assert "Traceback" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_feed_item_has_a_page(client: TestClient) -> None:
    page = client.get("/feed/example.org/0123456789abcdef")
    assert page.status_code == 200
    assert "A post about cocaine." in page.text


def test_every_response_is_guarded(client: TestClient) -> None:
    for path in (KEY, "/static/style.css", "/nowhere"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    forms = {"content-type": "application/x-www-form-urlencoded"}
    for path, kind in (
        ("/subscribe", forms),
        ("/api/v1/subscriptions", {"content-type": "application/json"}),
    ):
        for body in (b"x" * 300_000, iter([b"x" * 100_000] * 3)):  # with its length, and without
            refused = client.post(path, content=body, headers=kind)
            assert refused.status_code == 413
            assert refused.headers["x-content-type-options"] == "nosniff"
            assert "too large" in (refused.json()["title"] if path.startswith("/api") else refused.text)


def test_a_slash_too_many_leads_to_the_page_and_never_to_another_host(client: TestClient) -> None:
    for path, leads in (
        ("/topics/?a=1", "/topics?a=1"),
        ("http://testserver//evil.example/", "/evil.example"),
        (f"{KEY}/", KEY),
    ):
        told = client.get(path, headers={"host": "evil.example"}, follow_redirects=False)
        assert (told.status_code, told.headers["location"]) == (308, leads)


def test_what_breaks_is_a_page_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pqwatch.web.pages.question._life", lambda versions: 1 / 0)
    broken = client.get(KEY)
    assert broken.status_code == 500
    assert "<h1>Something is broken here</h1>" in broken.text
    assert broken.headers["x-frame-options"] == "DENY"
    assert "ZeroDivisionError" in caplog.text


def test_an_endless_answer_is_whole_only_when_asked_for(client: TestClient, store: Store) -> None:
    rows = "".join(f"<tr><td>{n}</td><td>kilograms</td></tr>" for n in range(20_000))
    long = answered(
        "\n".join(f"{n}\tkilograms" for n in range(20_000)), uin="8", answer_html=f"<table>{rows}</table>"
    )
    ingest(store, [observation(long)], now=NOW)
    page = client.get("/commons/2025-03-03/8")
    assert len(page.content) < 60_000
    assert "Show all of it" in page.text
    assert "<td>19999</td>" in client.get("/commons/2025-03-03/8?whole=true").text


def test_a_page_stays_small_whatever_happened_to_a_question(client: TestClient, store: Store) -> None:
    for number in range(3):
        long = " ".join(f"<{number}x{n}>" for n in range(3_000))
        what = answered(long, uin="9", question_text=long)
        ingest(store, [observation(what, observed_at=at(number / 10))], now=at(number / 10))
    page = client.get("/commons/2025-03-03/9")
    assert len(page.content) < 300_000
    assert "/diff?from=1&amp;to=2" in page.text
