"""The operator's page: off without a token, nothing without the token, nothing from a forged form."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from alerts import run as alerts_run
from alerts.subscriptions import Request, subscribe
from pqwatch.web.limits import Limiter
from pqwatch.web.pages import admin
from storage import ledger, problems
from storage import subscriptions as rows
from storage.ingest import ingest
from storage.records import Problem
from storage.schema import deliveries, messages
from storage.store import Store
from tests.helpers import NOW, answered, at, observation
from tests.web import site, visitor

TOKEN = "a token of the operator's"


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    return visitor(store, tmp_path, admin_token=TOKEN)


def field(client: TestClient) -> str:
    found = re.search(r'name="token" value="([^"]+)"', client.get("/admin").text)
    assert found
    return found.group(1)


def enter(client: TestClient, token: str = TOKEN) -> httpx.Response:
    return client.post(
        "/admin/login", data={"token": field(client), "operator": token}, follow_redirects=False
    )


def do(client: TestClient, what: str, id_: object = "") -> httpx.Response:
    return client.post(
        "/admin", data={"token": field(client), "do": what, "id": str(id_)}, follow_redirects=False
    )


def one(store: Store, tmp_path: Path, to: str = "mailto:ada@example.org") -> rows.Subscription:
    setup = site(store, tmp_path, smtp_url="smtp://127.0.0.1:9", mail_from="a@example.org").setup
    wish = Request(query="cocaine <script>", to=to, name="<b>ada</b>", confirmed=True)
    return subscribe(store, wish, setup=setup, now=at(-5))


def test_without_a_token_there_is_no_such_page(store: Store, tmp_path: Path) -> None:
    client = visitor(store, tmp_path)
    client.cookies.set(admin.COOKIE, admin._pass(site(store, tmp_path)))
    assert client.get("/admin").status_code == 404
    assert client.post("/admin/login", data={"operator": ""}).status_code == 404
    assert client.post("/admin", data={"do": "retry-all"}).status_code == 404


def test_only_the_token_opens_it(client: TestClient, store: Store, tmp_path: Path) -> None:
    one(store, tmp_path)
    assert "<h2" not in client.get("/admin").text
    assert do(client, "pause", 1).status_code == 403
    for wrong in ("", "x", TOKEN[:-1], TOKEN + " x"):
        answer = enter(client, wrong)
        assert answer.status_code == 403
        assert admin.COOKIE not in answer.cookies
    answer = enter(client)
    assert answer.status_code == 303
    said = answer.headers["set-cookie"]
    assert "HttpOnly" in said
    assert "SameSite=strict" in said
    assert "Path=/admin" in said
    page = client.get("/admin")
    assert page.headers["cache-control"] == "no-store"
    assert "&lt;b&gt;ada" in page.text
    assert "<b>ada" not in page.text
    assert do(client, "leave").status_code == 303
    assert "<h2" not in client.get("/admin").text


def test_tries_are_limited(client: TestClient) -> None:
    client.app.state.site.limits.logins = Limiter(a_minute=0.01, burst=5)  # type: ignore[attr-defined]
    token = field(client)
    tries = [
        client.post("/admin/login", data={"token": token, "operator": "x"}).status_code for _ in range(7)
    ]
    assert tries == [403] * 5 + [429] * 2
    assert enter(client).status_code == 429


@pytest.mark.parametrize("forged", ["", "x", "x.y"])
def test_a_forged_form_does_nothing(client: TestClient, store: Store, tmp_path: Path, forged: str) -> None:
    made = one(store, tmp_path)
    assert enter(client).status_code == 303
    for path in ("/admin", "/admin/login"):
        data = {"token": forged, "do": "end", "id": str(made.id), "operator": TOKEN}
        assert client.post(path, data=data).status_code == 403
    with store.read() as conn:
        assert rows.by_id(conn, made.id).active


def test_a_pass_ends_with_its_time_and_with_the_token(
    client: TestClient, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert enter(client).status_code == 303
    other = visitor(store, tmp_path, admin_token="another token of the operator's")
    other.cookies.update(client.cookies)
    assert "Log in" in other.get("/admin").text
    assert "Log out" in client.get("/admin").text
    monkeypatch.setattr(admin.time, "time", lambda: 4e9)
    assert "Log in" in client.get("/admin").text


def test_the_operator_pauses_resumes_retries_and_ends(
    client: TestClient, store: Store, tmp_path: Path
) -> None:
    made = one(store, tmp_path, f"file://{tmp_path}")
    assert enter(client).status_code == 303
    assert do(client, "pause", made.id).status_code == 303
    assert "paused by the operator" in client.get("/admin").text
    assert do(client, "resume", made.id).status_code == 303
    ingest(store, [observation(answered("How cocaine <script> was seized."), observed_at=at(-1))], now=at(-1))
    alerts_run.run(store, now=at(0), settings=site(store, tmp_path).setup)
    with store.write() as conn:
        for table in (messages, deliveries):
            conn.execute(update(table).values(state="failed"))
    with store.read() as conn:
        (failed,) = ledger.listed(conn, states=("failed",))
    assert "1 have failed" in client.get("/admin").text
    assert do(client, "retry", failed.id).status_code == 303
    with store.read() as conn:
        assert ledger.count(conn, "failed") == 0
    assert do(client, "retry", failed.id).status_code == 422
    assert do(client, "retry-all").status_code == 303
    assert do(client, "end", made.id).status_code == 303
    with store.read() as conn:
        assert not rows.by_id(conn, made.id).active
    for what, id_ in (("pause", "x"), ("pause", "99"), ("dance", "1"), ("retry", "1 OR 1")):
        assert do(client, what, id_).status_code in (404, 422, 503)


def test_problems_and_runs_are_shown_as_text(client: TestClient, store: Store) -> None:
    with store.write() as conn:
        bad = Problem(
            source="parliament", kind="x", url="https://example.org/<i>", message="<script>alert(1)</script>"
        )
        problems.report(conn, [bad], now=NOW)
    assert enter(client).status_code == 303
    page = client.get("/admin").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
