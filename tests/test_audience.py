"""An audience that is kept from run to run sees what became of subscriptions meanwhile."""

from __future__ import annotations

from datetime import timedelta

from alerts import lifecycle
from alerts.audience import Audience
from alerts.setup import Setup
from alerts.subscriptions import Request, confirm, subscribe
from storage import subscriptions as rows
from storage.document import document
from storage.ingest import ingest
from storage.questions import iterate
from storage.store import Store
from storage.subscriptions import Subscription
from tests.fakes import NOW, answered, make_setup, observation

DAY = timedelta(days=1)


def add(store: Store, setup: Setup, query: str, **changes: object) -> Subscription:
    wish = Request(query=query, to="file:///nowhere", confirmed=True, **changes)  # type: ignore[arg-type]
    return subscribe(store, wish, setup=setup, now=NOW)


def test_a_kept_audience_equals_a_new_one(store: Store) -> None:
    setup = make_setup()
    ingest(store, [observation(answered(), NOW)], now=NOW)
    kept = Audience(setup)
    made = [add(store, setup, "cocaine", name=f"s{n}") for n in range(3)]
    waiting = subscribe(store, Request(query="county", to="mailto:a@example.org"), setup=setup, now=NOW)
    steps = [
        lambda: None,
        lambda: lifecycle.pause(store, "s0", now=NOW),
        lambda: lifecycle.resume(store, "s0", now=NOW + DAY),
        lambda: confirm(store, waiting.id, now=NOW + DAY),
        lambda: lifecycle.remove(store, "s1", now=NOW + DAY),
        lambda: add(store, setup, "police", name="late"),
        lambda: lifecycle.pause(store, "s2", now=NOW, why="mail came back"),
        lambda: lifecycle.forget(store, made[2].to, now=NOW),
    ]
    for step in steps:
        step()
        with store.read() as conn:
            kept.refresh(conn)
            assert kept.subscriptions == {s.id: s for s in rows.listening(conn)}
            (record,) = iterate(conn)
            new = Audience(setup)
            new.refresh(conn)
        what = document(record, today=NOW.date())
        assert kept.match(what) == new.match(what)
        assert kept.match(what) <= kept.subscriptions.keys()


def test_what_is_taken_for_a_look_back_does_not_stay(store: Store) -> None:
    setup = make_setup()
    add(store, setup, "cocaine", name="a")
    other = add(store, setup, "police", name="b")
    audience = Audience(setup)
    with store.read() as conn:
        audience.refresh(conn)
        audience.only(other)
        assert audience.subscriptions.keys() == {other.id}
        audience.refresh(conn)
        assert len(audience.subscriptions) == 2
