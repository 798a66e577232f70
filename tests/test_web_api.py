"""The HTTP API: its shapes, cursors, ETags, tokens and errors, and the addresses for machines that watch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerts.query import parse
from alerts.run import run
from pqwatch.web import shapes
from storage import subscriptions as rows
from storage.ingest import ingest
from storage.store import StorageError, Store
from tests.helpers import NOW, answered, at, attachment, content, corrected, feed_item, observation
from tests.web import site, visitor

API = "/api/v1"
KEY = "commons/2025-03-03/35566"
OPERATOR = {"Authorization": "Bearer the-operator"}
WEBHOOK = {"query": "cocaine", "to": "https://hooks.example.org/x"}


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    for day, what in enumerate((content(), answered(attachments=(attachment(),)), corrected())):
        ingest(store, [observation(what, observed_at=at(day))], now=at(day))
    more = [observation(answered(uin=str(n))) for n in range(1, 8)]
    ingest(store, [*more, feed_item()], now=NOW)
    topics: Any = {"drugs": parse("cocaine")}
    return visitor(store, tmp_path, admin_token="the-operator", topics=topics, smtp_url="smtp://127.0.0.1:1", mail_from="pq@example.org",
                   allow_private_hosts=True)  # type: ignore[arg-type]  # fmt: skip


def test_a_question_has_the_documented_shape(client: TestClient) -> None:
    shown = client.get(f"{API}/questions/{KEY}")
    read = shapes.QuestionShape.model_validate_json(shown.content)
    assert (read.state, len(read.versions or []), read.topics) == (
        "corrected",
        3,
        ["drugs", "organised-crime"],
    )
    item = client.get(f"{API}/questions/feed/example.org/0123456789abcdef")
    assert shapes.QuestionShape.model_validate_json(item.content).house is None
    versions = shapes.VersionsShape.model_validate_json(client.get(f"{API}/questions/{KEY}/versions").content)
    assert [each.kind for each in versions.items] == ["tabled", "answered", "corrected"]


def test_what_is_known_is_not_sent_again(client: TestClient) -> None:
    for path in (f"/questions/{KEY}", f"/questions/{KEY}/versions", "/search?q=cocaine", "/health"):
        first = client.get(API + path)
        again = client.get(API + path, headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert client.get(API + path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("sort", ["date", "relevance"])
def test_pages_of_a_search_neither_skip_nor_repeat(client: TestClient, store: Store, sort: str) -> None:
    seen: list[Any] = []
    after: dict[str, str] = {}
    while True:
        found = client.get(f"{API}/search", params={"q": "cocaine", "limit": 3, "sort": sort, **after})
        page = shapes.SearchShape.model_validate_json(found.content)
        seen += [item.key for item in page.items]
        if page.next is None:
            break
        after = {"after": page.next}
        ingest(store, [observation(answered(uin=f"9{len(seen)}"))], now=NOW)  # arrives meanwhile
    assert len(seen) == len(set(seen))
    assert set(seen) >= {
        KEY,
        "feed/example.org/0123456789abcdef",
        *(f"commons/2025-03-03/{n}" for n in range(1, 8)),
    }


def test_a_search_can_bring_facets_and_versions(client: TestClient) -> None:
    found = client.get(f"{API}/search?q=cocaine&facets=true&versions=true").content
    page = shapes.SearchShape.model_validate_json(found)
    assert page.facets
    assert page.facets.house == {"Commons": 8}
    assert all(item.versions for item in page.items)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/questions/commons/2025-03-03/404", 404, "no source has shown"),
        ("/questions/x/y/z", 404, "no question key"),
        ("/search?q=a+OR", 422, "Column 5"),
        ("/search", 422, "q:"),
        ("/search?q=a&limit=0", 422, "limit"),
        ("/search?q=a&after=%00", 422, "after"),
        ("/subscriptions", 401, "Bearer"),
        ("/nothing", 404, "/api/v1/nothing"),
    ],
)
def test_errors_are_problems(client: TestClient, path: str, status: int, said: str) -> None:
    answer = client.get(API + path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = shapes.Problem.model_validate_json(answer.content)
    assert problem.status == status
    assert said in (problem.detail or "")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (f"{API}/subscriptions", "GET, HEAD, POST"),
        (f"{API}/subscriptions/1", "GET, HEAD, DELETE"),
        ("/subscribe", "GET, HEAD, POST"),
    ],
)
def test_a_method_too_many_is_told_those_there_are(client: TestClient, path: str, methods: str) -> None:
    refused = client.options(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, methods)


def test_a_webhook_is_taken_and_told_its_secret_once(client: TestClient, store: Store) -> None:
    made = shapes.MadeSubscription.model_validate_json(
        client.post(f"{API}/subscriptions", json=WEBHOOK).content
    )
    assert made.secret
    own = {"Authorization": f"Bearer {made.token}"}
    listed = shapes.SubscriptionsShape.model_validate_json(
        client.get(f"{API}/subscriptions", headers=own).content
    )
    assert [each.secret for each in listed.items] == [None]
    address = f"{API}/subscriptions/{made.id}"
    assert (
        shapes.SubscriptionDetails.model_validate_json(client.get(address, headers=own).content).query
        == "cocaine"
    )
    assert [client.delete(address, headers=own).status_code for _ in range(2)] == [204, 204]
    with store.read() as conn:
        assert rows.by_id(conn, made.id).ended_at is not None


def test_a_mail_address_is_only_asked(client: TestClient, store: Store) -> None:
    for query in ("cocaine", "cocaine", "heroin", "khat", "fentanyl"):
        answer = client.post(f"{API}/subscriptions", json={"query": query, "to": "mailto:a@example.org"})
        assert answer.status_code == 202
        assert "token" not in answer.json()
    with store.read() as conn:
        found = rows.every(conn)
    # once for one alert, not more often than that in a day, and nobody is told
    assert [each.query for each in found] == ["cocaine", "heroin", "khat"]
    assert {each.begins_at for each in found} == {None}


def test_only_the_operator_may_skip_the_confirmation(client: TestClient) -> None:
    wish = {"query": "cocaine", "to": "mailto:b@example.org", "confirmed": True}
    assert client.post(f"{API}/subscriptions", json=wish).status_code == 401
    assert (
        client.post(f"{API}/subscriptions", json=wish, headers={"Authorization": "Bearer wrong"}).status_code
        == 401
    )
    made = client.post(f"{API}/subscriptions", json=wish, headers=OPERATOR)
    assert made.json()["confirmed"] is True
    assert client.get(f"{API}/subscriptions", headers=OPERATOR).json()["total"] == 1


@pytest.mark.parametrize("change", [
    {"to": "file:///tmp/x"}, {"to": "stdout:"}, {"query": "NOT x"}, {"query": "a\x00"}, {"query": "\ud800"}, {"on": ["x"]}, {"at": "25:00"},
    {"extra": 1}, {"name": "7"}, {"expires": "2001-01-01"}, {"notice": "weekly"}, {"query": "a OR"},
])  # fmt: skip
def test_what_cannot_be_taken_is_refused(client: TestClient, store: Store, change: dict[str, Any]) -> None:
    import json

    body = json.dumps({**WEBHOOK, **change})
    answer = client.post(
        f"{API}/subscriptions", content=body, headers={"content-type": "application/json", **OPERATOR}
    )
    assert answer.status_code == 422
    with store.read() as conn:
        assert rows.every(conn) == []


def test_a_token_opens_one_subscription_only(client: TestClient) -> None:
    first, second = (client.post(f"{API}/subscriptions", json=WEBHOOK).json() for _ in range(2))
    own = {"Authorization": f"Bearer {first['token']}"}
    for path in ("", "/deliveries"):
        assert client.get(f"{API}/subscriptions/{second['id']}{path}", headers=own).status_code == 401
        assert client.get(f"{API}/subscriptions/999{path}", headers=own).status_code == 401
        assert client.get(f"{API}/subscriptions/999{path}", headers=OPERATOR).status_code == 404
    assert client.delete(f"{API}/subscriptions/{second['id']}", headers=own).status_code == 401
    assert client.get(f"{API}/subscriptions/{second['id']}").status_code == 401


def test_without_an_operator_nobody_is_it(store: Store, tmp_path: Path) -> None:
    client = visitor(store, tmp_path)
    for token in ("", "x"):
        assert (
            client.get(f"{API}/subscriptions", headers={"Authorization": f"Bearer {token}"}).status_code
            == 401
        )


def test_deliveries_are_told_page_by_page(client: TestClient, store: Store, tmp_path: Path) -> None:
    made = client.post(f"{API}/subscriptions", json={"query": "cocaine", "to": "feed:"}).json()
    ingest(store, [observation(answered(uin=str(n), heading="New")) for n in range(21, 26)], now=at(5))
    run(store, now=at(6), settings=site(store, tmp_path).setup)
    own = {"Authorization": f"Bearer {made['token']}"}
    seen: list[Any] = []
    after: dict[str, str] = {}
    for _ in range(9):
        found = client.get(
            f"{API}/subscriptions/{made['id']}/deliveries", params={"limit": 2, **after}, headers=own
        )
        page = shapes.DeliveriesShape.model_validate_json(found.content)
        seen += [item.id for item in page.items]
        if page.next is None:
            break
        after = {"after": page.next}
    assert page.total == len(seen) == len(set(seen))
    assert page.total >= 5
    assert found.headers["cache-control"] == "private, no-store"


def test_health_is_the_status(client: TestClient) -> None:
    assert shapes.HealthShape.model_validate_json(client.get(f"{API}/health").content).sources
    assert client.get("/healthz").text == "ok\n"


def test_metrics_read_as_prometheus_reads_them(client: TestClient) -> None:
    lines = client.get("/metrics").text.splitlines()
    assert 'pqwatch_source_questions{source="parliament"} 8' in lines
    for line in lines:
        assert line.startswith("# ") or float(line.rpartition(" ")[2]) >= 0
    assert len([line for line in lines if line.startswith("# TYPE")]) == len(
        {line for line in lines if line.startswith("# TYPE")}
    )


def test_a_database_that_does_not_answer_is_a_503(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Store) -> None:
        raise StorageError("the database is locked")

    monkeypatch.setattr(Store, "read", gone)
    assert client.get("/healthz").status_code == 503
    told = client.get(f"{API}/health")
    assert (told.status_code, told.headers["content-type"]) == (503, "application/problem+json")
    assert "locked" not in told.text


def test_the_document_names_every_error(client: TestClient) -> None:
    document = client.get(f"{API}/openapi.json").json()
    assert set(document["paths"]) == {
        f"{API}/questions/{{house}}/{{day}}/{{number}}", f"{API}/questions/{{house}}/{{day}}/{{number}}/versions", f"{API}/search",
        f"{API}/health", f"{API}/subscriptions", f"{API}/subscriptions/{{number}}", f"{API}/subscriptions/{{number}}/deliveries",
    }  # fmt: skip
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert "422" not in operation["responses"]
