"""Subscribing, confirming, managing and leaving by the web: a GET shows, a POST acts, nothing tells who is known."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import feedparser
import httpx
import pytest
from fastapi.testclient import TestClient

from alerts import confirm as tokens
from alerts import run as alerts_run
from alerts.confirm import Scope
from alerts.subscriptions import Request, subscribe
from pqwatch.web.limits import Limiter
from pqwatch.web.pages import subscribe as page
from pqwatch.web.pages.manage import manage_path
from storage import subscriptions as rows
from storage.ingest import ingest
from storage.schema import messages
from storage.store import Store
from storage.subscriptions import Subscription
from tests.helpers import NOW, answered, at, content, observation
from tests.web import site, visitor

MAIL = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "pqwatch@example.org"}
WISH = {
    "q": "cocaine",
    "channel": "mail",
    "address": "reader@example.org",
    "every": "daily",
    "at": "07:30",
    "on": ["answered"],
}


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    ingest(store, [observation(content(), observed_at=at(-4))], now=at(-4))
    ingest(store, [observation(answered(), observed_at=at(-2))], now=at(-2))
    return visitor(store, tmp_path, **MAIL)


def _every(store: Store) -> list[Subscription]:
    with store.read() as conn:
        return rows.every(conn, ended=True)


def _with_token(client: TestClient, wish: dict[str, object]) -> dict[str, object]:
    found = re.search(r'name="token" value="([^"]+)"', client.get("/subscribe?q=cocaine").text)
    assert found
    return {**wish, "token": found.group(1)}


def _post(client: TestClient, path: str, wish: dict[str, object]) -> httpx.Response:
    return client.post(path, data=_with_token(client, wish))


def _made(store: Store, tmp_path: Path, **fields: object) -> Subscription:
    wish = Request(query="cocaine", to="mailto:reader@example.org", **fields)  # type: ignore[arg-type]
    return subscribe(store, wish, setup=site(store, tmp_path, **MAIL).setup, now=NOW)


def test_the_preview_tells_what_would_have_come(client: TestClient) -> None:
    text = client.get("/subscribe", params={"q": "cocaine"}).text
    assert "1 hit since" in text
    assert "March 2025" in text
    assert '<svg class="chart"' in text
    assert "<mark>cocaine</mark>" in text
    assert "/commons/2025-03-03/35566" in text


def test_a_mistake_in_the_words_is_shown_with_its_place(client: TestClient) -> None:
    answer = client.get("/subscribe", params={"q": 'cocaine "heroin'})
    assert answer.status_code == 200
    assert "column" in answer.text
    assert "2. How?" not in answer.text


def test_nothing_is_stored_before_the_last_step(client: TestClient, store: Store) -> None:
    answer = _post(client, "/subscribe/check", WISH)
    assert "Is this right?" in answer.text
    assert "reader@example.org" in answer.text
    assert _every(store) == []


def test_a_mail_subscription_waits_for_its_confirmation(
    client: TestClient, store: Store, tmp_path: Path
) -> None:
    assert "Look into your mail" in _post(client, "/subscribe", WISH).text
    (made,) = _every(store)
    assert (made.to, made.every, made.at, made.confirmed_at) == (
        "mailto:reader@example.org",
        "daily",
        "07:30",
        None,
    )
    link = tokens.confirm_link(site(store, tmp_path).setup, made.id)
    assert client.get(link).status_code == 200
    assert _every(store)[0].confirmed_at is None, "a GET, as a link scanner makes it, confirms nothing"
    assert "Confirmed" in client.post(link).text
    assert _every(store)[0].confirmed_at == NOW


def test_the_answer_never_tells_whether_an_address_is_known(client: TestClient, store: Store) -> None:
    asked = []
    for query in ("cocaine", "cocaine", "heroin", "khat", "opium"):
        asked.append(_post(client, "/subscribe", WISH | {"q": query}).text)
        with store.read() as conn:
            asked.append(str(len(conn.execute(messages.select()).all())))
    assert len(set(asked[::2])) == 1
    assert asked[1::2] == ["1", "1", "2", "3", "3"], "once for one alert, three times a day at most"


def test_a_forged_form_is_refused(client: TestClient, store: Store, tmp_path: Path) -> None:
    assert client.post("/subscribe", data=WISH).status_code == 403
    other = visitor(store, tmp_path, **MAIL)
    stolen = _with_token(client, WISH)
    other.get("/subscribe")
    assert other.post("/subscribe", data=stolen).status_code == 403
    assert _every(store) == []


def test_a_form_behind_a_link_is_taken_from_its_own_page_alone(
    client: TestClient, store: Store, tmp_path: Path
) -> None:
    made = _made(store, tmp_path)
    setup = site(store, tmp_path, **MAIL).setup
    links = (
        tokens.confirm_link(setup, made.id),
        manage_path(site(store, tmp_path), made),
        tokens.unsubscribe_link(setup, Scope(subscription_ids=(made.id,))),
    )
    for link in links:
        shown = client.get(link)
        found = re.search(r'name="token" value="([^"]+)"', shown.text)
        assert found
        assert shown.headers["cache-control"] == "private, no-store"
        acts = {"do": "pause", "subscription": str(made.id)}
        for from_browser in ({"origin": "https://evil.example"}, {"sec-fetch-site": "same-origin"}):
            assert client.post(link, data=acts, headers=from_browser).status_code == 403
        taken = client.post(link, data={**acts, "token": found[1]}, headers={"origin": "http://testserver"})
        assert taken.status_code == 200


def test_previews_wait_for_their_turn_and_not_for_ever(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "_PATIENCE", 0.01)
    places = client.app.state.site.limits.previewing  # type: ignore[attr-defined]
    with places, places:
        assert client.get("/subscribe?q=cocaine").status_code == 503
    assert client.get("/subscribe?q=cocaine").status_code == 200


def test_going_back_keeps_what_was_chosen(client: TestClient) -> None:
    hook = {
        **WISH,
        "channel": "webhook",
        "address": "https://hook.example.org/in",
        "notice": "weekly",
        "expires": "2026-01-02",
    }
    for more in ({"change": "yes"}, {"address": "ftp://x"}):
        text = _post(client, "/subscribe/check", {**hook, **more}).text
        for chosen in (
            'value="webhook" checked', 'value="daily" checked', 'value="07:30"', 'value="weekly" selected', 'value="2026-01-02"',
        ):  # fmt: skip
            assert chosen in text
        assert 'value="corrected" checked' not in text


def test_sign_ups_are_limited(client: TestClient) -> None:
    client.app.state.site.limits.sign_ups = Limiter(a_minute=1, burst=2)  # type: ignore[attr-defined]
    statuses = [_post(client, "/subscribe", WISH).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


@pytest.mark.parametrize(
    "address", ["file:///etc", "http://127.0.0.1/x", "stdout:", "a@b.org\r\nBcc: c@d.org", ""]
)
def test_no_other_channel_and_no_bad_address_from_the_web(
    client: TestClient, store: Store, address: str
) -> None:
    channel = "mail" if "@" in address else "webhook"
    answer = _post(client, "/subscribe", {**WISH, "channel": channel, "address": address})
    assert answer.status_code == 422
    assert _every(store) == []


def test_a_feed_begins_at_once_and_is_served(client: TestClient, store: Store, tmp_path: Path) -> None:
    answer = _post(client, "/subscribe", {**WISH, "channel": "feed", "address": "", "every": "instant"})
    (made,) = _every(store)
    assert made.token in answer.text
    corrected = answered("Five tonnes were seized.", corrected_on=at(1).date())
    ingest(store, [observation(corrected, observed_at=at(1))], now=at(1))
    alerts_run.run(store, settings=site(store, tmp_path).setup, now=at(1))
    for suffix, kind in (("atom", "application/atom+xml"), ("json", "application/feed+json")):
        feed = client.get(f"/feeds/{made.token}.{suffix}")
        assert feed.status_code == 200
        assert feed.headers["content-type"].startswith(kind)
        again = client.get(f"/feeds/{made.token}.{suffix}", headers={"If-None-Match": feed.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert not feedparser.parse(client.get(f"/feeds/{made.token}.atom").content).bozo
    assert client.get("/feeds/guessed.atom").status_code == 404


def test_one_click_ends_and_a_scanner_does_not(client: TestClient, store: Store, tmp_path: Path) -> None:
    made = _made(store, tmp_path, confirmed=True)
    link = tokens.unsubscribe_link(site(store, tmp_path).setup, Scope(subscription_ids=(made.id,)))
    assert made.name in client.get(link).text
    assert _every(store)[0].ended_at is None
    done = client.post(link, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert _every(store)[0].ended_at == NOW
    assert "nothing left to end" in client.post(link).text


def test_all_of_an_address_is_managed_in_one_place(client: TestClient, store: Store, tmp_path: Path) -> None:
    first = _made(store, tmp_path, confirmed=True, name="first")
    second = _made(store, tmp_path, confirmed=True, name="second")
    foreign = subscribe(
        store, Request(query="heroin", to="feed:"), setup=site(store, tmp_path).setup, now=NOW
    )
    path = page.manage_path(site(store, tmp_path), first)
    shown = client.get(path).text
    assert "first" in shown
    assert "second" in shown
    client.post(path, data={"do": "pause", "subscription": second.id})
    assert _every(store)[1].paused_at == NOW
    client.post(path, data={"do": "resume", "subscription": second.id})
    assert _every(store)[1].paused_at is None
    assert client.post(path, data={"do": "end", "subscription": foreign.id}).status_code == 403
    assert client.post(path, data={"do": "explode", "subscription": first.id}).status_code == 422
    client.post(path, data={"do": "end-all"})
    assert [each.ended_at is None for each in _every(store)] == [False, False, True]


@pytest.mark.parametrize("path", ["/confirm/x", "/unsubscribe/x.y", "/manage/1.z"])
def test_a_wrong_token_opens_nothing(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path, data={"do": "end-all"}).status_code == 404


@pytest.mark.parametrize("to", ["feed:", "https://hook.example.org/in"])
def test_who_uses_the_same_feed_or_webhook_address_manages_only_their_own(
    client: TestClient, store: Store, tmp_path: Path, to: str
) -> None:
    setup = site(store, tmp_path, **MAIL).setup
    mine, others = (
        subscribe(store, Request(query=query, to=to, name=query), setup=setup, now=NOW)
        for query in ("cocaine", "heroin")
    )
    path = manage_path(site(store, tmp_path), mine)
    shown = client.get(path).text
    assert "cocaine" in shown
    assert "heroin" not in shown
    assert others.token not in shown
    assert client.post(path, data={"do": "end", "subscription": str(others.id)}).status_code == 403
    client.post(path, data={"do": "end-all"})
    standing = {each.name for each in _every(store) if each.ended_at is None}
    assert standing == {"heroin"}


def test_the_pages_name_the_day_on_which_data_are_erased(
    client: TestClient, store: Store, tmp_path: Path
) -> None:
    asked = _made(store, tmp_path)
    there = site(store, tmp_path, **MAIL)
    link = tokens.confirm_link(there.setup, asked.id)
    day = f"{NOW + timedelta(days=28):%-d %B %Y}"
    assert f"this address is erased on {day}" in client.get(link).text
    assert "28 days after a subscription ended" in client.get(manage_path(there, asked)).text
    leave = tokens.unsubscribe_link(there.setup, Scope(subscription_ids=(asked.id,)))
    assert f"is erased on {day}" in client.post(leave).text
