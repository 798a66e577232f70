"""The official API: nothing is taken for granted, and no error for an answer."""

from datetime import date

import orjson
import pytest

from scraper.source import BlockedError, UnreadableError
from scraper.spiders.parliament import parse
from storage.records import Attachment, Body, House, Member, State
from tests.pages import API, answered, api_value, corrected, detail_page, item, list_page, member, page


def only(parsed):
    assert not parsed.problems
    (observation,) = parsed.observations
    return observation


def refusal(value):
    """The one problem that a detail with this value is."""
    parsed = parse(detail_page(value))
    assert not parsed.observations
    (problem,) = parsed.problems
    assert problem.kind == "unreadable-row"
    return problem.message


def test_an_unanswered_question():
    observation = only(parse(detail_page(api_value())))
    content = observation.content
    assert (observation.key, observation.official_id, observation.source_id) == (
        "commons/2026-02-02/88001",
        1900001,
        "1900001",
    )
    assert (content.house, content.uin, content.tabled_on, content.due_on) == (
        House.COMMONS,
        "88001",
        date(2026, 2, 2),
        date(2026, 2, 5),
    )
    assert content.answering_body == Body("Home Office", 1)
    assert content.asking_member == Member("Alex Example", 9001, "Labour", "Exampleton")
    assert content.state is State.TABLED
    assert observation.seen >= {"answer_text", "answered_on", "heading", "attachments"}  # seen to be absent


def test_answered_after_holding_keeps_the_day_of_the_holding_answer():
    value = answered() | {"dateHoldingAnswer": "2026-02-05T00:00:00"}
    content = only(parse(detail_page(value))).content
    assert (content.answered_on, content.holding_on, content.state) == (
        date(2026, 2, 9),
        date(2026, 2, 5),
        State.ANSWERED,
    )


@pytest.mark.parametrize("held", ["2026-02-05T00:00:00", None])
def test_a_holding_answer_is_none(held):
    content = only(
        parse(detail_page(answered() | {"answerIsHolding": True, "dateHoldingAnswer": held}))
    ).content
    assert (content.answered_on, content.state) == (None, State.HOLDING)
    assert content.holding_on == (date(2026, 2, 5) if held else date(2026, 2, 9))


def test_a_correction_gives_the_original_too():
    observation = only(parse(detail_page(corrected())))
    assert observation.content.state is State.CORRECTED
    assert observation.content.corrected_on == date(2026, 2, 20)
    assert observation.content.answer_text == "Fourteen parcels were found."
    assert observation.original == ("Forty parcels were found.", "<p>Forty parcels were found.</p>")


def test_a_withdrawn_question():
    assert only(parse(detail_page(api_value(isWithdrawn=True)))).content.state is State.WITHDRAWN


def test_group_and_attachments():
    value = answered() | {
        "groupedQuestions": ["88003", "88002"],
        "groupedQuestionsDates": [
            {"questionUin": "88003", "dateTabled": "2026-02-03T00:00:00"},
            {"questionUin": "88002", "dateTabled": "2026-02-02T00:00:00"},
        ],
        "attachments": [
            {"url": "https://a.example/x y.docx", "title": "X  y", "fileType": "docx", "fileSizeBytes": 5}
        ],
    }
    content = only(parse(detail_page(value))).content
    assert content.grouped_with == ("commons/2026-02-02/88002", "commons/2026-02-03/88003")
    assert content.attachments == (Attachment("X y", "https://a.example/x%20y.docx", "docx", 5),)


def test_members_that_were_not_asked_for_are_not_seen():
    value = answered() | {"askingMember": None, "answeringMember": None}
    observation = only(parse(page(f"{API}/1900001", orjson.dumps(item(value)))))
    assert not {"asking_member", "answering_member"} & observation.seen
    assert "askingMember is null, but its id is 9001" in refusal(value)


@pytest.mark.parametrize("name", sorted(api_value()))
def test_every_field_is_required(name):
    value = answered()
    del value[name]
    assert f"{name} is missing" in refusal(value)
    assert parse(list_page(value)).rows == ()


NULLABLE = {"heading", "dateHoldingAnswer", "dateAnswerCorrected", "correctingMember", "correctingMemberId"}


@pytest.mark.parametrize("name", sorted(set(api_value()) - NULLABLE))
def test_null_where_none_was_is_refused(name):
    refusal(answered() | {name: None})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"house": "Senate"}, "the house 'Senate' is unknown"),
        ({"house": "Bicameral"}, "unknown"),
        ({"uin": "HL5"}, "no UIN of the Commons"),
        ({"uin": "12a"}, "no UIN"),
        ({"dateTabled": "0001-01-01T00:00:00"}, "dateTabled: the year 1 is no year"),
        ({"dateTabled": "2101-01-01T00:00:00"}, "dateTabled: the year 2101"),
        ({"dateTabled": "2026-02-30T00:00:00"}, "dateTabled: 2026-02-30 is no date"),
        ({"dateForAnswer": "2026-02-05T13:00:00"}, "no date at midnight"),
        ({"dateForAnswer": "2026-02-05T00:00:00Z"}, "no date at midnight"),
        ({"dateAnswered": "0001-01-01T00:00:00"}, "dateAnswered"),
        ({"id": "1900001"}, "id is text"),
        ({"isWithdrawn": 0}, "isWithdrawn is a whole number"),
        ({"questionText": " "}, "questionText is empty"),
        ({"askingMember": member(5, "Other")}, "askingMember has the id 5, expected 9001"),
        ({"answerIsHolding": None}, "answerIsHolding or answerIsCorrection is null"),
        ({"answerIsCorrection": True}, "answerIsCorrection is true, which"),
        ({"dateAnswerCorrected": "2026-02-20T00:00:00"}, "answerIsCorrection is false, which"),
        ({"originalAnswerText": "<p>x</p>"}, "answerIsCorrection is false, which"),
        ({"groupedQuestions": ["5"]}, "groupedQuestions and groupedQuestionsDates differ"),
        ({"groupedQuestionsDates": [{"questionUin": "x", "dateTabled": "2026-02-02T00:00:00"}]}, "no UIN"),
        ({"attachments": [{"url": "x"}]}, "attachments: title is missing"),
        ({"attachments": ["x"]}, "attachments is text, not an object"),
    ],
)
def test_what_cannot_be_is_refused_whole(changes, message):
    assert message in refusal(answered() | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"answerText": "<p>x</p>"},
        {"answerIsHolding": True},
        {"dateHoldingAnswer": "2026-02-05T00:00:00"},
        {"dateAnswerCorrected": "2026-02-05T00:00:00"},
    ],
)
def test_half_an_answer_is_refused(changes):
    assert "parts of an answer are there" in refusal(api_value(**changes))


def test_a_corrected_holding_answer_is_refused_until_someone_has_seen_one():
    assert "contradict" in refusal(corrected(answerIsHolding=True))


def test_new_fields_are_told_and_the_rest_is_read():
    value = answered() | {"urgency": 1, "askingMember": member(9001, "Alex Example") | {"pronoun": "x"}}
    parsed = parse(detail_page(value))
    assert len(parsed.observations) == 1
    assert [(each.kind, each.message, each.url.rpartition("/")[2]) for each in parsed.problems] == [
        ("new-field", "new to us: pronoun", "*#pronoun"),
        ("new-field", "new to us: urgency", "*#urgency"),
    ]


def test_good_rows_of_a_page_stand_beside_bad_ones():
    parsed = parse(
        list_page(
            api_value(),
            api_value(id=2, dateTabled="0001-01-01T00:00:00"),
            answered(id=3, uin="88003"),
            total=7,
        )
    )
    assert [row.key for row in parsed.rows] == ["commons/2026-02-02/88001", "commons/2026-02-02/88003"]
    assert (parsed.total, parsed.refused) == (7, 1)
    assert parsed.problems[0].url.endswith("expandMember=true")


def test_bad_rows_are_the_same_problem_in_whatever_order_they_come():
    bad = [api_value(id=number, house="Senate") for number in range(2, 7)]
    one, other = (parse(list_page(*rows)).problems for rows in (bad, reversed(bad)))
    assert one[0].message == other[0].message
    assert "(and 2 more)" in one[0].message


def test_a_row_differs_by_its_value_and_not_by_its_members():
    def digest(value):
        return parse(list_page(value)).rows[0].digest

    assert digest(api_value()) == digest(api_value(askingMember=member(9001, "Alex Example", "Independent")))
    assert digest(api_value()) == digest(dict(reversed(api_value().items())))
    assert digest(api_value()) != digest(api_value(heading="Ports"))
    assert digest(api_value()) == "411011b19cbf03dd5c8076a37541da43"  # stored with what is held: pinned


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"status": 500, "title": "An error occurred"}', "status 500, An error occurred"),
        ('{"results": []}', "totalResults is missing"),
        ('{"totalResults": 1, "results": null}', "results is null"),
        ('{"totalResults": -1, "results": []}', "totalResults is -1"),
        ('{"totalResults": "5", "results": []}', "totalResults is text"),
        ("[]", "the list is a list"),
        ("null", "the list is null"),
        ("", "no JSON"),
        ("<html><body>Maintenance</body></html>", "no JSON"),
        ('{"totalResults": 1, "results": [{"value"', "no JSON"),
    ],
)
def test_an_error_is_never_an_empty_list(body, message):
    with pytest.raises(UnreadableError, match=message):
        parse(page(f"{API}?take=1000", body))


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
def test_an_error_status_is_an_error(status):
    with pytest.raises(UnreadableError, match=str(status)):
        parse(page(f"{API}?take=1000", '{"totalResults": 0, "results": []}', status=status))


def test_a_challenge_is_no_error_of_the_api():
    with pytest.raises(BlockedError):
        parse(page(f"{API}?take=1000", "<title>Just a moment...</title>"))


@pytest.mark.parametrize("url", [API.replace("questions", "statements"), f"{API}/1/2/3", f"{API}x?take=1"])
def test_another_address_is_refused(url):
    with pytest.raises(UnreadableError, match="no address"):
        parse(page(url, "{}"))
