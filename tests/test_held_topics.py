"""The topics of an archive asked of the index at once are those of each question asked alone."""

from __future__ import annotations

from alerts.held_topics import topics_held
from alerts.packs import topics_of
from storage import questions
from storage.ingest import ingest
from storage.store import Store
from tests.helpers import NOW, answered, at, content, observation

TEXTS = (
    "To ask the Home Secretary, how much cocaine was seized at ports by county lines officers.",
    "To ask the Home Secretary, how many people were prosecuted for money laundering by organised crime groups.",
    "To ask the Secretary of State, what the price of bread is.",
)


def test_asked_at_once_or_alone_the_topics_are_the_same(store: Store) -> None:
    shown = [
        observation(content(uin=str(number), question_text=text, heading=heading))
        for number, (text, heading) in enumerate(
            ((text, heading) for text in TEXTS for heading in (None, "Drugs: Smuggling", "Organised Crime")),
            start=1,
        )
    ]
    ingest(store, shown, now=NOW)
    edited = answered("Of bread, not of cocaine.", uin="1", question_text=TEXTS[2])
    ingest(store, [observation(edited, observed_at=at(1))], now=at(1))
    with store.read() as conn:
        told = topics_held(conn, today=NOW.date())
        records = list(questions.iterate(conn))
    assert {record.key: list(told(record)) for record in records} == {
        record.key: topics_of(record) for record in records
    }
    assert any(told(record) for record in records)
