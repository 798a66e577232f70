"""Text, HTML and dates as the outside promises them."""

import re
import time
import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.addresses import all_such, escape_spaces, safe_href, unwrap
from scraper.clean import clean_html, clean_text, decode, iso_date, london_date, spoken_date
from scraper.source import UnreadableError

SAFELINK = (
    "https://eur03.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.gov.uk%2Fa%3Fb%3D1&data=05%7C01"
)
TAGS = (
    "p",
    "br",
    "ul",
    "ol",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "a",
    "strong",
    "b",
    "em",
    "i",
    "sub",
    "sup",
)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<p>One.</p><p>Two.</p>", "One.\nTwo."),
        ("<p>One.</p><p> </p><p>\u00a0</p><p>Two.</p>", "One.\nTwo."),
        ("<p>One.<br>Two.<br> <br/>Three.</p>", "One.\nTwo.\nThree."),
        ("One.<p>Two.</p>Three.", "One.\nTwo.\nThree."),
        ("<p>a \u00a0\u202f\n\t b </p>", "a b"),
        ("<ul><li>first</li><li>second <ul><li>inner</li></ul></li></ul>", "first\nsecond\ninner"),
        ("<ol><li><p>first</p></li><li><p>second</p></li></ol>", "first\nsecond"),
        ("<table><tr><td>Year</td><td>Seized</td></tr><tr><td>2017</td><td>1,234</td></tr></table>", "Year\tSeized\n2017\t1,234"),
        ("<table><tbody><tr><td><p> 2017 </p></td><td><p>1</p><p>2<br>3</p></td></tr></tbody></table>", "2017\t1 2 3"),
        ("<table><tr><td></td><td>2017</td><td></td></tr></table>", "\t2017"),
        ("<table><tr><td>a</td><td> </td><td>b</td></tr></table>", "a\t\tb"),
        ("<table><tr><td> </td><td><p></p></td></tr><tr><td>x</td></tr></table>", "x"),
        ("<table><tr><td>Aims<ul><li>one</li><li>two</li></ul>end</td><td>b</td></tr></table>", "Aims one two end\tb"),
        ("<table><tr><td>a<table><tr><td>b</td><td>c</td></tr></table></td><td>d</td></tr></table>", "a b c\td"),
        ("<p>before</p><table><tr><td>a</td></tr></table><p>after</p>", "before\na\nafter"),
        ("<table><caption>Seizures</caption><tr><td>a</td></tr></table>", "Seizures\na"),
        ("<h2>Head</h2><div>one</div><div>two<p>three</p>four</div>", "Head\none\ntwo\nthree\nfour"),
        ("smug\u200bgling\u2060 \ufeffof\u200e co\u00adcaine", "smuggling of cocaine"),
        ("<p>cafe\u0301 &amp; &lt;b&gt; &pound;5 &#8217;</p>", "café & <b> £5 ’"),
        ("it\u0092s &#146;so&#146; \u0093quoted\u0094", "it’s ’so’ “quoted”"),
        ("a\x00b\x1fc", "abc"),
        ("<p>one<script>alert(1)</script><style>p{}</style><!-- no --> two</p>", "one two"),
        ("<p>H<sub>2</sub>O is <b>wet</b>.</p>", "H2O is wet."),
        ("<p>cut <strong>off", "cut off"),
        ("</td></p>stray</table>", "stray"),
        ("", ""),
        ("   ", ""),
        ("<p></p>", ""),
    ],
)  # fmt: skip
def test_text(raw, text):
    assert clean_html(raw)[0] == text


@pytest.mark.parametrize(
    ("raw", "html"),
    [
        ("no tags at all", "<p>no tags at all</p>"),
        ('<p class="x" onclick="y()">a</p>', "<p>a</p>"),
        ("<div>a</div><span>b</span><h3>c</h3>", "<p>a</p><p>b</p><p>c</p>"),
        ('<a href="https://www.gov.uk/x" rel="nofollow" target="_blank" title="t">x</a>', '<p><a href="https://www.gov.uk/x">x</a></p>'),
        (f'<p><a href="{SAFELINK}">x</a></p>', '<p><a href="https://www.gov.uk/a?b=1">x</a></p>'),
        ('<p><a href="javascript:alert(1)">x</a><a href=" JaVa&#9;script:x">y</a><a href="/mp/?p=1">z</a><a>w</a></p>', "<p>xyzw</p>"),
        ('<p><a href="mailto:a@example.org">x</a></p>', '<p><a href="mailto:a@example.org">x</a></p>'),
        ('<p><a href="https://a.example/b c">x</a></p>', '<p><a href="https://a.example/b%20c">x</a></p>'),
        ('<table><tr><td colspan="2" style="x">a</td><th rowspan=3>b</th><td colspan="x">c</td></tr></table>',
         '<table><tr><td colspan="2">a</td><th rowspan="3">b</th><td>c</td></tr></table>'),
        ("<p>a  b</p><p> </p>", "<p>a  b</p><p> </p>"),
        ('<p>1 < 2 & "x"</p>', '<p>1 &lt; 2 &amp; "x"</p>'),
        ("<strong><p>x</p></strong>", "<p><strong>x</strong></p>"),
        ("<svg><a href='https://a.example'>x</a></svg><img src=x onerror=y><iframe>z</iframe>", ""),
    ],
)  # fmt: skip
def test_html(raw, html):
    assert clean_html(raw)[1] == html


fragments = st.lists(
    st.one_of(
        st.sampled_from([*(f"<{tag}>" for tag in TAGS), *(f"</{tag}>" for tag in TAGS)]),
        st.sampled_from(
            ["<div>", "</div>", "<span>", "</span>", "<h2>", "</h2>", "<font>", "<form>", "<pre>", "<caption>", "<dl><dt>", "<dd>"]
        ),
        st.sampled_from(
            ['<a href="https://a.example/?b=1&amp;c">', f'<a href="{SAFELINK}">', "<script>", "</script>", "<svg>", "<!--", "-->"]
        ),
        st.sampled_from(["&amp;", "&lt;", "&#0;", "&#146;", "&nbsp;", "&zwj;", "<", ">", '"', "\u0338", "\u0301", "\u200b", "\u202f"]),
        st.text(max_size=8),
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(fragments)
def test_cleaning_twice_is_cleaning_once(fragment):
    text, html = clean_html(fragment)
    assert clean_html(html) == (text, html)


@given(fragments)
def test_html_holds_no_other_tag_or_attribute(fragment):
    html = clean_html(fragment)[1]
    for tag, attributes in re.findall(r"<(/?[^\s>]*)([^>]*)>", html):
        assert tag.removeprefix("/") in TAGS
        assert re.fullmatch(r'(?: (?:colspan|rowspan|href)="[^"<>]*")*', attributes)


@given(fragments)
def test_text_keeps_its_rules(fragment):
    text = clean_html(fragment)[0]
    assert text == unicodedata.normalize("NFC", text)
    assert not re.search("[\u200b-\u200f\u2060\ufeff\x00-\x08\u00a0\u202f]|  | \n|\n\n| \t|\n$", text)
    assert text.rstrip() == text


@given(st.text())
def test_clean_text_is_one_tidy_line(text):
    cleaned = clean_text(text)
    assert cleaned == clean_text(cleaned)
    assert cleaned.split() == cleaned.split(" ") or cleaned == ""


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_utf8_is_decoded_as_it_is(text):
    assert decode(text.encode()) == text.removeprefix("\ufeff")


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded(body):
    decode(body).encode()


def test_a_link_within_a_link_is_text():
    html = '<p><a href="https://a.example">x<i><a href="https://b.example">y</a></i></a>z</p>'
    assert clean_html(html)[1] == '<p><a href="https://a.example">x<i>y</i></a>z</p>'


def test_plain_text_is_tidy():
    assert (
        clean_text(" cafe\u0301\u00a0\t of\n\u034f\u061c\u200b\u202e\u2066\ufeff seizures\u0085 ")
        == "café of seizures…"
    )


def test_windows_1252_inside_utf8_is_mended():
    assert decode("café ".encode() + b"\x91quoted\x92 \xa35m") == "café ‘quoted’ £5m"


def test_a_five_megabyte_answer_is_read_in_bounded_time():
    start = time.process_time()
    text, _ = clean_html("<p>All seizures of the year.</p>" * 160_000 + "<b>" * 1000)
    assert text.count("\n") == 159_999
    assert time.process_time() - start < 20


def test_one_long_word_is_read():
    assert len(clean_html("<p>" + "x" * 12_000_000)[0]) == 12_000_000


def test_what_is_nested_too_deeply_is_refused_not_cut():
    with pytest.raises(UnreadableError, match="read whole"):
        clean_html("<div>" * 100_000 + "the end")


def test_addresses():
    assert unwrap(SAFELINK) == "https://www.gov.uk/a?b=1"
    assert unwrap("https://evil.example/?url=https://x&h=.safelinks.protection.outlook.com") == (
        "https://evil.example/?url=https://x&h=.safelinks.protection.outlook.com"
    )
    assert safe_href("data:text/html,x") is None
    assert escape_spaces("https://a.example/x y/é%20z?a=b c") == "https://a.example/x%20y/%C3%A9%20z?a=b%20c"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(asked on 21st June 2018)", date(2018, 6, 21)),
        ("answered at  on  2 July 2018.", date(2018, 7, 2)),
        ("answered am ar 23 Mai 2024", date(2024, 5, 23)),
        ("Friday 13th March 2026", date(2026, 3, 13)),
        ("3 Tachwedd 2020", date(2020, 11, 3)),
    ],
)
def test_spoken_dates(text, expected):
    assert spoken_date(text) == expected


@pytest.mark.parametrize(
    "text", ["31 June 2020", "12 May", "12 Brumaire 2020", "", "1 May 1066", "32 May 2020"]
)
def test_impossible_dates_are_refused(text):
    with pytest.raises(UnreadableError):
        spoken_date(text)


@pytest.mark.parametrize(
    "text", ["0001-01-01", "2024-02-30", "2024-1-1", "24-01-01", "2101-01-01", "x", "2024-01-01T00:00:00"]
)
def test_iso_dates_are_strict(text):
    with pytest.raises(UnreadableError):
        iso_date(text)


def test_a_day_begins_at_londons_midnight():
    assert london_date(datetime(2024, 7, 1, 23, 30, tzinfo=UTC)) == date(2024, 7, 2)
    assert london_date(datetime(2024, 12, 1, 23, 30, tzinfo=UTC)) == date(2024, 12, 1)


@pytest.mark.parametrize(
    ("url", "such"),
    [
        ("https://x.example/api/questions/1900001?expandMember=true", "https://x.example/api/questions/*"),
        ("https://x.example/api/questions/2026-02-02/HL12", "https://x.example/api/questions/*"),
        ("https://x.example/api/questions?take=1000", "https://x.example/api/questions"),
    ],
)
def test_pages_of_one_kind_share_an_address(url: str, such: str) -> None:
    assert all_such(url) == such
