"""Parallel Parliament's pages, found by their words whatever the mark-up."""

from dataclasses import replace
from datetime import date

import pytest

from scraper.source import BlockedError, UnreadableError
from scraper.spiders.parallelparliament import parse
from storage.records import Body, House, Member
from tests.pages import page
from tests.parallel_page import MARK_UPS, Shown, cards

URL = "https://www.parallelparliament.co.uk/question/88001/ports-drugs"
SHOWN = Shown(
    heading="Ports: Drugs & Parcels",
    asked="2nd February 2026",
    body="Department for Energy, Ports & Harbours",
    question="To ask the Secretary of State for Ports, how many parcels were found; and what the question answered by her Department on 3rd March 2025 means.",
    minister="Sam Sample",
    position="Shadow Minister (Ports, Harbours)",
    answered="9th February 2026",
    answer=("Forty parcels were found.", "These are:", "• ten in the north;", "o thirty < forty elsewhere."),
)


def only(parsed):
    assert not parsed.problems
    (observation,) = parsed.observations
    return observation


@pytest.mark.parametrize("mark_up", MARK_UPS, ids=lambda each: each.__name__)
def test_every_mark_up_yields_the_same_record(mark_up):
    observation = only(parse(page(URL, mark_up(SHOWN))))
    content = observation.content
    assert observation.key == "commons/2026-02-02/88001"
    assert (content.house, content.uin, content.tabled_on) == (House.COMMONS, "88001", date(2026, 2, 2))
    assert content.heading == SHOWN.heading
    assert content.answering_body == Body(SHOWN.body)
    assert content.question_text == SHOWN.question
    assert content.answering_member == Member("Sam Sample")  # his position is today's
    assert content.answered_on == date(2026, 2, 9)
    assert content.answer_text == "\n".join(SHOWN.answer)
    assert "asking_member" not in observation.seen
    assert replace(observation, page=observation.page) == replace(
        only(parse(page(URL, cards(SHOWN)))), page=observation.page
    )


@pytest.mark.parametrize("mark_up", MARK_UPS, ids=lambda each: each.__name__)
def test_a_minister_without_position(mark_up):
    assert only(parse(page(URL, mark_up(replace(SHOWN, position=""))))).content.answering_member == Member(
        "Sam Sample"
    )


def test_a_table_in_the_answer_keeps_its_cells_apart():
    table = "<table><tr><td>Port</td><td>2025</td></tr><tr><td></td><td>1,310</td></tr></table>"
    body = cards(SHOWN).replace("<p>These are:</p>", table)
    content = only(parse(page(URL, body))).content
    assert "\nPort\t2025\n\t1,310\n" in content.answer_text
    assert "<tr><td>Port</td><td>2025</td></tr><tr><td></td><td>1,310</td></tr>" in content.answer_html


def test_without_view_source_the_address_and_the_date_asked_are_the_key():
    body = cards(SHOWN).replace("View Source", "Elsewhere")
    assert only(parse(page(URL.replace("88001", "hl77"), body))).key == "lords/2026-02-02/HL77"


def test_view_source_is_enough_where_the_address_has_no_number():
    assert (
        only(parse(page("https://www.parallelparliament.co.uk/saved.html", cards(SHOWN)))).key
        == "commons/2026-02-02/88001"
    )


def test_a_question_that_contradicts_its_source_is_refused():
    with pytest.raises(UnreadableError, match="its source is question 88001"):
        parse(page(URL.replace("88001", "5"), cards(SHOWN)))
    with pytest.raises(UnreadableError, match="asked on 2026-02-03"):
        parse(page(URL, cards(replace(SHOWN, asked="3rd February 2026"))))
    with pytest.raises(UnreadableError, match="neither the address"):
        parse(page("https://www.parallelparliament.co.uk/x", cards(SHOWN).replace("View Source", "")))


def test_a_heading_comes_later_than_the_question():
    body = cards(replace(SHOWN, heading=""))
    assert "heading" not in only(parse(page(URL.replace("ports-drugs", ""), body))).seen
    with pytest.raises(UnreadableError, match="not the heading"):  # its address has words already
        parse(page(URL, body))


def test_another_line_in_the_place_of_the_heading_is_refused():
    with pytest.raises(UnreadableError, match="not the heading"):
        parse(page(URL, cards(replace(SHOWN, heading="Parallel Parliament"))))


@pytest.mark.parametrize("asked", ["31st June 2026", "2nd February", "2nd Chwefrol 2026", "1st May 1066", ""])
def test_a_date_that_is_none_is_refused(asked):
    with pytest.raises(UnreadableError):
        parse(page(URL, cards(replace(SHOWN, asked=asked))))


def test_welsh_months_are_months():
    assert only(parse(page(URL, cards(replace(SHOWN, asked="2 Chwefror 2026"))))).content.tabled_on == date(
        2026, 2, 2
    )


@pytest.mark.parametrize(
    "anchor", ["(asked on", "Question to the", "Answered by", "This question was answered on"]
)
def test_a_missing_anchor_is_a_problem(anchor):
    body = cards(SHOWN).replace(anchor, "")
    parsed = parse(page(URL, body))
    assert not parsed.observations
    assert [problem.kind for problem in parsed.problems] == ["missing-anchor"]


def test_a_question_without_an_answer_is_tabled():
    body = cards(SHOWN)
    start, end = body.index('<div class="card"><h5>Answered by'), body.index("<div style")
    observation = only(parse(page(URL, body[:start] + body[end:])))
    assert observation.content.question_text == SHOWN.question
    assert not {"answer_text", "answered_on"} & observation.seen


def test_a_holding_answer_is_no_answer():
    text = "It will not be possible to answer this question within the usual time period."
    content = only(parse(page(URL, cards(replace(SHOWN, answer=(text,)))))).content
    assert (content.answered_on, content.holding_on) == (None, date(2026, 2, 9))


@pytest.mark.parametrize("status", [403, 503, 200])
def test_a_challenge_is_reported_as_such(status):
    body = "<html><head><title>Just a moment...</title></head><body></body></html>"
    with pytest.raises(BlockedError):
        parse(page(URL, body, status=status))
    with pytest.raises(BlockedError):
        parse(page(URL, "", status=403, headers={"cf-mitigated": "challenge"}))


def test_a_page_that_was_cut_off_is_refused():
    with pytest.raises(UnreadableError, match="cut off"):
        parse(page(URL, cards(SHOWN)[:-200]))


@pytest.mark.parametrize(
    ("answer", "message"), [("<p>x</p>" * 2_500_000, "too many"), ("<div>" * 5000, "read whole")]
)
def test_what_is_huge_or_nested_too_deeply_is_refused_not_cut(answer, message):
    with pytest.raises(UnreadableError, match=message):
        parse(page(URL, cards(SHOWN).replace("<p>These are:</p>", answer)))


def test_a_reader_of_the_page_sees_no_scripts():
    body = cards(SHOWN).replace(
        "<p>These are:</p>",
        "<script>var x = 'Reticulating Splines';</script><style>p{}</style><p>These are:</p>",
    )
    assert only(parse(page(URL, body))).content.answer_text == "\n".join(SHOWN.answer)


def item(uin, title, day, *, around=False):
    link = f"/question/{uin}/slug?x=1"
    title = title if around else f'<a href="{link}">{title}</a>'
    card = f"<div><div>Written Question</div><h4>{title}</h4><div>{day}</div><p>Asked by: Alex Example (Labour - Exampleton)</p><p>Question to the Home Office:</p><p>To ask.</p><p>Answered by Sam Sample - Minister</p><p>Ten.</p><a href='/question/{uin}/slug'>More</a></div>"
    return f'<a href="{link}">{card.replace("<a", "<b")}</a>' if around else card


@pytest.mark.parametrize("around", [False, True])
def test_a_list_yields_rows_and_links(around):
    items = item("88001", "Ports: Drugs", "Monday 9th February 2026", around=around) + item(
        "HL77", "Piers", "Tuesday 10th February 2026", around=around
    )
    nav = '<nav><a href="/question/1/latest">Latest</a></nav>'
    parsed = parse(
        page(
            "https://parallelparliament.co.uk/dept/home-office/writtenanswers?page=2",
            f"<html><body>{nav}{items}</body></html>",
        )
    )
    assert not parsed.problems
    assert [row.key for row in parsed.rows] == [
        "commons/answered-2026-02-09/88001",
        "lords/answered-2026-02-10/HL77",
    ]
    assert (
        [row.url for row in parsed.rows]
        == list(parsed.links)
        == [
            "https://www.parallelparliament.co.uk/question/88001/slug",
            "https://www.parallelparliament.co.uk/question/HL77/slug",
        ]
    )
    assert parsed.rows[0].source_id == only(parse(page(URL, cards(SHOWN)))).source_id


def test_an_item_without_title_or_with_all_on_one_line_is_read():
    one_line = '<p>Written Question <a href="/question/88001/x">Ports</a> Monday 9th February 2026 Asked by: A B (C - D)<br>Ten.</p>'
    for items in (item("88001", "", "Monday 9th February 2026"), one_line):
        (row,) = parse(page("https://www.parallelparliament.co.uk/mp/a-b/writtenanswers", items)).rows
        assert row.source_id == "88001/2026-02-09"


def test_a_bad_item_leaves_the_others_standing():
    items = item("88001", "Ports", "Monday 31st June 2026") + item(
        "88002", "Piers", "Tuesday 10th February 2026"
    )
    parsed = parse(page("https://www.parallelparliament.co.uk/dept/home-office/writtenanswers", items))
    assert [row.source_id for row in parsed.rows] == ["88002/2026-02-10"]
    assert (parsed.refused, len(parsed.links)) == (1, 2)


def test_a_list_without_items_is_a_problem():
    parsed = parse(
        page("https://www.parallelparliament.co.uk/dept/home-office/writtenanswers", "<p>Nothing</p>")
    )
    assert parsed.problems[0].kind == "missing-anchor"
