"""What observations make of a question, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.content import FIELDS
from storage.decide import Held, decide, ended, merge
from storage.fingerprint import layout, meaning
from storage.records import Body, Content, House, Kind, Member, Observation, PageRef, State, Version
from tests.helpers import (
    ASKER,
    HOME_OFFICE,
    JUSTICE,
    MINISTER,
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

OTHER = Member("Olga Other", 4003)


def held(what: Content, **fields: Any) -> Held:
    return Held(**{"content": what, "number": 1, "observed_at": NOW, "official": True, **fields})


def after(before: Content, now: Content, **fields: Any) -> tuple[Version, ...]:
    return decide(held(before), observation(now, observed_at=at(1), **fields))


def kinds(before: Content, now: Content) -> str:
    return " ".join(after(before, now)[0].kinds)


# First sight


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        (content(), Kind.TABLED),
        (holding(), Kind.HOLDING),
        (answered(), Kind.ANSWERED),
        (corrected(), Kind.CORRECTED),
        (content(withdrawn=True), Kind.WITHDRAWN),
    ],
)
def test_the_first_version_has_the_kind_of_its_state(what: Content, kind: Kind) -> None:
    (version,) = decide(None, observation(what))
    assert (version.number, version.kind, version.kinds) == (1, kind, (kind,))
    assert version.content == what
    assert version.changed == tuple(
        dict.fromkeys(
            "state" if n == "withdrawn" else n for n in FIELDS if getattr(what, n) != getattr(Content(), n)
        )
    )


def test_a_feed_item_is_published() -> None:
    (version,) = decide(None, feed_item())
    assert version.kind is Kind.PUBLISHED
    assert version.content.state is State.PUBLISHED


def test_first_seen_corrected_with_its_original_makes_two() -> None:
    seen = observation(corrected("Five tonnes."), original=("Four tonnes.", "<p>Four tonnes.</p>"))
    first, second = decide(None, seen, backfilled=True)
    assert (first.number, first.kind, first.reconstructed, first.backfilled) == (1, Kind.ANSWERED, True, True)
    assert (first.content.answer_text, first.content.answer_html) == ("Four tonnes.", "<p>Four tonnes.</p>")
    assert first.content.state is State.ANSWERED
    assert (second.number, second.kinds, second.reconstructed) == (2, (Kind.CORRECTED,), False)
    assert second.changed == ("answer_text", "answer_html", "corrected_on")


def test_unseen_fields_stay_empty_whatever_the_content_holds() -> None:
    (version,) = decide(
        None, observation(answered(), seen=frozenset({"house", "uin", "tabled_on", "question_text"}))
    )
    assert version.content.answer_text is None
    assert version.kind is Kind.TABLED


def test_a_partial_view_makes_nothing() -> None:
    assert decide(None, observation(whole=False)) == ()
    assert after(answered(), content(question_text="To ask"), whole=False) == ()


# What happened


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (content(), answered(), "answered"),
        (content(), answered(grouped_with=("commons/2025-03-03/35567",)), "answered"),
        (content(), answered(attachments=(attachment(),)), "answered"),
        (content(), answered(heading="Cocaine: Seizures"), "answered retitled"),
        (content(), answered(question_text="To ask how much."), "answered edited"),
        (
            content(),
            answered(answering_body=JUSTICE, question_text="To ask Justice."),
            "answered transferred",
        ),
        (content(), answered(due_on=date(2025, 3, 6)), "answered rescheduled"),
        (content(), holding(), "holding"),
        (holding(), answered(holding_on=date(2025, 3, 5)), "answered"),
        (holding(), answered(holding_on=None), "answered"),
        (content(), answered(holding_on=date(2025, 3, 5)), "answered"),
        (answered(), holding(), "holding"),
        (answered(), corrected(), "corrected"),
        (answered(), corrected(answering_member=OTHER), "corrected"),
        (answered(), corrected(heading="Cocaine"), "corrected retitled"),
        (holding(), corrected(holding_on=date(2025, 3, 5)), "corrected answered"),
        (content(), corrected(), "corrected answered"),
        (corrected(), corrected("Six.", corrected_on=date(2025, 3, 20)), "corrected"),
        (corrected(), corrected("Six."), "edited"),
        (corrected(), answered("Five tonnes were seized."), "rescheduled"),
        (answered(), answered("Four tons were seized."), "edited"),
        (answered("It’s four."), answered("It's four."), "edited"),
        (answered(), answered(attachments=(attachment(),)), "edited"),
        (answered(), answered(answering_member=OTHER), "edited"),
        (answered(), answered(declared_interest=True), "edited"),
        (content(), content(asking_member=OTHER), "edited"),
        (content(), content(question_text="To ask how much."), "edited"),
        (content(), content(answering_body=JUSTICE), "transferred"),
        (content(), content(answering_body=JUSTICE, question_text="To ask Justice how much."), "transferred"),
        (answered(), answered(grouped_with=("commons/2025-03-03/35567",)), "regrouped"),
        (content(), content(heading="Cocaine"), "retitled"),
        (content(heading="Cocaine"), content(heading="Drugs"), "retitled"),
        (content(heading="Cocaine"), content(heading=None), "retitled"),
        (content(), content(due_on=date(2025, 3, 6)), "rescheduled"),
        (content(), content(tabled_on=date(2025, 3, 4)), "rescheduled"),
        (content(), content(named_day=True), "rescheduled"),
        (answered(), answered(answered_on=date(2025, 3, 8)), "rescheduled"),
        (holding(), holding(holding_on=date(2025, 3, 6)), "rescheduled"),
        (content(), content(withdrawn=True), "withdrawn"),
        (content(withdrawn=True), content(), "restored"),
        (content(withdrawn=True), answered(), "answered restored"),
        (content(lapsed=True), answered(), "answered"),
        (answered(), answered(answer_html="<p>Four <b>tonnes</b> were seized.</p>"), "reformatted"),
        (answered(), answered("Four tonnes\nwere seized."), "reformatted"),
        (
            content(),
            content(answering_body=JUSTICE, due_on=date(2025, 3, 6), heading="Cocaine"),
            "transferred rescheduled retitled",
        ),
    ],
)
def test_kinds(before: Content, now: Content, expected: str) -> None:
    (version,) = after(before, now)
    assert " ".join(version.kinds) == expected
    assert version.kind is version.kinds[0]
    assert version.number == 2


def test_an_answer_taken_back_is_an_edit_and_a_date() -> None:
    assert kinds(answered(), content()) == "edited rescheduled"


def test_changed_names_every_field_that_differs() -> None:
    (version,) = after(content(), answered(heading="Cocaine"))
    assert version.changed == ("heading", "answer_text", "answer_html", "answering_member", "answered_on")
    (version,) = after(content(), content(withdrawn=True))
    assert version.changed == ("state",)
    (version,) = after(answered(), answered(answer_html="<p>Four <b>tonnes</b> were seized.</p>"))
    assert version.changed == ("answer_html",)


def test_a_feed_item_knows_two_kinds() -> None:
    first = decide(None, feed_item())[0].content
    mended = feed_item("A better post.", heading="Another title", observed_at=at(1))
    (version,) = decide(held(first, official=False), mended)
    assert version.kinds == (Kind.EDITED,)
    marked = feed_item(answer_html="<p>A post <b>about</b> cocaine.</p>", observed_at=at(1))
    assert decide(held(first, official=False), marked)[0].kinds == (Kind.REFORMATTED,)


def test_the_page_and_time_of_a_version_are_those_of_its_observation() -> None:
    seen = observation(answered(), observed_at=at(2), page=PageRef("f" * 64, "x.warc.gz", 7))
    (version,) = decide(held(content()), seen, backfilled=True)
    assert (version.observed_at, version.page, version.backfilled) == (at(2), seen.page, True)


# What is no change


@pytest.mark.parametrize(
    "now",
    [
        content(),
        content(asking_member=replace(ASKER, party="Labour", name="Ann Example MP")),
        content(answering_body=Body("Home Department", 1)),
        content(asking_member=Member("ann example")),
        content(heading=""),
    ],
)
def test_nothing_changed(now: Content) -> None:
    assert after(content(), now) == ()


def test_groups_have_no_order() -> None:
    one = ("commons/2025-03-03/1", "commons/2025-03-03/2")
    assert after(answered(grouped_with=one), answered(grouped_with=one[::-1])) == ()


def test_members_stay_as_first_seen_when_something_else_changes() -> None:
    (version,) = after(content(), answered(asking_member=replace(ASKER, party="Labour")))
    assert version.content.asking_member == ASKER
    assert "asking_member" not in version.changed


def test_an_older_view_changes_nothing_and_one_of_the_same_time_may() -> None:
    current = held(content(), observed_at=at(1))
    assert decide(current, observation(answered(), observed_at=at(0.999))) == ()
    assert decide(current, observation(answered(), observed_at=at(1))) != ()


def test_what_was_not_seen_is_kept() -> None:
    seen = frozenset({"heading", "due_on"})
    (version,) = after(answered(), content(heading="Cocaine"), seen=seen)
    assert version.content == answered(heading="Cocaine")


def test_a_null_where_a_value_was_counts_when_it_was_seen() -> None:
    (version,) = after(answered(), content())
    assert version.content.answer_text is None


# Read again


def test_a_page_read_again_differently_is_reparsed() -> None:
    current = held(answered("Four tons"), read_at=at(3))
    seen = observation(answered("Four tonnes"), observed_at=at(2))
    assert decide(current, seen, reparsed=True)[0].kinds == (Kind.REPARSED,)
    assert decide(current, seen)[0].kinds == (Kind.EDITED,)


def test_a_page_that_could_not_be_read_before_tells_what_happened() -> None:
    current = held(content(), read_at=at(1))
    assert decide(current, observation(answered(), observed_at=at(2)), reparsed=True)[0].kind is Kind.ANSWERED


# Other sources


def elsewhere(what: Content, source: str = "theyworkforyou", **fields: Any) -> Observation:
    given: dict[str, Any] = {"observed_at": at(1), "source": source, **fields}
    return observation(what, **given)


def provisional(what: Content, source: str = "theyworkforyou", **fields: Any) -> Held:
    given = [name for name in FIELDS if getattr(what, name) != getattr(Content(), name)]
    return held(what, official=False, fills=dict.fromkeys(given, source), **fields)


def test_no_other_source_changes_what_the_official_one_gave() -> None:
    assert decide(held(content()), elsewhere(answered())) == ()


def test_the_same_source_changes_what_it_gave() -> None:
    (version,) = decide(provisional(answered()), elsewhere(answered("Five.")))
    assert version.kinds == (Kind.EDITED,)
    assert decide(provisional(answered()), elsewhere(answered(attachments=(attachment(),))))[0].kinds == (
        Kind.EDITED,
    )


def test_another_source_fills_in_and_never_overrules() -> None:
    current = provisional(content(), source="parallelparliament")
    (version,) = decide(current, elsewhere(answered(question_text="To ask otherwise.")))
    assert version.kinds == (Kind.ANSWERED,)
    assert version.content == answered()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (answered("It's  “four” tonnes - no more.", due_on=date(2025, 3, 10)), "rescheduled"),
        (answered("It's  “four” tonnes - no more.", heading="Cocaine"), "retitled"),
        (answered("It's  “four” tonnes - no more."), "reformatted"),
        (answered("It's five."), "edited"),
        (corrected("It's five."), "corrected"),
        (holding("Later."), "holding"),
    ],
)
def test_the_official_view_alerts_again_only_for_other_words(now: Content, expected: str) -> None:
    before = answered(
        "It’s ‘four’ tonnes – no more.",
        asking_member=Member("Ann Example"),
        answering_member=Member("Max Mustermann"),
        answering_body=Body("Home Department"),
    )
    (version,) = decide(provisional(before), observation(now, observed_at=at(1)))
    assert " ".join(version.kinds) == expected
    assert version.content == now


def test_what_no_source_had_told_is_learned_and_not_changed() -> None:
    before = answered(due_on=None)
    now = answered(named_day=True, holding_on=date(2025, 3, 5))
    (version,) = decide(provisional(before), observation(now, observed_at=at(1)))
    assert version.kinds == (Kind.REFORMATTED,)
    assert version.changed == ("due_on", "named_day", "holding_on")
    assert version.content == now


def test_the_official_view_is_taken_though_another_source_was_later() -> None:
    current = provisional(content(), observed_at=at(1))
    (version,) = decide(current, observation(answered(), observed_at=at(0.9)))
    assert version.kind is Kind.ANSWERED


def test_the_end_of_a_session() -> None:
    page = PageRef("e" * 64)
    end = ended(held(content()), lapsed=True, source="parliament", page=page, now=at(5), backfilled=False)
    assert (end.number, end.kinds, end.changed, end.content.state) == (
        2,
        (Kind.LAPSED,),
        ("state",),
        State.LAPSED,
    )
    back = ended(held(end.content), lapsed=False, source="parliament", page=page, now=at(6), backfilled=False)
    assert (back.kinds, back.content) == ((Kind.RESTORED,), content())


# Rules that hold for all

texts = st.sampled_from([None, "", "a", "a b", "a\nb", "a  b", "b", "“a”", "a\u200b"])
days = st.sampled_from([None, date(2025, 3, 5), date(2025, 3, 6)])
members = st.sampled_from([None, ASKER, MINISTER, Member("Ann Example"), replace(ASKER, party="Green")])
contents = st.builds(
    Content,
    house=st.sampled_from([House.COMMONS, None]),
    uin=st.just("1"),
    tabled_on=days,
    due_on=days,
    named_day=st.booleans(),
    heading=texts,
    answering_body=st.sampled_from(
        [None, HOME_OFFICE, JUSTICE, Body("Home Office"), Body("Home Department", 1)]
    ),
    asking_member=members,
    question_text=texts,
    answer_text=texts,
    answer_html=texts,
    answering_member=members,
    answered_on=days,
    holding_on=days,
    corrected_on=days,
    withdrawn=st.booleans(),
    grouped_with=st.sampled_from(
        [(), ("commons/2025-03-03/2",), ("commons/2025-03-03/3", "commons/2025-03-03/2")]
    ),
    attachments=st.sampled_from([(), (attachment(),)]),
)
views = st.builds(
    lambda what, seen, day, source, whole: observation(
        what,
        key="commons/2025-03-03/1",
        seen=frozenset(seen),
        observed_at=NOW + timedelta(days=day),
        source=source,
        whole=whole,
    ),
    contents,
    st.sets(st.sampled_from(sorted(QUESTION_FIELDS))),
    st.integers(0, 5),
    st.sampled_from(["parliament", "parliament", "theyworkforyou"]),
    st.sampled_from([True, True, True, False]),
)


def follow(shown: list[Observation]) -> list[Version]:
    """The versions that a row of official views makes."""
    made: list[Version] = []
    for view in shown:
        made += decide(_standing(made), view)
    return made


def _standing(made: list[Version]) -> Held | None:
    if not made:
        return None
    newest = made[-1]
    return held(
        newest.content, number=newest.number, observed_at=newest.observed_at, read_at=newest.observed_at
    )


@given(st.lists(views, max_size=8))
def test_versions_count_up_differ_and_say_how(shown: list[Observation]) -> None:
    made = follow([view for view in shown if view.source == "parliament"])
    assert [version.number for version in made] == list(range(1, len(made) + 1))
    for before, version in pairwise(made):
        assert (meaning(before.content), layout(before.content)) != (
            meaning(version.content),
            layout(version.content),
        )
        assert version.changed
        assert version.kind is version.kinds[0]
        assert list(version.kinds) == [kind for kind in Kind if kind in version.kinds]
        assert version.observed_at >= before.observed_at
        only_layout = meaning(before.content) == meaning(version.content)
        assert (version.kinds == (Kind.REFORMATTED,)) == only_layout


@given(st.lists(views, max_size=6))
def test_the_same_again_makes_nothing(shown: list[Observation]) -> None:
    official = sorted((v for v in shown if v.source == "parliament"), key=lambda view: view.observed_at)
    made = follow(official)
    taken = [view for view in official if view.whole]
    if taken:
        again = replace(taken[-1], observed_at=taken[-1].observed_at + timedelta(days=1))
        assert decide(_standing(made), again) == ()


@given(st.lists(views, min_size=1, max_size=6), views)
def test_a_partial_older_or_other_view_makes_nothing(shown: list[Observation], late: Observation) -> None:
    made = follow([replace(view, whole=True) for view in shown if view.source == "parliament"])
    if not made:
        return
    current = _standing(made)
    assert decide(current, replace(late, whole=False)) == ()
    assert decide(current, replace(late, source="theyworkforyou")) == ()
    assert decide(current, replace(late, observed_at=made[-1].observed_at - timedelta(seconds=1))) == ()


dates = ("tabled_on", "due_on", "answered_on", "holding_on", "corrected_on", "named_day")


@given(contents, views)
def test_only_a_date_that_was_known_is_rescheduled(before: Content, view: Observation) -> None:
    before = replace(before, house=House.COMMONS)
    view = replace(view, source="parliament", official_id=1, whole=True)
    found = {kind for version in decide(provisional(before), view) for kind in version.kinds}
    after = merge(before, view, view.seen)
    moved = {name for name in dates if getattr(before, name) not in (None, False, getattr(after, name))}
    if Kind.RESCHEDULED in found:
        assert moved
    if moved & {"tabled_on", "due_on"} and after.house:  # no event brings these
        assert Kind.RESCHEDULED in found


@given(contents, views)
def test_only_seen_fields_move(before: Content, view: Observation) -> None:
    merged = merge(before, view, view.seen)
    moved = {name for name in FIELDS if getattr(before, name) != getattr(merged, name)}
    assert moved <= view.seen | {"lapsed"}
