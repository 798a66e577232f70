"""TheyWorkForYou's pages: what the stored cases do not show."""

from dataclasses import replace
from datetime import date

import pytest

from scraper.gid import parse_gid
from scraper.parties import split_position
from scraper.source import BlockedError, UnreadableError
from scraper.spiders.theyworkforyou import parse
from storage.records import Attachment, House, State
from tests.pages import page
from tests.twfy_page import Speech, answer_page

URL = "https://www.theyworkforyou.com/wrans/?id=2026-02-02.88001.h"
OFFICIAL = "https://questions-statements.parliament.uk/written-questions/detail/2026-02-02/88001"
DAY = ("2026-02-09", " 9 February 2026")


def question(**changes):
    fields = {
        "gid": "2026-02-02.88001.q0",
        "name": "Alex Example",
        "position": "Labour, Exampleton",
        "html": '<p qnum="88001">To ask how many parcels were found.</p>',
        "source": OFFICIAL,
        "citation": "HC Deb, 9 February 2026, cW",
    }
    return Speech(**(fields | changes))


REPLY = Speech("2026-02-02.88001.r0", "Sam Sample", "The Minister for Ports", "<p>Forty.</p>", votes=(1, 0))


def whole(*speeches, lead="Home Office written question", day=DAY, **more):
    return answer_page(
        "2026-02-02.88001.h", "Ports: Drugs", lead, day, *(speeches or (question(), REPLY)), **more
    )


def only(parsed):
    assert not parsed.problems
    (observation,) = parsed.observations
    return observation


def test_the_banner_before_the_heading_is_no_heading():
    content = only(parse(page(URL, whole()))).content
    assert content.heading == "Ports: Drugs"
    assert content.answering_body.name == "Home Office"
    assert content.state is State.ANSWERED


def test_search_terms_and_fragments_are_no_part_of_the_address():
    assert only(parse(page(URL + "&s=parcels#g88001.q0", whole()))).url == URL


def test_a_welsh_page_is_known_by_its_words():
    english, welsh = (only(parse(page(URL, whole(lang=lang)))) for lang in ("en", "cy"))
    assert (english.extras["language"], welsh.extras["language"]) == ("en", "cy")
    bare = whole(lang="cy").replace("Danfonwch", "").replace("Ffynhonnell", "")
    assert only(parse(page(URL, bare))).extras["language"] == "cy", "its lead line speaks Welsh too"
    assert welsh.url == URL.replace("www.", "cy.")
    assert welsh.key == english.key
    assert welsh.source_id != english.source_id
    assert welsh.content == english.content


def test_without_share_link_the_official_address_tells_the_day():
    body = whole().replace("data-url", "data-nothing")
    assert only(parse(page(URL, body))).key == "commons/2026-02-02/88001"
    body = body.replace(OFFICIAL, "")
    assert only(parse(page(URL, body))).key == "commons/2026-02-02/88001"


def test_the_house_is_that_of_the_number():
    asker = question(
        gid="2026-02-02.HL5.q0", html='<p qnum="HL5">To ask.</p>', source="", person="/peer/?p=6", citation=""
    )
    assert only(parse(page(URL.replace("88001", "HL5"), whole(asker, REPLY)))).content.house is House.LORDS


@pytest.mark.parametrize(
    ("speech", "message"),
    [
        (question(html='<p qnum="5">To ask.</p>'), "number 5"),
        (question(html='<p qnum="88001"> </p>'), "no text"),
        (question(gid="2026-02-30.88001.q0"), "2026-02-30 is no date"),
        (question(gid="2026-03-30.88001.q0"), "tabled on 2026-03-30, answered on 2026-02-09"),
    ],
)
def test_a_question_that_contradicts_itself_is_a_problem(speech, message):
    parsed = parse(page(URL, whole(speech, REPLY)))
    assert not parsed.observations
    assert message in parsed.problems[0].message


def test_two_questions_that_claim_one_key_are_a_problem_and_the_first_stands():
    second = question(html='<p qnum="88001">To ask how many parcels were lost.</p>')
    parsed = parse(page(URL, whole(question(), second, REPLY)))
    assert [each.content.question_text for each in parsed.observations] == [
        "To ask how many parcels were found."
    ]
    assert "another text, is commons/2026-02-02/88001 too" in parsed.problems[0].message


@pytest.mark.parametrize(
    "anchor",
    ["debate-header", "debate-speech__content", 'class="lead"', "written question", "<h1>Ports: Drugs</h1>"],
)
def test_a_missing_anchor_is_a_problem(anchor):
    assert [each.kind for each in parse(page(URL, whole().replace(anchor, ""))).problems] == [
        "missing-anchor"
    ]


@pytest.mark.parametrize("lead", ["answered on 31st June 2026", "answered on 9 Brumaire 2026", "answered"])
def test_a_day_that_is_none_is_an_error(lead):
    with pytest.raises(UnreadableError):
        parse(page(URL, whole(day=("", lead))))


@pytest.mark.parametrize("words", ["on 9th February 2026", "ar  9 Chwefror 2026"])
def test_the_day_in_words_where_no_link_gives_it(words):
    assert only(parse(page(URL, whole(day=("", words))))).content.answered_on == date(2026, 2, 9)


def test_a_page_that_was_cut_off_is_refused():
    with pytest.raises(UnreadableError, match="cut off"):
        parse(page(URL, whole()[:-20]))


def test_a_twenty_megabyte_answer_is_read():
    reply = Speech(
        "2026-02-02.88001.r0", "Sam Sample", "", "<p>All the parcels of the year were found.</p>\n" * 430_000
    )
    content = only(parse(page(URL, whole(question(), reply)))).content
    assert content.answer_text.count("\n") == 429_999


def test_what_is_nested_too_deeply_is_refused():
    reply = Speech("2026-02-02.88001.r0", "Sam Sample", "", "<div>" * 5000 + "end")
    with pytest.raises(UnreadableError, match="read whole"):
        parse(page(URL, whole(question(), reply)))


def test_a_day_page_that_would_be_read_in_part_is_refused():
    with pytest.raises(UnreadableError, match="read whole"):
        parse(
            page(
                "https://www.theyworkforyou.com/wrans/?d=2026-02-09",
                "<ul class='business-list'>" + "<div>" * 5000,
            )
        )


def test_windows_1252_inside_utf8_is_mended():
    body = whole().encode().replace(b"Forty.", b"\x93Forty\x94 caf\xc3\xa9s.")
    assert only(parse(page(URL, body))).content.answer_text == "“Forty” cafés."


def test_wrong_nesting_keeps_the_text():
    reply = Speech(
        "2026-02-02.88001.r0",
        "Sam Sample",
        "",
        "<p>One <b>two<p>three</b></i><ul><li>four<li>five</ul><table><td>6<td>7</table>",
    )
    assert (
        only(parse(page(URL, whole(question(), reply)))).content.answer_text
        == "One two\nthree\nfour\nfive\n6\t7"
    )


@pytest.mark.parametrize("left_open", ["<table><tr><td>", "<ul><li>", "<p><a href='https://a.example/'><b>"])
def test_words_that_were_left_open_end_where_the_page_goes_on(left_open):
    asked = question(html=f'<p qnum="88001">To ask.</p>{left_open}How many?')
    reply = replace(REPLY, html=f"<p>Forty.</p>{left_open}And two.")
    body = whole(asked, reply).replace('debate-comments">', 'debate-comments"><p>A comment</p>')
    content = only(parse(page(URL, body))).content
    assert (content.question_text, content.answer_text) == ("To ask.\nHow many?", "Forty.\nAnd two.")


def test_votes_are_no_part_of_an_answer_that_was_left_open():
    body = whole().replace("<p>Forty.</p>            </div>", "<p>Forty.</p>", 1)
    observation = only(parse(page(URL, body)))
    assert observation.content.answer_text == "Forty."
    assert (observation.extras["votes_yes"], observation.extras["votes_no"]) == (1, 0)
    assert observation.extras["citation"] == "HC Deb, 9 February 2026, cW"


def test_attachments_are_no_part_of_the_answer():
    file = '<p><a rel="nofollow" href="https://qna.files.parliament.uk/qna-attachments/1/original/a b.xlsx">A table</a> (Excel SpreadSheet, 18.4KB)</p>'
    reply = Speech(
        "2026-02-02.88001.r0",
        "Sam Sample",
        "",
        f"<p>See <a href='https://a.example/x.pdf'>x</a> (PDF, 2MB)</p> {file}<p></p>",
        votes=(0, 0),
    )
    for body in (
        whole(question(), reply),
        whole(question(), reply).replace("<p></p>            </div>", "", 1),
    ):
        content = only(parse(page(URL, body))).content
        assert content.answer_text == "See x (PDF, 2MB)"
        assert content.attachments == (
            Attachment(
                "A table", "https://qna.files.parliament.uk/qna-attachments/1/original/a%20b.xlsx", "xlsx"
            ),
        )


def test_what_is_no_answer_page_shows_nothing():
    for url in (URL.replace(".h", ".mh"), "https://www.theyworkforyou.com/wrans/"):
        parsed = parse(page(url, "<html><body><h1>Written answers</h1></body></html>"))
        assert (parsed.observations, parsed.problems) == ((), ())
    assert parse(page(URL, "", status=404)).problems == ()


def test_other_pages_and_errors_are_refused():
    with pytest.raises(UnreadableError, match="no page of written answers"):
        parse(page("https://www.theyworkforyou.com/search/?q=x", "<html></html>"))
    with pytest.raises(UnreadableError, match="HTTP 500"):
        parse(page(URL, "", status=500))
    with pytest.raises(UnreadableError, match="no gid"):
        parse(page("https://www.theyworkforyou.com/wrans/?id=x", "<html></html>"))
    with pytest.raises(BlockedError):
        parse(page(URL, "", status=503, headers={"cf-mitigated": "challenge"}))


@pytest.mark.parametrize(
    ("text", "source_id", "key"),
    [
        ("2019-05-14.990400.h", "2019-05-14.990400", "commons/2019-05-14/990400"),
        ("2019-05-14.990401.q1", "2019-05-14.990401", "commons/2019-05-14/990401"),
        (
            "uk.org.publicwhip/wrans/2009-10-26f.294178.h",
            "2009-10-26f.294178",
            "commons/answered-2009-10-26/294178",
        ),
        ("2004-10-26.294178.h", "2004-10-26.294178", "commons/answered-2004-10-26/294178"),
        ("2009-10-26f.294178.q1", "2009-10-26f.294178.q1", "commons/answered-2009-10-26/294178.q1"),
        ("2009-10-27a.115.1", "2009-10-27a.115.1", "commons/answered-2009-10-27/115.1"),
        ("2009-10-27.S3W-27924.h", "2009-10-27.S3W-27924", "scotland/2009-10-27/S3W-27924"),
        ("2024-05-14.HL4664.h", "2024-05-14.HL4664", "commons/2024-05-14/HL4664"),
    ],
)
def test_gids(text, source_id, key):
    gid = parse_gid(text)
    assert (gid.source_id, gid.key(House.COMMONS, None)) == (source_id, key)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("Labour, Exampleton", ("Labour", "Exampleton", None)),
        ("Conservative, Brighton, Kemptown", ("Conservative", "Brighton, Kemptown", None)),
        ("Ceidwadwyr", ("Conservative", None, None)),
        ("Plaid Cymru, Ynys Môn", ("Plaid Cymru", "Ynys Môn", None)),
        ("The Minister of State, Home Office", (None, None, "The Minister of State, Home Office")),
        ("", (None, None, None)),
    ],
)
def test_positions(line, parts):
    assert split_position(line) == parts
