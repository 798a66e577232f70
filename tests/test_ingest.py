"""Taking observations in: identity, authority, batches, and what is written of them. On both databases."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import Table, func, select

from storage import rows as rows_module
from storage.ingest import IngestResult, ingest, lapse, see_rows, unsettled
from storage.questions import find
from storage.records import Body, Content, House, Kind, Member, Observation, Record, Row, State
from storage.schema import aliases, changes, discrepancies, questions, sightings, versions
from storage.store import Store, open_store
from tests.helpers import (
    NOW,
    QUESTION_FIELDS,
    answered,
    at,
    attachment,
    content,
    corrected,
    feed_item,
    holding,
    observation,
)

KEY = "commons/2025-03-03/35566"


def take(store: Store, *shown: Observation, now: datetime | None = None, **how: bool) -> IngestResult:
    return ingest(store, shown, now=now or max(each.observed_at for each in shown), **how)


def elsewhere(what: Content, source: str = "theyworkforyou", **fields: Any) -> Observation:
    return observation(what, source=source, source_id=f"{source}-1", **fields)


def held(store: Store, key: str = KEY) -> Record:
    with store.read() as conn:
        record = find(conn, key, versions=True)
    assert record is not None
    return record


def kinds(record: Record) -> list[str]:
    return [" ".join(version.kinds) for version in record.versions]


def count(store: Store, table: Table) -> int:
    with store.read() as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar() or 0


def everything(store: Store) -> list[Any]:
    """All that matters for what is shown and sent; not when it was seen again."""
    with store.read() as conn:
        return [
            conn.execute(select(table).order_by(*table.primary_key.columns)).all()
            for table in (questions, versions, changes, aliases, discrepancies)
        ]


# A question's life


def test_a_life(store: Store) -> None:
    seen = [
        observation(content()),
        observation(holding(), observed_at=at(1)),
        observation(answered(holding_on=date(2025, 3, 5), heading="Cocaine"), observed_at=at(2)),
        observation(corrected(holding_on=date(2025, 3, 5), heading="Cocaine"), observed_at=at(3)),
    ]
    for each in seen:
        take(store, each)
    record = held(store)
    assert kinds(record) == ["tabled", "holding", "answered retitled", "corrected"]
    assert record.state is State.CORRECTED
    assert [version.observed_at for version in record.versions] == [at(day) for day in range(4)]
    with store.read() as conn:
        assert conn.execute(select(changes.c.event, changes.c.done_at)).all() == [
            (f"v{n}", None) for n in (1, 2, 3, 4)
        ]
        row = conn.execute(select(questions)).one()
    assert (row.state, row.number, row.heading, row.body_id) == ("corrected", 4, "Cocaine", 1)
    assert row.overdue_after == date(2025, 3, 10)
    assert row.sort_key == ((date(2025, 3, 7) - date(1900, 1, 1)).days << 24) | row.id


def test_a_life_in_one_batch_is_the_same(store: Store) -> None:
    shown = [
        observation(answered(), observed_at=at(2)),
        observation(content()),
        observation(holding(), observed_at=at(1)),
    ]
    result = take(store, *shown)
    assert kinds(held(store)) == ["tabled", "holding", "answered"]
    assert (result.new, result.versions.total(), result.unchanged) == (1, 3, 0)


def test_the_same_again_writes_nothing_but_that_it_was_seen(store: Store) -> None:
    shown = [observation(content()), feed_item(), elsewhere(answered(uin="77"))]
    take(store, *shown)
    before = everything(store)
    result = take(store, *(replace(each, observed_at=at(1)) for each in shown), now=at(1))
    assert result == IngestResult(0, unchanged=3)
    assert everything(store) == before
    with store.read() as conn:
        assert set(
            conn.execute(select(sightings.c.first_seen, sightings.c.last_seen, sightings.c.read_at))
        ) == {(NOW, at(1), at(1))}


def test_the_same_twice_in_a_batch_is_once(store: Store) -> None:
    result = take(store, observation(), observation(observed_at=at(0.1)))
    assert (result.new, result.unchanged) == (1, 1)
    record = held(store)
    assert kinds(record) == ["tabled"]
    assert [(seen.first_seen, seen.last_seen) for seen in record.sources] == [(NOW, at(0.1))]


def test_results_add_up() -> None:
    one, other = IngestResult(1, Counter({Kind.TABLED: 1}), 2), IngestResult(2, Counter({Kind.TABLED: 2}), 3)
    assert one + other == IngestResult(3, Counter({Kind.TABLED: 3}), 5)


def test_what_goes_and_comes_back_is_two_changes(store: Store) -> None:
    take(store, observation(content(heading="A")))
    take(store, observation(content(heading="B"), observed_at=at(1)))
    take(store, observation(content(heading="A"), observed_at=at(2)))
    assert kinds(held(store)) == ["tabled", "retitled", "retitled"]


def test_what_goes_and_comes_back_in_one_batch_is_two_changes(store: Store) -> None:
    take(store, observation(content(heading="A")))
    take(
        store,
        observation(content(heading="B"), observed_at=at(1)),
        observation(content(heading="A"), observed_at=at(2)),
    )
    assert kinds(held(store)) == ["tabled", "retitled", "retitled"]


def test_an_old_view_settles_nothing(store: Store) -> None:
    """A view from before the newest version must not make a later return to its content look known."""
    take(store, observation(content(heading="A"), observed_at=at(1), row_digest="a"))
    take(store, observation(content(heading="B"), observed_at=at(2), row_digest="b"))
    assert (
        take(
            store, observation(content(heading="A"), observed_at=at(1.5), row_digest="a"), now=at(2)
        ).unchanged
        == 1
    )
    with store.read() as conn:
        assert conn.execute(select(sightings.c.row_digest)).scalar() == "b"
    take(store, observation(content(heading="A"), observed_at=at(3)))
    assert kinds(held(store)) == ["tabled", "retitled", "retitled"]


def test_a_partial_view_stores_no_question(store: Store) -> None:
    assert take(store, observation(whole=False)) == IngestResult(unchanged=1)
    assert count(store, questions) == 0
    take(store, observation())
    take(store, observation(content(question_text="To ask"), whole=False, observed_at=at(1)))
    assert kinds(held(store)) == ["tabled"]
    with store.read() as conn:
        assert conn.execute(select(sightings.c.last_seen)).scalar() == at(1)


def test_first_seen_corrected(store: Store) -> None:
    result = take(store, observation(corrected(), original=("Four tonnes.", "<p>Four tonnes.</p>")))
    assert result.versions == {Kind.ANSWERED: 1, Kind.CORRECTED: 1}
    record = held(store)
    assert [version.reconstructed for version in record.versions] == [True, False]
    with store.read() as conn:
        assert conn.execute(select(changes.c.event)).scalars().all() == ["v2"]


def test_backfilled_versions_say_so(store: Store) -> None:
    take(store, observation(answered()), backfilled=True)
    assert held(store).versions[0].backfilled
    with store.read() as conn:
        assert conn.execute(select(changes.c.backfilled)).scalars().all() == [True]


def test_hostile_text_is_data(store: Store) -> None:
    text = "'; DROP TABLE questions; -- %s :x {y} \\ \" \u202e😀"
    take(store, observation(answered(text, heading=text)))
    assert held(store).content.answer_text == text


# Read again


def test_reparse_into_an_empty_store_is_the_crawl_without_alerts(store: Store) -> None:
    take(store, observation(content()), observation(answered(), observed_at=at(1)), reparsed=True)
    assert kinds(held(store)) == ["tabled", "answered"]
    assert count(store, changes) == 0


def test_reparse_of_a_full_store_adds_what_now_reads_differently(store: Store) -> None:
    shown = [observation(content()), observation(answered("Four tons"), observed_at=at(1))]
    take(store, *shown)
    again = replace(shown[1], observed_at=at(2))
    take(store, again)
    assert take(store, *shown, again, now=at(3), reparsed=True).versions.total() == 0
    mended = [replace(each, content=answered("Four tonnes")) for each in (shown[1], again)]
    assert take(store, shown[0], *mended, now=at(3), reparsed=True).versions == {Kind.REPARSED: 1}
    assert take(store, shown[0], *mended, now=at(4), reparsed=True).versions.total() == 0
    assert kinds(held(store)) == ["tabled", "answered", "reparsed"]
    assert count(store, changes) == 2


# Identity


def test_a_redated_question_keeps_both_keys(store: Store) -> None:
    take(store, observation(content(heading="A")))
    take(store, observation(content(heading="A", tabled_on=date(2025, 3, 4)), observed_at=at(1)))
    record = held(store, "commons/2025-03-04/35566")
    assert record.key == "commons/2025-03-04/35566"
    assert held(store, KEY) == record
    assert kinds(record) == ["tabled", "rescheduled"]
    take(store, elsewhere(content(heading="A"), observed_at=at(2)))
    assert count(store, questions) == 1
    assert held(store).key == "commons/2025-03-04/35566"


def test_a_uin_used_again_is_another_question(store: Store) -> None:
    later = date(2026, 5, 20)
    take(store, observation(), observation(content(tabled_on=later), official_id=1_990_000))
    assert count(store, questions) == 2


def test_keys_as_typed(store: Store) -> None:
    take(store, observation(content(uin="HL7", house=House.LORDS)))
    assert held(store, "Lords/2025-03-03/hl7").key == "lords/2025-03-03/HL7"


def test_a_key_taken_over_by_another_official_id(store: Store) -> None:
    """The official API gave UIN and date to another question: neither is lost, and the first one is read again."""
    take(store, observation(content(), official_id=1))
    take(store, observation(content(question_text="To ask otherwise."), official_id=2, observed_at=at(1)))
    assert count(store, questions) == 2
    assert held(store).official_id == 2
    with store.read() as conn:
        assert conn.execute(
            select(questions.c.recheck_at).where(questions.c.official_id == 1)
        ).scalar() == at(1)
    take(store, observation(content(tabled_on=date(2025, 3, 4)), official_id=1, observed_at=at(2)))
    assert held(store, "commons/2025-03-04/35566").official_id == 1
    assert held(store).official_id == 2


def test_an_old_view_takes_no_key(store: Store) -> None:
    take(store, observation(content(), official_id=1, observed_at=at(1)))
    take(store, observation(content(), official_id=2, observed_at=at(0)), now=at(2))
    assert count(store, questions) == 2
    assert held(store).official_id == 1


def test_a_source_that_only_knows_its_own_id(store: Store) -> None:
    take(store, elsewhere(content()))
    renamed = elsewhere(content(tabled_on=date(2025, 3, 4)), observed_at=at(1))
    take(store, renamed)
    assert count(store, questions) == 1
    assert held(store).key == "commons/2025-03-04/35566"


# Authority


def test_a_question_seen_elsewhere_is_provisional_until_the_official_one_joins(store: Store) -> None:
    take(store, elsewhere(answered("It’s four tonnes.")))
    assert held(store).provisional
    assert count(store, changes) == 1
    take(store, observation(answered("It's four tonnes.", heading="Cocaine"), observed_at=at(1)))
    record = held(store)
    assert (record.provisional, record.official_id) == (False, 1_835_566)
    assert record.content.answer_text == "It's four tonnes."
    assert kinds(record) == ["answered", "retitled"]
    assert [sighting.source for sighting in record.sources] == ["theyworkforyou", "parliament"]


def test_dates_that_the_official_view_adds_are_no_event(store: Store) -> None:
    take(store, elsewhere(answered(due_on=None), seen=QUESTION_FIELDS - {"due_on", "named_day"}))
    take(store, observation(answered(named_day=True), observed_at=at(1)))
    assert held(store).content.due_on == content().due_on
    assert kinds(held(store)) == ["answered", "reformatted"]
    take(store, observation(answered(named_day=True, due_on=date(2025, 3, 6)), observed_at=at(2)))
    assert kinds(held(store)) == ["answered", "reformatted", "rescheduled"]


def test_the_official_view_joins_within_a_batch(store: Store) -> None:
    what = content(asking_member=Member("Ann Example"))
    take(
        store,
        elsewhere(what),
        observation(observed_at=at(1)),
        elsewhere(replace(what, heading="X"), observed_at=at(2)),
    )
    record = held(store)
    assert kinds(record) == ["tabled", "reformatted"]
    assert record.content == content()
    assert [each.field for each in record.discrepancies] == ["heading"]
    with store.read() as conn:
        assert conn.execute(select(sightings.c.fills)).scalars().all() == [None, None]


def test_what_one_source_alone_tells_is_held_without_a_version(store: Store) -> None:
    take(store, observation(answered()), elsewhere(answered(), extras={"votes_yes": 1, "votes_no": 0}))
    take(store, elsewhere(answered(), extras={"votes_yes": 2, "votes_no": 0}, observed_at=at(1)))
    take(store, elsewhere(answered(), whole=False, observed_at=at(2)))
    record = held(store)
    assert kinds(record) == ["answered"]
    assert {each.source: each.extras for each in record.sources} == {
        "parliament": {},
        "theyworkforyou": {"votes_yes": 2, "votes_no": 0},
    }


def test_two_other_sources_fill_in(store: Store) -> None:
    take(store, elsewhere(content(), "parallelparliament"))
    take(store, elsewhere(answered(question_text="To ask otherwise."), observed_at=at(1)))
    take(store, elsewhere(content(question_text="To ask more."), "parallelparliament", observed_at=at(2)))
    take(store, elsewhere(answered("Five."), observed_at=at(3)))
    record = held(store)
    assert kinds(record) == ["tabled", "answered", "edited", "edited"]
    assert (record.content.question_text, record.content.answer_text) == ("To ask more.", "Five.")
    differs = {(each.source, each.field): each for each in record.discrepancies}
    assert differs["theyworkforyou", "question_text"].here == "To ask more."


def test_what_others_told_before_the_official_view_is_compared_with_it_at_once(store: Store) -> None:
    treasury = Body("HM Treasury")
    take(store, elsewhere(answered("Four.", heading="Drugs", answering_body=treasury)))
    take(
        store, elsewhere(answered("Five.", answering_body=treasury), "parallelparliament", observed_at=at(1))
    )
    official = answered("Six.", heading="Drugs", answering_body=Body("Treasury", 14))
    take(store, observation(official, official_id=1, observed_at=at(2)))
    found = {(each.source, each.field): (each.here, each.there) for each in held(store).discrepancies}
    assert found["theyworkforyou", "answer_text"] == ("Six.", "Four.")
    assert found["parallelparliament", "answer_text"] == ("Six.", "Five.")
    assert ("parallelparliament", "answering_body") not in found
    take(store, observation(replace(official, answer_text="Four."), official_id=1, observed_at=at(3)))
    assert [each.source for each in held(store).discrepancies if each.field == "answer_text"] == [
        "parallelparliament"
    ]


def test_discrepancies_come_and_go(store: Store) -> None:
    take(store, observation(answered("It’s four – ﬁne.", heading="Cocaine"), official_id=1))
    spelt = answered(
        "It's  four - fine.",
        heading="Drugs",
        answering_member=Member("Mr Max Mustermann", position="Minister"),
    )
    take(store, elsewhere(spelt, observed_at=at(1)))
    record = held(store)
    (one,) = record.discrepancies
    assert (one.source, one.field, one.here, one.there) == ("theyworkforyou", "heading", "Cocaine", "Drugs")
    assert kinds(record) == ["answered"]
    take(store, elsewhere(replace(spelt, heading="Cocaine"), observed_at=at(2)))
    assert held(store).discrepancies == ()


def test_a_discrepancy_ends_when_the_official_text_moves(store: Store) -> None:
    take(store, observation(answered("Four."), official_id=1))
    other = elsewhere(answered("Five.", heading="Cocaine"), observed_at=at(1))
    take(store, other)
    assert [each.field for each in held(store).discrepancies] == ["answer_text", "heading"]
    take(store, observation(answered("Five.", heading="Drugs"), official_id=1, observed_at=at(2)))
    (left,) = held(store).discrepancies
    assert (left.field, left.here, left.there) == ("heading", "Drugs", "Cocaine")
    take(store, observation(answered("Six.", heading="Drugs"), official_id=1, observed_at=at(3)))
    take(store, replace(other, observed_at=at(4)))
    assert [each.field for each in held(store).discrepancies] == ["answer_text", "heading"]


def test_an_official_question_re_dated_onto_a_provisional_one(store: Store) -> None:
    take(store, observation(content(), official_id=1))
    take(store, elsewhere(content(tabled_on=date(2025, 3, 4)), observed_at=at(1)))
    assert count(store, questions) == 2
    take(store, observation(content(tabled_on=date(2025, 3, 4)), official_id=1, observed_at=at(2)))
    record = held(store, "commons/2025-03-04/35566")
    assert record.official_id == 1
    assert [sighting.source for sighting in record.sources] == ["parliament", "theyworkforyou"]


def test_feeds_and_scotland_wait_for_no_official_view(store: Store) -> None:
    take(store, feed_item())
    record = held(store, "feed/example.org/0123456789abcdef")
    assert not record.provisional
    assert kinds(record) == ["published"]


# Rows


def row(digest: str = "r1", source_id: str = "1835566") -> Row:
    return Row("parliament", source_id, KEY, digest)


def test_unsettled_rows(store: Store) -> None:
    with store.read() as conn:
        assert unsettled(conn, [row()]) == [row()]
    take(store, observation(row_digest="r1"))
    with store.read() as conn:
        assert unsettled(conn, [row(), row("r2"), row("r1", "9")]) == [row("r2"), row("r1", "9")]
    take(store, observation(row_digest="r2", observed_at=at(1)))
    with store.read() as conn:
        assert unsettled(conn, [row("r1"), row("r2")]) == [row("r1")]


def test_seen_rows_move_time_forward_only(store: Store) -> None:
    take(store, observation())
    for days in (3, 2):
        with store.write() as conn:
            see_rows(conn, [row(), row("r1", "9")], now=at(days))
    with store.read() as conn:
        assert conn.execute(select(sightings.c.last_seen, sightings.c.read_at)).all() == [(at(3), NOW)]


# Rechecks


def recheck_at(store: Store) -> datetime | None:
    with store.read() as conn:
        return conn.execute(select(questions.c.recheck_at)).scalar()


def test_an_answer_is_read_again_after_1_3_7_30_and_90_days(store: Store) -> None:
    take(store, observation())
    assert recheck_at(store) is None
    take(store, observation(answered(), observed_at=at(1)))
    for read, due in [(1, 2), (1.5, 2), (2, 4), (7, 8), (8.5, 31), (31, 91), (91, None), (92, None)]:
        take(store, observation(answered(), observed_at=at(read)))
        assert recheck_at(store) == (due and at(due))
    take(store, observation(answered("Five."), observed_at=at(100)))
    assert recheck_at(store) == at(101)


def test_backfilled_answers_are_not_read_again(store: Store) -> None:
    take(store, observation(answered()), backfilled=True)
    assert recheck_at(store) is None
    take(store, observation(answered(heading="Cocaine"), observed_at=at(1)))
    assert recheck_at(store) is None
    take(store, observation(answered("Five."), observed_at=at(2)))
    assert recheck_at(store) == at(3)


# The end of a session


OLD = {"tabled_on": date(2024, 5, 20), "due_on": date(2024, 5, 22)}


def test_open_questions_lapse_with_their_session(store: Store) -> None:
    before = datetime.fromisoformat("2024-05-24T12:00:00Z")
    after = datetime.fromisoformat("2024-07-20T12:00:00Z")
    take(
        store,
        observation(content(**OLD), observed_at=before),
        observation(answered(uin="2", **OLD), observed_at=before),
        observation(content(uin="3"), observed_at=at(0)),
    )
    assert lapse(store, now=before).versions.total() == 0
    assert lapse(store, now=after).versions == {Kind.LAPSED: 1}
    assert lapse(store, now=after).versions.total() == 0
    record = held(store, "commons/2024-05-20/35566")
    assert (kinds(record), record.state) == (["tabled", "lapsed"], State.LAPSED)
    assert not record.versions[1].backfilled
    same = observation(content(**OLD), observed_at=at(0))
    assert take(store, same).versions.total() == 0
    take(store, observation(answered(**OLD), observed_at=at(1)))
    assert kinds(held(store, "commons/2024-05-20/35566")) == ["tabled", "lapsed", "answered"]


def test_what_had_lapsed_before_we_saw_it_is_no_news(store: Store) -> None:
    take(store, observation(content(**OLD)), backfilled=True)
    assert lapse(store, now=at(1)).versions == {Kind.LAPSED: 1}
    assert held(store, "commons/2024-05-20/35566").versions[1].backfilled


def test_a_lapse_that_proved_untrue_is_taken_back(store: Store) -> None:
    take(store, observation(content(**OLD)))
    lapse(store, now=at(1))
    take(
        store,
        observation(content(), observed_at=at(2)),
    )
    assert lapse(store, now=at(3)).versions == {Kind.RESTORED: 1}
    assert held(store).state is State.TABLED


# Crashes and company


def test_a_crash_in_a_batch_leaves_nothing_of_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    take(store, observation())
    before = everything(store)
    monkeypatch.setattr(rows_module, "_write_discrepancies", crash)
    with pytest.raises(KeyboardInterrupt):
        take(store, observation(answered(), observed_at=at(1)), observation(content(uin="2")))
    monkeypatch.undo()
    assert everything(store) == before
    take(store, observation(answered(), observed_at=at(1)))
    assert kinds(held(store)) == ["tabled", "answered"]


def test_two_writers_store_a_question_once(database_url: str) -> None:
    shown = [observation(content(uin=str(number))) for number in range(1, 60)]
    failures: list[BaseException] = []

    def work(source: str) -> None:
        store = open_store(database_url)
        try:
            for each in shown:
                ingest(store, [each if source == "parliament" else elsewhere_of(each)], now=NOW)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)
        finally:
            store.close()

    threads = [
        threading.Thread(target=work, args=(source,)) for source in ("parliament", "parliament", "other")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store = open_store(database_url)
    assert count(store, questions) == len(shown)
    assert count(store, sightings) == 2 * len(shown)
    store.close()


def elsewhere_of(seen: Observation) -> Observation:
    return replace(seen, source="theyworkforyou", official_id=None)


def test_a_batch_larger_than_any_limit_on_parameters(store: Store) -> None:
    shown = [observation(content(uin=str(number))) for number in range(1, 1201)]
    assert take(store, *shown).new == 1200
    assert take(store, *(replace(each, observed_at=at(1)) for each in shown)).unchanged == 1200


def test_everything_an_answer_holds_comes_back(store: Store) -> None:
    full = corrected(
        heading="Cocaine",
        declared_interest=True,
        grouped_with=("commons/2025-03-03/35567",),
        attachments=(attachment(),),
        answering_body=Body("Home Office"),
    )
    take(store, observation(full))
    assert held(store).content == full
