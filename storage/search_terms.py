"""What can be asked of the full-text index: words, prefixes, phrases and fields, joined by AND, OR and NOT.

Tokens are those of `storage.search_rows`. Both databases answer every expression alone and alike, but for the rows
that `Hit.unsure` marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from storage.document import PartName


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the index; in one part only where `part` is given."""

    text: str
    part: PartName | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A word with this inflected form; `mark` stands before it in the index. `storage.search` puts its forms in."""

    stem: str
    part: PartName | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """Any folded word that begins so."""

    text: str
    part: PartName | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Folded words next to each other; with `prefix`, the last is only the beginning of a word."""

    words: tuple[str, ...]
    prefix: bool = False
    part: PartName | None = None


@dataclass(frozen=True, slots=True)
class All:
    """Every one of them holds; of none: everything."""

    of: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Any:
    """One of them holds; of none: nothing."""

    of: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class No:
    """It does not hold."""

    of: Term


Term = Token | Word | Start | Run | All | Any | No

EVERYTHING = All()
NOTHING = Any()


def all_of(terms: Iterable[Term]) -> Term:
    """The conjunction, simplified: flat, each term once, nothing where one of them is nothing."""
    kept: dict[Term, None] = {}
    for term in terms:
        if term == NOTHING:
            return NOTHING
        kept.update(dict.fromkeys(term.of if isinstance(term, All) else (term,)))
    return next(iter(kept)) if len(kept) == 1 else All(tuple(kept))


def any_of(terms: Iterable[Term]) -> Term:
    """The disjunction, simplified likewise."""
    kept: dict[Term, None] = {}
    for term in terms:
        if term == EVERYTHING:
            return EVERYTHING
        kept.update(dict.fromkeys(term.of if isinstance(term, Any) else (term,)))
    return next(iter(kept)) if len(kept) == 1 else Any(tuple(kept))


def none_of(term: Term) -> Term:
    """The negation, simplified."""
    if term == NOTHING:
        return EVERYTHING
    if term == EVERYTHING:
        return NOTHING
    return term.of if isinstance(term, No) else No(term)


def uses_places(term: Term) -> bool:
    """Whether anything in it asks where words stand: a phrase, or one part only."""
    match term:
        case All(of) | Any(of):
            return any(map(uses_places, of))
        case No(of):
            return uses_places(of)
        case Run():
            return True
        case _:
            return term.part is not None


def stems_of(term: Term) -> set[str]:
    """The inflected forms that are asked for."""
    match term:
        case All(of) | Any(of):
            return set[str]().union(*map(stems_of, of))
        case No(of):
            return stems_of(of)
        case Word(stem):
            return {stem}
        case _:
            return set()


def spelled_out(term: Term, forms: Mapping[str, Sequence[str]]) -> Term:
    """The same with each inflected form as the words that have it."""
    match term:
        case All(of):
            return all_of([spelled_out(each, forms) for each in of])
        case Any(of):
            return any_of([spelled_out(each, forms) for each in of])
        case No(of):
            return none_of(spelled_out(of, forms))
        case Word(stem, part, mark):
            return any_of([Token(mark + word, part) for word in forms[stem]])
        case _:
            return term


def loosened(term: Term, *, more: bool = True) -> Term:
    """The same without regard to where words stand: what holds at least (`more`), or at most, where it does."""
    match term:
        case All(of):
            return all_of([loosened(each, more=more) for each in of])
        case Any(of):
            return any_of([loosened(each, more=more) for each in of])
        case No(of):
            return none_of(loosened(of, more=not more))
        case Run(words, prefix):
            return _words_of(words, prefix) if more else NOTHING
        case _:
            return term if term.part is None else (replace(term, part=None) if more else NOTHING)


def _words_of(words: tuple[str, ...], prefix: bool) -> Term:
    last = Start(words[-1]) if prefix else Token(words[-1])
    return all_of([*map(Token, words[:-1]), last])
