"""Strategies: queries as text, and records that they sometimes match. Few words, so that they meet often."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from storage.records import Attachment, Body, Content, House, Member, Record, Sighting

TODAY = date(2024, 6, 1)

WORDS = [
    "drug",
    "drugs",
    "Drug",
    "gang",
    "gangs",
    "seized",
    "seizing",
    "seizure",
    "county",
    "lines",
    "line",
    "cocaine",
    "ROCU",
    "rocu",
    "café",
    "cafe",
    "don't",
    "don’t",
    "U.K.",
    "UK",
    "2,000",
    "2000",
    "18.58",
    "fox-it",
    "fox",
    "it",
    "prisoner's",
    "prisoners'",
    "prisoner",
    "Home",
    "Office",
]
_FIELDS = (
    (
        'department:"Home Office" dept:home-department dept:health house:lords house:commons asker:abbott asker:"ms diane" '
        "minister:jarvis party:labour uin:HL12 uin:7 source:feeds source:parliament state:answered state:tabled state:holding "
        "named-day:yes named-day:no is:overdue is:corrected is:pro-forma has:attachment has:table tabled:2024 tabled:2024-03.. "
        "answered:..2024-04-15 corrected:2024-05 answered:2024-04-10 key:commons/2024-03-01/7 heading:drugs"
    )
    .replace('department:"Home Office"', "department:home-office")
    .replace('asker:"ms diane"', "asker:ms-diane")
    .split()
)

_word = st.sampled_from(WORDS)
_phrase = st.lists(_word, min_size=1, max_size=3).map(lambda words: f'"{" ".join(words)}"')
_prefix = st.sampled_from(
    ["dru*", "ga*", "sei*", "co*", "seizur*", '"county li*"', '"the ga*"', "20*", "do*"]
)
_exact = st.sampled_from(["=ROCU", "=rocu", "=café", "=Drug", "=UK", "=Fox-it"])
_near_side = (
    _word
    | _phrase
    | _prefix
    | st.lists(_word | _phrase | _prefix, min_size=2, max_size=3).map(lambda sides: f"({' OR '.join(sides)})")
)
_near = st.builds("{} NEAR/{} {}".format, _near_side, st.integers(1, 4), _near_side)
_text_leaf = st.one_of(_word, _word, _phrase, _prefix, _exact, _near)


def _bigger(inner):
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda each: f"({' '.join(each)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda each: f"({' OR '.join(each)})"),
        inner.map(lambda each: f"NOT ({each})"),
    )


_in_part = st.builds(
    "{}:({})".format,
    st.sampled_from(["question", "answer", "title"]),
    st.recursive(_text_leaf, _bigger, max_leaves=3),
)
queries = st.recursive(_text_leaf | _text_leaf | _in_part | st.sampled_from(_FIELDS), _bigger, max_leaves=6)
"""Texts of queries; some are refused, because they could match everything."""

_text = st.lists(
    _word | st.sampled_from(["the", "of", "and,", "a.", "- ", "(b)", "£5m;", "\n"]), max_size=14
).map(" ".join)
_date = st.sampled_from([None, date(2024, 3, 1), date(2024, 4, 10), date(2024, 5, 2)])


@st.composite
def records(draw):
    corrected = draw(st.booleans())
    content = Content(
        house=draw(st.sampled_from([House.COMMONS, House.LORDS, None])),
        uin=draw(st.sampled_from(["7", "HL12", None])),
        tabled_on=draw(_date),
        named_day=draw(st.booleans()),
        heading=draw(st.none() | st.just("Drugs") | _text),
        answering_body=draw(
            st.sampled_from([None, Body("Home Office", 1), Body("Home Office"), Body("Ministry of Health")])
        ),
        asking_member=draw(st.sampled_from([None, Member("Ms Diane Abbott", 172, "Labour")])),
        answering_member=draw(st.sampled_from([None, Member("Dan Jarvis", 4243, "Labour")])),
        question_text=draw(st.none() | _text),
        answer_text=draw(st.none() | _text),
        answer_html=draw(st.sampled_from([None, "<p>x</p>", "<table></table>"])),
        answered_on=draw(_date),
        holding_on=draw(_date),
        corrected_on=date(2024, 5, 2) if corrected else None,
        attachments=draw(st.sampled_from([(), (Attachment("a", "https://example.org/a"),)])),
    )
    seen = datetime(2024, 3, 2, tzinfo=UTC)
    sources = draw(st.sampled_from([(), ("parliament",), ("feeds",)]))
    return Record(
        key=draw(st.sampled_from(["commons/2024-03-01/7", "lords/2024-03-01/HL12"])),
        content=content,
        overdue_after=draw(_date),
        pro_forma=draw(st.booleans()),
        ever_corrected=corrected,
        sources=tuple(Sighting(name, "1", "https://example.org/1", seen, seen) for name in sources),
    )
