"""All of the shared samples: every real page and record is read whole, and every text given with the commission comes out right."""

import csv
import gzip
import html
import json
import re
import unicodedata
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from scraper.clean import clean_html, clean_text
from scraper.gid import parse_gid
from scraper.spiders import feeds, parallelparliament, parliament, theyworkforyou
from storage.records import Body, House, Member
from tests.feed_page import Post, article_page, rss
from tests.helpers import shared
from tests.pages import API, page
from tests.parallel_page import MARK_UPS, Shown
from tests.twfy_page import Speech, answer_page

ZERO_WIDTH = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")


def words(markup):
    """The words of some HTML, found without our parser. Tags part words, as far as they are blocks."""
    text = re.sub(
        r"</?(?:p|br|td|th|tr|table|tbody|thead|li|ul|ol)\b[^>]*>", " ", markup, flags=re.IGNORECASE
    )
    text = ZERO_WIDTH.sub("", html.unescape(re.sub(r"<[^>]+>", "", text)))
    return unicodedata.normalize("NFC", text).split()


def json_lines(*parts):
    with gzip.open(shared("samples", "parliament", *parts), "rt") as lines:
        return [json.loads(line) for line in lines]


# The official API


def test_every_detail_is_read_whole():
    paths = sorted(shared("samples", "parliament", "detail").glob("*.json"))
    assert len(paths) == 60
    for path in paths:
        parsed = parliament.parse(page(f"{API}/1", path.read_bytes()))
        value = json.loads(path.read_bytes())["value"]
        (observation,) = parsed.observations
        content = observation.content
        assert not parsed.problems
        assert observation.key == f"commons/{path.stem.replace('__', '/')}"
        assert observation.official_id == value["id"]
        assert content.question_text.split() == words(value["questionText"])
        assert (content.answer_text or "").split() == words(value["answerText"] or "")
        assert content.heading == " ".join(value["heading"].split())
        assert bool(observation.original) == bool(value["originalAnswerText"])
        assert len(content.attachments) == len(value["attachments"])
        assert all(" " not in each.url for each in content.attachments)


@pytest.mark.parametrize("name", ["list-tabled-2021-02-01-bicameral", "list-tabled-2021-02-01-body-11"])
def test_every_row_of_a_list_is_read(name):
    with gzip.open(shared("samples", "parliament", "bodies", f"{name}.json.gz")) as body:
        parsed = parliament.parse(page(f"{API}?take=1000&expandMember=true", body.read()))
    assert not parsed.problems
    assert len({row.source_id for row in parsed.rows}) == parsed.total


def test_every_row_of_every_night_is_read():
    paths = sorted(shared("samples", "parliament", "snapshots").glob("*.json.gz"))
    assert len(paths) == 32
    for path in paths:
        with gzip.open(path) as body:
            results = body.read().decode()
        count = len(json.loads(results))
        parsed = parliament.parse(
            page(f"{API}?take=5000", f'{{"totalResults": {count}, "results": {results}}}')
        )
        assert not parsed.problems
        assert len(parsed.rows) == count


def test_every_version_of_every_history_is_read():
    values = [version["value"] for each in json_lines("histories.jsonl.gz") for version in each["versions"]]
    results = [{"value": value, "links": []} for value in values]
    parsed = parliament.parse(page(API, json.dumps({"totalResults": len(values), "results": results})))
    assert not parsed.problems
    assert len(parsed.rows) == len(values)


def test_every_long_text_keeps_all_its_words():
    answers = [each["answer_text"] or "" for each in json_lines("longform.jsonl.gz")]
    answers += [each["full_answer_html"] or "" for each in json_lines("topic.jsonl.gz")]
    for answer in answers:
        text, sanitised = clean_html(answer)
        assert text.split() == words(answer)
        assert clean_html(sanitised) == (text, sanitised)
        assert not re.search("[\u00a0\u202f\u200b]| \n|\n\n|  ", text)
        assert "safelinks" not in sanitised


def test_broken_characters_of_others_pass_through():
    with gzip.open(
        shared("samples", "senedd", "written-questions-2016.csv.gz"), "rt", encoding="utf-8", errors="replace"
    ) as lines:
        for row in csv.reader(lines):
            for cell in row:
                assert clean_text(clean_text(cell)) == clean_text(cell)
                assert clean_html(clean_html(cell)[1])[0] == clean_html(cell)[0]


# TheyWorkForYou


def manifest():
    with shared("samples", "theyworkforyou", "html", "MANIFEST.tsv").open() as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def test_every_page_yields_all_its_questions_or_is_no_answer_page():
    rows = manifest()
    assert len(rows) == 15
    for row in rows:
        body = shared("samples", "theyworkforyou", "html", row["file"]).read_bytes()
        parsed = theyworkforyou.parse(
            page(f"https://{row['host']}{row['path']}", body, status=int(row["status"]))
        )
        anchors = re.findall(r'id="g([\w-]+)\.q\d+"', body.decode())
        assert not parsed.problems, row["file"]
        assert [observation.content.uin for observation in parsed.observations] == anchors
        for observation in parsed.observations:
            assert observation.seen >= {
                "heading",
                "question_text",
                "answer_text",
                "answered_on",
                "asking_member",
                "answering_member",
            }
            assert observation.extras["language"] == row["file"].split(".")[1]
            assert len(observation.content.grouped_with) == len(anchors) - 1
    listed = theyworkforyou.parse(
        page(
            "https://www.theyworkforyou.com/wrans/?d=2019-05-20",
            shared("samples", "theyworkforyou", "html", "day_2019-05-20.en.html").read_bytes(),
        )
    )
    assert len(listed.links) == len(listed.rows) == 4


def test_both_languages_show_one_record():
    for name in ("lords_balkans", "commons_organised_crime_2019"):
        shown = []
        for row in manifest():
            if row["file"].startswith(name):
                body = shared("samples", "theyworkforyou", "html", row["file"]).read_bytes()
                shown += theyworkforyou.parse(page(f"https://{row['host']}{row['path']}", body)).observations
        english, welsh = shown
        assert (english.key, english.content, english.seen) == (welsh.key, welsh.content, welsh.seen)
        assert english.url != welsh.url


def test_every_address_of_2024_is_understood():
    with gzip.open(shared("samples", "theyworkforyou", "urls-2024.csv.gz"), "rt") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 41_700
    for row in rows:
        gid = parse_gid(row["url"].partition("?id=")[2])
        assert gid.tabled_on <= date.fromisoformat(row["date_answered"])
        assert gid.source_id == gid.text.removesuffix(".h")


@pytest.mark.parametrize(
    "name", ["answers2009-10-28c", "answers2009-10-29a", "lordswrans2009-10-28a", "spwa2009-10-26"]
)
def test_every_question_of_2009_is_read_from_its_page(name):
    with gzip.open(shared("samples", "theyworkforyou", "xml", f"{name}.xml.gz")) as file:
        groups = groups_of(ET.fromstring(file.read()))
    assert len(groups) > 40
    for gid, heading, speeches in groups:
        scottish = name.startswith("spwa")
        path = "/spwrans/" if scottish else "/wrans/"
        lead = (
            "&ndash; Scottish Parliament written question" if scottish else "Home Department written question"
        )
        body = answer_page(
            gid, heading, lead, (gid[:10], "28 October 2009"), *(each for each, _ in speeches), path=path
        )
        parsed = theyworkforyou.parse(page(f"https://www.theyworkforyou.com{path}?id={gid}", body))
        questions = [xml for _, xml in speeches if xml.tag == "ques"]
        replies = [xml for _, xml in speeches if xml.tag == "reply"]
        assert not parsed.problems
        assert len(parsed.observations) == len(questions)
        assert len({each.key for each in parsed.observations}) == len(questions)
        for observation, question in zip(parsed.observations, questions, strict=True):
            assert observation.content.question_text.split() == words(markup_of(question))
            assert (observation.content.answer_text or "").split() == words(" ".join(map(markup_of, replies)))


def groups_of(root):
    """Heading and speeches of each group, as the site shows them."""
    groups = []
    for element in root:
        gid = element.get("id", "").rpartition("/")[2]
        if element.tag == "minor-heading":
            groups.append((gid, clean_text("".join(element.itertext())), []))
        elif element.tag in ("ques", "reply") and groups:
            house = "/peer/?p=1" if "/lord/" in element.get("speakerid", "") else "/mp/?p=1"
            citation = "HL Deb, 28 October 2009, c1W" if "peer" in house else "HC Deb, 28 October 2009, c1W"
            speech = Speech(
                gid,
                element.get("speakername", "x"),
                "Labour",
                markup_of(element),
                person=house,
                citation=citation,
            )
            groups[-1][2].append((speech, element))
    return [group for group in groups if any(xml.tag == "ques" for _, xml in group[2])]


def markup_of(element):
    return "".join(ET.tostring(child, encoding="unicode") for child in element)


# The five texts of the commission


def seed(name):
    return shared("samples", "seeds", f"{name}.txt").read_text(encoding="utf-8")


def lines_of(text):
    return [" ".join(line.split()) for line in text.split("\n") if line.strip()]


PARALLEL = {
    "parallelparliament-drugs-smuggling": ("906096", date(2018, 6, 21), date(2018, 7, 2)),
    "parallelparliament-drugs-organised-crime": ("13246", date(2021, 6, 9), date(2021, 6, 18)),
    "parallelparliament-organised-crime": ("254118", date(2019, 5, 14), date(2019, 5, 20)),
}


@pytest.mark.parametrize("mark_up", MARK_UPS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("name", PARALLEL)
def test_the_parallel_parliament_texts(name, mark_up):
    lines = lines_of(seed(name))
    uin, tabled, answered = PARALLEL[name]
    on = next(index for index, line in enumerate(lines) if line.startswith("This question was answered on"))
    by = lines.index("Answered by")
    shown = Shown(
        heading=lines[0],
        asked=lines[1].removeprefix("(asked on ").partition(")")[0],
        body=lines[2].removeprefix("Question to the ").removesuffix(":"),
        question=lines[3],
        minister=lines[by + 2],
        position=" ".join(lines[by + 3 : on]),
        answered=lines[on].removeprefix("This question was answered on "),
        answer=tuple(lines[on + 1 : lines.index("Reticulating Splines")]),
        source=f"https://questions-statements.parliament.uk/written-questions/detail/{tabled}/{uin}",
    )
    slug = re.sub(r"\W+", "-", lines[0].lower())
    parsed = parallelparliament.parse(
        page(f"https://www.parallelparliament.co.uk/question/{uin}/{slug}", mark_up(shown))
    )
    (observation,) = parsed.observations
    content = observation.content
    assert observation.key == f"commons/{tabled}/{uin}"
    assert (content.house, content.uin, content.tabled_on, content.answered_on) == (
        House.COMMONS,
        uin,
        tabled,
        answered,
    )
    assert content.heading == lines[0]
    assert content.answering_body == Body("Home Office")
    assert content.question_text == lines[3]
    assert content.answering_member == Member(lines[by + 2])
    assert content.answer_text.split("\n") == lines[on + 1 : -1]
    assert clean_html(content.answer_html)[0] == content.answer_text


def test_the_welsh_theyworkforyou_text():
    lines = lines_of(seed("theyworkforyou-cy-drugs-balkans"))
    heading, _, _, asker, question, minister, *answer = lines[:8]
    name, _, party = asker.removeprefix("Photo of The Marquess of Lothian ").rpartition(" ")
    office = minister.removeprefix("Photo of Lord Sharpe of Epsom Lord Sharpe of Epsom ")
    gid = "2024-05-13.HL90001"
    body = answer_page(
        f"{gid}.h", heading, "Home Office written question", ("2024-05-23", "23 Mai 2024"),
        Speech(f"{gid}.q0", name, party, f'<p qnum="HL90001">{html.escape(question)}</p>', "/peer/?p=60001", citation="HL Deb, 23 Mai 2024, cW"),
        Speech(f"{gid}.r0", "Lord Sharpe of Epsom", office, " ".join(f"<p>{html.escape(line)}</p>" for line in answer), "/peer/?p=60002", votes=(1, 0)),
        lang="cy",
    )  # fmt: skip
    (observation,) = theyworkforyou.parse(
        page(f"https://cy.theyworkforyou.com/wrans/?id={gid}.h", body)
    ).observations
    content = observation.content
    assert observation.key == "lords/2024-05-13/HL90001"
    assert observation.extras["language"] == "cy"
    assert (observation.extras["votes_yes"], observation.extras["votes_no"]) == (1, 0)
    assert content.heading == "Drugs: Balkans"
    assert content.answering_body == Body("Home Office")
    assert (party, content.asking_member) == (
        "Ceidwadwyr",
        Member("The Marquess of Lothian", party="Conservative"),
    )
    assert content.question_text == question
    assert content.answering_member == Member(
        "Lord Sharpe of Epsom", position="The Parliamentary Under-Secretary of State for the Home Department"
    )
    assert content.answered_on == date(2024, 5, 23)
    assert content.answer_text.split("\n") == answer
    assert len(answer) == 2


def test_the_commentary():
    lines = lines_of(seed("russellwebster-2021-drugs-plan-supply-chains"))
    _, _, title, subtitle, _, *rest = lines
    text = rest[: rest.index("Share This Post")]
    assert (text[0], len(text)) == ("Break the supply chain", 20)
    markup = "".join(f"<p>{html.escape(line)}</p>\n" for line in text)
    post = Post(
        "2021-drugs-plan",
        99,
        title,
        markup,
        published="Thu, 09 Dec 2021 06:00:00 +0000",
        author="Russell Webster",
    )
    (from_feed,) = feeds.parse(page("https://blog.example/feed/", rss(post))).observations
    told = feeds.parse(
        page("https://blog.example/feed/", rss(Post(**{**vars_of(post), "summary": True})))
    ).links[0]
    (from_page,) = feeds.parse(page(told, article_page(title, subtitle, markup))).observations
    for observation in (from_feed, from_page):
        content = observation.content
        assert observation.key == from_feed.key
        assert content.heading == title
        assert content.answer_text.split("\n") == text
        assert content.answering_member == Member("Russell Webster")
        assert content.answered_on == date(2021, 12, 9)


def vars_of(post):
    return {name: getattr(post, name) for name in post.__dataclass_fields__}
