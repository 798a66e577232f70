"""Word diff, field changes, and cells of tables."""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from datetime import date
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.diff import FieldChange, Op, as_html, as_text, fields, tables, words
from storage.records import Attachment, Body, Content, House, Member

OLD = "There were 12,000 seizures of heroin at ports in 2023."
NEW = "There were 13,500 seizures of cocaine and heroin at ports in 2023."

PROSE = st.lists(
    st.sampled_from(["the ", "force ", "12,000 ", "U.K. ", "don't ", "x\n", "\t", ", ", "<b>", "a", "  ", "“", "é "]), max_size=40
).map("".join)  # fmt: skip
TEXTS = PROSE | st.text(max_size=60)


def test_words_removed_and_added() -> None:
    assert as_text(words(OLD, NEW)) == (
        "There were [-12,000-]{+13,500+} seizures of {+cocaine and +}heroin at ports in 2023."
    )
    assert as_html(words(OLD, NEW)) == (
        "There were <del>12,000</del><ins>13,500</ins> seizures of <ins>cocaine and </ins>heroin at ports in 2023."
    )


def test_no_text_on_one_side() -> None:
    assert words(None, None) == words("", None) == []
    assert words(None, "Yes.") == [Op("insert", None, "Yes.")]
    assert words("Yes.", "") == [Op("delete", "Yes.", None)]


@given(TEXTS, TEXTS)
def test_deleting_the_inserts_gives_before_and_deleting_the_deletes_after(before: str, after: str) -> None:
    ops = words(before, after)
    assert "".join(op.before or "" for op in ops) == before
    assert "".join(op.after or "" for op in ops) == after
    for op in ops:
        assert (op.before is None) == (op.op == "insert")
        assert (op.after is None) == (op.op == "delete")
        if op.op == "equal":
            assert (op.before or "").split() == (op.after or "").split() or min(op.before or "x") >= "\x1c"


@given(st.lists(st.sampled_from(["the", "force", "12,000", "seized", "."]), max_size=30), st.data())
def test_white_space_alone_is_no_change(parts: list[str], data: st.DataObject) -> None:
    gaps = st.sampled_from([" ", "\n", "\t", "  "])
    one, other = ("".join(part + data.draw(gaps) for part in parts) for _ in range(2))
    assert {op.op for op in words(one, other)} <= {"equal"}


@given(
    st.lists(st.sampled_from(["alpha ", "beta ", "gamma ", "delta.\n"]), max_size=60),
    st.lists(st.sampled_from(["alpha ", "beta ", "new "]), max_size=60),
)
def test_the_marked_text_reads_both_ways(before: list[str], after: list[str]) -> None:
    one, other = "".join(before), "".join(after)
    text = as_text(words(one, other), fold=False)
    assert _without(r"\{\+.*?\+\}", r"\[-(.*?)-\]", text).split() == one.split()
    assert _without(r"\[-.*?-\]", r"\{\+(.*?)\+\}", text).split() == other.split()


def _without(gone: str, kept: str, text: str) -> str:
    return re.sub(kept, r"\1", re.sub(gone, "", text, flags=re.DOTALL), flags=re.DOTALL)


@given(TEXTS, TEXTS, st.booleans())
def test_html_never_carries_mark_up_of_the_text(before: str, after: str, fold: bool) -> None:
    html = as_html(words(before, after), fold)
    rest = re.sub(r'</?(?:del|ins)>|<span class="fold">…</span>|<br>', "", html)
    assert "<" not in rest
    assert ">" not in rest
    assert '"' not in rest
    if not fold:
        shown = unescape(re.sub(r"<del>.*?</del>|</?ins>|<br>", "", html, flags=re.DOTALL))
        assert shown.replace("|", " ").split() == after.replace("|", " ").split()


def test_cells_stay_apart_in_html() -> None:
    assert as_html(words("2024\t20\t450", "2024\t20\t475")) == "2024 | 20 | <del>450</del><ins>475</ins>"


def test_hostile_text_stays_text() -> None:
    html = as_html(words("safe", '<script>alert("x")</script> & <del>'))
    assert "<script" not in html
    assert html.count("<del>") == 1
    assert "&lt;script&gt;alert(&quot;x&quot;)" in html


def test_long_unchanged_stretches_are_folded() -> None:
    body = " ".join(f"word{n}" for n in range(200))
    text = as_text(words(f"{body} old {body}", f"{body} new {body}"))
    assert text.startswith(" […] word188 ")
    assert "word199 [-old-]{+new+} word0" in text
    assert text.endswith("word11  […] ")
    assert "word100" not in text
    assert len(as_text(words(f"{body} old {body}", f"{body} new {body}"), fold=False)) > len(body) * 2


def test_unchanged_text_folds_to_almost_nothing() -> None:
    assert as_text(words("word " * 500, "word " * 500)) == " […] "
    assert as_text(words("a few words", "a few words")) == "a few words"


def test_scraps_between_changes_are_part_of_them() -> None:
    ops = words("seized by Merseyside of old times today", "taken in Lancashire of new days today")
    assert [op.op for op in ops] == ["replace", "equal"]


def test_numbers_and_hyphens_stay_whole() -> None:
    assert (
        as_text(words("rose by 18.58 per cent", "rose by 18.59 per cent"))
        == "rose by [-18.58-]{+18.59+} per cent"
    )
    assert as_text(words("anti-slavery", "anti-social")) == "[-anti-slavery-]{+anti-social+}"


@pytest.mark.parametrize("kind", ["one word", "rewritten", "reversed", "rows", "spaces"])
def test_a_megabyte_does_not_hang(kind: str) -> None:
    chance = random.Random(7)
    names = ["".join(chance.choice("abcdefgh") for _ in range(5)) for _ in range(3_000)]
    before = " ".join(chance.choice(names) for _ in range(170_000))
    after = {
        "one word": before.replace(names[0], "other"),
        "rewritten": " ".join(chance.choice(names) for _ in range(170_000)),
        "reversed": before[::-1],
        "rows": before.replace("a ", "a\n"),
        "spaces": " \t\n" * 300_000,
    }[kind]
    start = time.process_time()
    ops = words(before, after)
    as_html(ops)
    assert time.process_time() - start < 20, "a bound, not a target: it takes about half a second"
    assert "".join(op.after or "" for op in ops) == after
    if kind == "one word":
        assert {op.op for op in ops} == {"equal", "replace"}
        assert sum(len(op.before or "") for op in ops if op.op == "replace") < 3_000
    if kind == "rows":
        assert [op.op for op in ops] == ["equal"]


def test_lines_are_compared_first_in_a_long_text() -> None:
    rows = [f"{n % 7}\t{n % 5}\t{n % 3}" for n in range(4_000)]
    ops = words("\n".join(rows), "\n".join([*rows[:2_000], "9\t9\t9", *rows[2_001:]]))
    assert sum(len(op.after or "") for op in ops if op.op != "equal") < 10


def test_white_space_at_the_ends_is_no_change() -> None:
    for one, other in ((" a", "a"), ("a", "\n a\n"), ("", "  "), (" ", None)):
        assert {op.op for op in words(one, other)} == {op.op for op in words(other, one)} == {"equal"}


# --- fields

BEFORE = Content(
    house=House.COMMONS, question_text="To ask the Secretary of State for Justice", answer_text="Twelve.", answer_html="<p>Twelve.</p>",
    answering_body=Body("Ministry of Justice", 54), tabled_on=date(2025, 3, 3), grouped_with=("commons/2025-03-03/2",),
    answering_member=Member("Ann Example"), attachments=(Attachment("Old", "https://example.org/o"),),
)  # fmt: skip


def test_nothing_changed() -> None:
    assert fields(BEFORE, replace(BEFORE)) == []


def test_texts_change_by_words_and_the_rest_as_a_whole() -> None:
    after = replace(
        BEFORE, answer_text="Thirteen.", answer_html="<p>Thirteen.</p>", answering_body=Body("Home Office", 1), corrected_on=date(2025, 3, 9),
        declared_interest=True, answering_member=None, grouped_with=("commons/2025-03-03/3",), attachments=(),
    )  # fmt: skip
    assert fields(BEFORE, after) == [
        FieldChange("answer_text", "replace", "Twelve", "Thirteen"),
        FieldChange("answer_text", "equal", ".", "."),
        FieldChange("answering_body", "replace", "Ministry of Justice", "Home Office"),
        FieldChange("answering_member", "delete", "Ann Example", None),
        FieldChange("corrected_on", "insert", None, "2025-03-09"),
        FieldChange("declared_interest", "replace", "no", "yes"),
        FieldChange("grouped_with", "delete", "commons/2025-03-03/2", None),
        FieldChange("grouped_with", "insert", None, "commons/2025-03-03/3"),
        FieldChange("attachments", "delete", "Old (https://example.org/o)", None),
    ]


def test_mark_up_alone_is_no_change_of_words() -> None:
    after = replace(BEFORE, answer_html="<p><strong>Twelve.</strong></p>")
    assert [(c.field, c.op) for c in fields(BEFORE, after)] == [("answer_html", "equal")]
    spaced = replace(BEFORE, answer_text="Twelve.\n", answer_html="<p>Twelve.</p><p></p>")
    assert {c.op for c in fields(BEFORE, spaced)} == {"equal"}


# --- tables

TABLE = "The figures are:\nYear\tSeizures\tArrests\n2022\t12\t5\n2023\t14\t6\nSource: the force"


def shown(before: str | None, after: str | None) -> list[str]:
    return [str(change) for change in tables(before, after)]


def test_a_changed_cell_is_named_by_row_and_column() -> None:
    assert shown(TABLE, TABLE.replace("14", "15")) == ["row “2023”, column “Seizures”: 14 → 15"]
    (change,) = tables(TABLE, TABLE.replace("14", "15"))
    assert (change.table, change.row, change.column, change.op) == (1, 3, 2, "replace")


def test_unchanged_tables_and_texts_without_any() -> None:
    assert shown(TABLE, TABLE.replace("\t12", "\t 12 ")) == []
    assert shown("no table", "none here") == shown(None, None) == []


def test_a_row_that_comes_moves_no_other() -> None:
    after = TABLE.replace("2022\t12\t5", "2021\t3\t1\n2022\t12\t5")
    assert shown(TABLE, after) == [
        "row “2021”, column “Year”: (nothing) → 2021",
        "row “2021”, column “Seizures”: (nothing) → 3",
        "row “2021”, column “Arrests”: (nothing) → 1",
    ]
    assert {change.op for change in tables(after, TABLE)} == {"delete"}


def test_a_column_that_comes_moves_no_other() -> None:
    after = "Year\tSeizures\tCharges\tArrests\n2022\t12\t9\t5\n2023\t14\t8\t6"
    assert shown(TABLE, after) == [
        "row “Year”, column “Charges”: (nothing) → Charges",
        "row “2022”, column “Charges”: (nothing) → 9",
        "row “2023”, column “Charges”: (nothing) → 8",
    ]
    assert [str(c) for c in tables(after, TABLE)][1] == "row “2022”, column “Charges”: 9 → (nothing)"


def test_without_headers_columns_are_numbered() -> None:
    assert shown("1\t2\n3\t4", "1\t2\n3\t5") == ["row “3”, column 2: 4 → 5"]
    assert shown("\t2\n\t4", "\t2\n\t5") == ["row 2, column 2: 4 → 5"]


def test_years_may_be_headers() -> None:
    before = "Port\t2022\t2023-24\nDover\t1\t2"
    assert shown(before, "Port\t2022\t2023-24\nDover\t1\t3") == ["row “Dover”, column “2023-24”: 2 → 3"]


def test_a_renamed_row_is_paired_by_place() -> None:
    assert shown(TABLE, TABLE.replace("2023\t", "2023 (provisional)\t")) == [
        "row “2023 (provisional)”, column “Year”: 2023 → 2023 (provisional)"
    ]


def test_several_tables_and_one_that_goes() -> None:
    two = f"{TABLE}\nBy port\nPort\tSeizures\nDover\t7"
    assert shown(two, two.replace("Dover\t7", "Dover\t8")) == ["row “Dover”, column “Seizures”: 7 → 8"]
    assert {change.table for change in tables(two, TABLE)} == {2}


CELLS = st.lists(
    st.lists(st.sampled_from(["", "Year", "2023", "1", "2", "x y"]), min_size=2, max_size=4), max_size=6
)


@given(CELLS, CELLS)
def test_every_cell_that_differs_is_told(one: list[list[str]], other: list[list[str]]) -> None:
    before, after = ("\n".join("\t".join(row) for row in table) for table in (one, other))
    changes = tables(before, after)
    assert (changes == []) or before != after
    for change in changes:
        assert change.before != change.after
        table = other if change.after is not None else one
        assert table[change.row - 1][change.column - 1] == (change.after or change.before)
