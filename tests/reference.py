"""A slow, obvious matcher, written straight from the table of the query language; the real ones must agree with it.

It shares the tree's types with the product and nothing else: it has a tokenizer of its own, going letter by letter.
"""

from __future__ import annotations

import unicodedata
from datetime import date
from functools import lru_cache

import Stemmer

from alerts.tree import And, Dates, Exact, Field, Near, Node, Not, Or, Phrase, Prefix, Scope, Topic, Word
from storage.records import House, Record

_stemmer = Stemmer.Stemmer("english")
Token = tuple[str, str, int, int]  # folded, as written, start, end


def tokens(text: str) -> list[Token]:
    """For texts of letters of the Latin script, digits and plain punctuation, which is what the tests generate."""
    return list(_tokens(text))


@lru_cache(maxsize=4_096)
def _tokens(text: str) -> tuple[Token, ...]:
    found, i = [], 0
    while i < len(text):
        if not text[i].isalnum():
            i += 1
            continue
        end = _initials(text, i) or _word(text, i)
        found.append(_token(text, i, end))
        i = end
    return tuple(found)


def _initials(text: str, i: int) -> int | None:
    """The end of `U.K.` or `U.K`, if that is what begins here."""
    end, letters = i, 0
    while end < len(text) and text[end].isalpha() and not text[end + 1 : end + 2].isalnum():
        letters += 1
        end += 1
        if text[end : end + 1] != ".":
            break
        end += 1
    while letters and end > i and text[end - 1] == "." and not _is_alpha(text[end - 2 : end - 1]):
        end -= 1
    if letters < 2:
        return None
    if text[end : end + 2].lower() in ("'s", "’s") and not text[end + 2 : end + 3].isalnum():
        return end + 2
    return end


def _is_alpha(char: str) -> bool:
    return char.isalpha()


def _word(text: str, i: int) -> int:
    end = i
    while end < len(text):
        char, after = text[end], text[end + 1 : end + 2]
        three = text[end + 1 : end + 4]
        digits_around = end > i and text[end - 1].isdigit() and after.isdigit()
        if (
            char.isalnum()
            or (char in "'’" and after.isalnum())
            or (char == "." and digits_around)
            or (
                char == ","
                and digits_around
                and len(three) == 3
                and three.isdigit()
                and not text[end + 4 : end + 5].isdigit()
            )
        ):
            end += 1
        else:
            break
    return end


def _token(text: str, start: int, end: int) -> Token:
    written = text[start:end].replace("’", "'")
    while written.lower().endswith("'s") and len(written) > 2:
        written, end = written[:-2], end - 2
    written = written.replace(",", "")
    if not written[0].isdigit():
        written = written.replace(".", "")
    return fold(written), written, start, end


def fold(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    return _stemmer.stemWord(word)


def parts_of(record: Record) -> dict[str, str]:
    content = record.content
    return {
        "title": content.heading or "",
        "question": content.question_text or "",
        "answer": content.answer_text or "",
    }


def holds(
    node: Node, record: Record, today: date, parts: tuple[str, ...] = ("title", "question", "answer")
) -> bool:
    match node:
        case And(children):
            return all(holds(child, record, today, parts) for child in children)
        case Or(children):
            return any(holds(child, record, today, parts) for child in children)
        case Not(child):
            return not holds(child, record, today, parts)
        case Scope(part, child):
            return holds(child, record, today, (part,))
        case Topic(_, child):
            return holds(child, record, today, parts)
        case Field(name, value):
            return field_holds(name, value, record, today)
        case Dates(name, first, last):
            day = getattr(record.content, f"{name}_on")
            return day is not None and (first or date.min) <= day <= (last or date.max)
        case _:
            return any(occurrences(node, parts_of(record)[part]) for part in parts)


def occurrences(node: Node, text: str) -> set[tuple[int, int]]:
    """Positions (first word, last word) at which the node occurs in the text; for NEAR, those of its pairs."""
    words = tokens(text)
    match node:
        case Word(wanted):
            return {(i, i) for i, word in enumerate(words) if stem(word[0]) == stem(wanted)}
        case Prefix(wanted):
            return {(i, i) for i, word in enumerate(words) if word[0].startswith(wanted)}
        case Phrase(wanted, prefix):
            return phrase_at(list(wanted), [word[0] for word in words], prefix)
        case Exact(wanted):
            return phrase_at(list(wanted), [word[1] for word in words], False)
        case Or(children):
            return set().union(*[occurrences(child, text) for child in children])
        case Near(left, right, distance):
            found = set()
            for a in occurrences(left, text):
                for b in occurrences(right, text):
                    apart = min(abs(p - q) for p in range(a[0], a[1] + 1) for q in range(b[0], b[1] + 1))
                    if 1 <= apart <= distance:
                        found |= {a, b}
            return found
    raise TypeError(node)


def phrase_at(wanted: list[str], words: list[str], prefix: bool) -> set[tuple[int, int]]:
    found = set()
    for i in range(len(words)):
        here = words[i : i + len(wanted)]
        if len(here) < len(wanted):
            break
        if prefix:
            here[-1] = wanted[-1] if here[-1].startswith(wanted[-1]) else here[-1] + "!"
        if here == wanted:
            found.add((i, i + len(wanted) - 1))
    return found


def field_holds(name: str, value: str, record: Record, today: date) -> bool:  # noqa: C901 - a table
    content = record.content
    match name:
        case "department":
            former = {"Home Office": ["Home Office", "Home Department"]}
            body = content.answering_body
            return body is not None and any(
                inside(value, each) for each in former.get(body.name, [body.name])
            )
        case "house":
            full = {House.COMMONS: "House of Commons", House.LORDS: "House of Lords", None: ""}
            return inside(value, full[content.house])
        case "asker":
            return content.asking_member is not None and inside(value, content.asking_member.name)
        case "party":
            return content.asking_member is not None and inside(value, content.asking_member.party or "")
        case "minister":
            return content.answering_member is not None and inside(value, content.answering_member.name)
        case "source":
            return any(inside(value, sighting.source) for sighting in record.sources)
        case "uin":
            return (content.uin or "").lower() == value
        case "key":
            return record.key == value
        case "heading":
            return fold(content.heading or "") == value
        case "state":
            return record.state.value == value
        case "named-day":
            return content.named_day == (value == "yes")
        case "is":
            return {
                "overdue": record.is_overdue(today),
                "corrected": record.ever_corrected or content.corrected_on is not None,
                "pro-forma": record.pro_forma,
            }[value]
        case "has":
            return (
                bool(content.attachments)
                if value == "attachment"
                else "<table" in (content.answer_html or "")
            )
    raise ValueError(name)


def inside(phrase: str, name: str) -> bool:
    return bool(phrase_at(phrase.split(), [word[0] for word in tokens(name)], False))


def matched(node: Node, record: Record, today: date) -> list[tuple[str, int, int]]:
    """(part, start, end) of the positive words of the branches that hold."""
    found: set[tuple[str, int, int]] = set()
    gather(node, record, today, ("title", "question", "answer"), True, found)
    order = ["title", "question", "answer"]
    return sorted(found, key=lambda place: (order.index(place[0]), place[1], place[2]))


def gather(node, record, today, parts, wanted, found) -> None:
    if holds(node, record, today, parts) != wanted:
        return
    match node:
        case And(children) | Or(children):
            for child in children:
                gather(child, record, today, parts, wanted, found)
        case Not(child):
            gather(child, record, today, parts, not wanted, found)
        case Scope(part, child):
            gather(child, record, today, (part,), wanted, found)
        case Topic(_, child):
            gather(child, record, today, parts, wanted, found)
        case Field() | Dates():
            return
        case _ if wanted:
            for part in parts:
                text = parts_of(record)[part]
                words = tokens(text)
                found |= {(part, words[i][2], words[j][3]) for i, j in occurrences(node, text)}
