"""Answers that repeat an earlier one nearly word for word.

An answer repeats an earlier one when at least `LEAST` of its words stand in runs of `RUN` words that the earlier one has too
(words as a search compares them: no capitals, accents, punctuation). Earlier: of the same department (by its present name) and
answered on an earlier day; so answers given together to a group repeat nothing. Answers of fewer than `SHORTEST` words and holding
answers are not judged. Where several are repeated, the one with the largest share counts, of equals the newest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zlib import crc32

from sqlalchemy import Connection, select

from pqwatch.facts import NO_BODY
from storage import search
from storage.analyse import words
from storage.bodies import present_name
from storage.bulk import among
from storage.content import content_from_json
from storage.records import Content, Record
from storage.schema import questions, versions
from storage.search_index import is_current
from storage.search_terms import Term, Token, all_of, any_of

RUN = 5
LEAST = 0.8
SHORTEST = 20
_RARE, _TOGETHER = 9, 3
"""Of an answer's longest words, and how many of them together, in any of three threes, an answer like it must have."""

_LIKELY = 20
"""Earlier answers that are compared word for word."""

_COMMON = 400
"""Answers with one run of words beyond which it tells nothing of where it comes from."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A substantive answer. `text` is dropped for its folded words."""

    key: str
    department: str
    answered_on: date
    words: tuple[str, ...]
    pro_forma: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """`share` of the later answer's words, from 0 to 1, that the earlier one has in the same runs."""

    later: Answer
    earlier: Answer
    share: float


def answer_of(key: str, content: Content, *, pro_forma: bool = False) -> Answer | None:
    """The answer as it is compared; null for none, a holding one, a short one, and what is no question."""
    if content.house is None or content.answered_on is None or not content.answer_text:
        return None
    said = tuple(words(content.answer_text))
    if len(said) < SHORTEST:
        return None
    body = content.answering_body
    return Answer(key, present_name(body) if body else NO_BODY, content.answered_on, said, pro_forma)


def _runs(said: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(said[at : at + RUN]) for at in range(len(said) - RUN + 1)]


def share(later: Answer, earlier: Answer) -> float:
    """The share of the later answer's words that stand in runs which the earlier one has too."""
    known, covered, upto = set(_runs(earlier.words)), 0, 0
    for at, run in enumerate(_runs(later.words)):
        if run in known:
            covered += at + RUN - max(at, upto)
            upto = at + RUN
    return covered / len(later.words)


def best(later: Answer, others: Iterable[Answer], least: float = LEAST) -> Repeat | None:
    """The earlier answer that it repeats most; null where it repeats none."""
    found = [
        Repeat(later, each, share(later, each))
        for each in others
        if each.department == later.department and each.answered_on < later.answered_on
    ]
    kept = [each for each in found if each.share >= least]
    return max(kept, key=lambda each: (each.share, each.earlier.answered_on, each.earlier.key), default=None)


def repeats(answers: Iterable[Answer], first: date, last: date, least: float = LEAST) -> Iterator[Repeat]:
    """Of the answers given from `first` to `last`, those that repeat any earlier of `answers`; by day, then key.

    Memory grows with the number of answers. Each is compared with those that share most of a sample of its runs.
    """
    where: dict[tuple[str, int], list[Answer]] = defaultdict(list)
    for each in sorted(answers, key=lambda answer: (answer.answered_on, answer.key)):
        if each.answered_on > last:
            return
        sample = _sample(each)
        if each.answered_on >= first:
            met = Counter(other for run in sample for other in where.get((each.department, run), ()))
            found = best(each, [other for other, _ in met.most_common(_LIKELY)], least)
            if found:
                yield found
        for run in sample:
            held = where[each.department, run]
            if len(held) < _COMMON:
                held.append(each)


def _sample(answer: Answer) -> list[int]:
    """A quarter of the runs, chosen by what they are, so that two answers with one text choose the same."""
    hashed = sorted({crc32(" ".join(run).encode()) for run in _runs(answer.words)})
    return [each for each in hashed if each % 4 == 0] or hashed[:1]


def earlier(conn: Connection, record: Record) -> Repeat | None:
    """The earlier answer that this question's answer repeats, found through the full-text index; null while that is made anew.

    An earlier answer that was corrected since this one came stands behind it in the index and is not met.
    """
    mine = answer_of(record.key, record.content, pro_forma=record.pro_forma)
    if mine is None or not is_current(conn):
        return None
    own = conn.execute(select(questions.c.sort_key).where(questions.c.key == record.key)).scalar()
    hits = search.newest(conn, _alike(mine), _LIKELY // 2, before=own)
    rows = conn.execute(
        select(questions.c.key, questions.c.pro_forma, versions.c.content)
        .join(
            versions, (versions.c.question_id == questions.c.id) & (versions.c.number == questions.c.number)
        )
        .where(among(conn, questions.c.id, [hit.question_id for hit in hits]))
    )
    others = [answer_of(row.key, content_from_json(row.content), pro_forma=row.pro_forma) for row in rows]
    return best(mine, [each for each in others if each is not None])


def _alike(answer: Answer) -> Term:
    """What the index holds of every answer that says nearly the same: some of its longest words, which are seldom common."""
    rare = sorted(set(answer.words), key=lambda word: (-len(word), word))[:_RARE]
    threes = [rare[at : at + _TOGETHER] for at in range(0, len(rare), _TOGETHER)]
    return any_of(all_of(Token(word) for word in three) for three in threes)
