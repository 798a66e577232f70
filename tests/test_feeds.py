"""Feeds and the pages of their articles."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.feed_item import Item, article_address, item_of_address
from scraper.source import BlockedError, ScraperError, UnreadableError
from scraper.spiders.feeds import parse
from storage.records import Member, State
from tests.feed_page import Post, article_page, rss
from tests.pages import page
from tests.servers import Reply, serving

URL = "https://blog.example/feed/"
HTML = '<h2>Ports</h2>\n<p>See <a href="https://questions-statements.parliament.uk/written-questions/detail/2026-02-02/88001">the answer</a>.</p>'
POST = Post("ports", 17, "Ports & harbours: what’s new", HTML)


def only(parsed):
    assert not parsed.problems
    (observation,) = parsed.observations
    return observation


def test_an_item_with_its_full_text_is_whole():
    observation = only(parse(page(URL, rss(POST))))
    content = observation.content
    assert observation.key == "feed/blog.example/294918e4f00dc17a"
    assert observation.whole
    assert content.state is State.PUBLISHED
    assert content.heading == POST.title
    assert content.answer_text == "Ports\nSee the answer."
    assert content.answering_member == Member("Robin Model")
    assert content.answered_on == date(2026, 2, 3)
    assert content.links == ("commons/2026-02-02/88001",)
    assert "appeared first" not in content.answer_html


def test_an_item_with_a_summary_is_read_from_its_page():
    parsed = parse(page(URL, rss(Post("ports", 17, "Ports", HTML, summary=True))))
    assert not only(parsed).whole
    assert "answer_text" not in only(parsed).seen
    (row,) = parsed.rows
    assert (row.url, row.source_id) == (parsed.links[0], only(parsed).source_id)

    article = only(parse(page(row.url, article_page("Ports", "What is new in ports?", HTML))))
    assert article.key == only(parsed).key
    assert article.whole
    assert article.content.answer_text == "Ports\nSee the answer."
    assert article.content.answered_on == date(2026, 2, 3)
    assert article.url == "https://blog.example/ports/"


def test_a_saved_article_tells_the_same_record_by_its_short_link():
    saved = only(parse(page("https://blog.example/ports/", article_page("Ports", "New", HTML))))
    assert saved.key == only(parse(page(URL, rss(POST)))).key
    assert saved.content.answering_member == Member("Robin Model")


def test_an_article_without_the_known_words_is_its_article_element():
    body = f"<html><body><nav>Menu</nav><main><article><h1>Ports</h1>{HTML}</article></main><footer>x</footer></body></html>"
    assert only(parse(page("https://blog.example/a/", body))).content.answer_text == "Ports\nSee the answer."


def test_an_article_without_share_buttons_ends_before_what_follows():
    body = f"<html><body><h1>Ports</h1><div>{HTML}</div><h3>Related posts</h3><p>Other</p></body></html>"
    assert only(parse(page("https://blog.example/a/", body))).content.answer_text == "Ports\nSee the answer."


@pytest.mark.parametrize(
    "body",
    ["<html><body><h1>Ports</h1><p>x</p></body></html>", "<html><body><article>x</article></body></html>"],
)
def test_an_article_without_its_anchors_is_a_problem(body):
    assert parse(page("https://blog.example/a/", body)).problems[0].kind == "missing-anchor"


def test_atom():
    body = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><id>urn:x</id><updated>2026-02-03T00:00:00Z</updated>
    <entry><title type="html">Ports &amp;amp; piers</title><link href="https://blog.example/ports/"/><id>urn:uuid:1</id><author><name>Kim Instance</name></author>
    <published>2026-07-02T23:30:00Z</published><updated>2026-07-04T00:00:00Z</updated><content type="html">&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two.&lt;/p&gt;</content></entry>
    <entry><title>Piers</title><link href="https://blog.example/piers/"/><id>urn:uuid:2</id><updated>2026-02-04T00:00:00Z</updated><summary>Short.</summary></entry></feed>"""
    parsed = parse(page(URL, body))
    whole, partial = parsed.observations
    assert whole.content.heading == "Ports & piers"
    assert whole.content.answer_text == "One.\nTwo."
    assert whole.content.answered_on == date(2026, 7, 3)  # London's
    assert whole.content.answering_member == Member("Kim Instance")
    assert (partial.whole, len(parsed.rows)) == (False, 1)


@pytest.mark.parametrize(
    ("published", "day"),
    [
        ("Tue, 03 Feb 2026 06:00:00 +0000", date(2026, 2, 3)),
        ("Thu, 02 Jul 2026 23:30:00 +0000", date(2026, 7, 3)),
        ("Iau, 23 Mai 2024 00:00:00 +0000", date(2024, 5, 23)),
        ("2026-02-03T06:00:00Z", date(2026, 2, 3)),
    ],
)
def test_dates(published, day):
    assert (
        only(parse(page(URL, rss(Post("a", 1, "A", "<p>x</p>", published=published))))).content.answered_on
        == day
    )


@pytest.mark.parametrize(
    "published", ["Mon, 31 Jun 2026 06:00:00 +0000", "2026-06-31T00:00:00Z", "3 February", "soon", ""]
)
def test_a_date_that_is_none_is_a_problem_of_its_item(published):
    parsed = parse(page(URL, rss(Post("a", 1, "A", "<p>x</p>", published=published), POST)))
    assert [each.content.heading for each in parsed.observations] == [POST.title]
    assert [each.kind for each in parsed.problems] == ["unreadable-row"]
    assert parsed.refused == 1


def test_a_guid_that_is_no_address_stays_as_it_is():
    body = rss(POST).replace(f'<guid isPermaLink="false">{POST.guid}</guid>', "<guid>post-17</guid>")
    observation = only(parse(page(URL, body)))
    assert (observation.key, observation.url) == (
        Item("blog.example", "post-17", "", "", None, None).key,
        POST.link,
    )


def test_a_guid_that_is_missing_is_the_link():
    body = rss(POST).replace(f'<guid isPermaLink="false">{POST.guid}</guid>', "")
    assert only(parse(page(URL, body))).key == Item("blog.example", POST.link, "", "", None, None).key
    body = body.replace(f"<link>{POST.link}</link>", "").replace(
        f"<comments>{POST.link}#respond</comments>", ""
    )
    assert parse(page(URL, body)).problems[0].kind == "unreadable-row"


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a0 "lol">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]><rss version='2.0'><channel><item><title>&a9;</title><guid>1</guid></item></channel></rss>"
)
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]><rss><channel><item><title>&x;</title><guid>1</guid></item></channel></rss>'


@pytest.mark.parametrize("body", [BOMB, EXTERNAL, EXTERNAL.encode("utf-16")])
def test_entities_are_never_expanded(body):
    with pytest.raises(UnreadableError):
        parse(page(URL, body))


def test_two_items_that_claim_one_guid_are_a_problem_and_the_first_stands():
    other = Post(POST.slug, POST.number, "Piers", "<p>Other words.</p>")
    parsed = parse(page(URL, rss(POST, other)))
    assert [each.content.heading for each in parsed.observations] == [POST.title]
    assert "a second item, with another text" in parsed.problems[0].message
    assert not parse(page(URL, rss(POST, POST))).problems, "the same twice is no contradiction"


def test_a_document_type_of_elsewhere_is_not_fetched():
    with serving(lambda path, headers: Reply(body=b'<!ENTITY x "y">')) as site:
        declared = f'<!DOCTYPE rss SYSTEM "{site.url}/rss.dtd"><rss '
        parsed = parse(page(URL, rss(POST).replace("<rss ", declared, 1)))
        assert [each.content.heading for each in parsed.observations] == [POST.title]
        assert site.log == []


def test_windows_1252_inside_utf8_is_mended():
    body = (
        rss(Post("a", 1, "Caf\u00e9", "<p>QUOTE</p>"))
        .encode()
        .replace(b"QUOTE", b"\x93Caf\xc3\xa9\x94 \xa35m \x0b")
    )
    content = only(parse(page(URL, body))).content
    assert (content.heading, content.answer_text) == ("Café", "“Café” £5m")


def test_a_declared_encoding_is_obeyed():
    body = (
        rss(POST).replace("UTF-8", "ISO-8859-1").replace("’", "'").replace("Robin", "Réné").encode("latin-1")
    )
    assert only(parse(page(URL, body))).content.answering_member == Member("Réné Model")


@pytest.mark.parametrize("body", [rss(POST)[:-300], rss(POST)[:900]])
def test_a_feed_that_was_cut_off_is_refused(body):
    with pytest.raises(UnreadableError, match="cut off"):
        parse(page(URL, body))


def test_a_feed_without_items_shows_nothing():
    assert parse(page(URL, rss())).observations == ()


@pytest.mark.parametrize("body", ["", "{}", "nothing", "<?xml version='1.0'?><opml></opml>"])
def test_what_is_neither_feed_nor_article_is_refused(body):
    with pytest.raises(UnreadableError, match="neither"):
        parse(page(URL, body))


def test_a_challenge_is_reported():
    with pytest.raises(BlockedError):
        parse(page(URL, "", status=403, headers={"cf-mitigated": "challenge"}))


@given(
    st.text(),
    st.text(min_size=1),
    st.one_of(st.none(), st.text(min_size=1)),
    st.dates(date(1900, 1, 1), date(2100, 12, 31)),
)
def test_an_address_carries_its_item(title, guid, author, day):
    item = Item("blog.example", guid, "https://blog.example/a/?b=1", title, author, day)
    assert item_of_address(article_address(item)) == item


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_parser(tail):
    for body in (rss(POST).encode()[:700] + tail + b"</rss>", b"<html>" + tail + b"</html>"):
        try:
            parse(page(URL, body))
        except ScraperError:
            continue
