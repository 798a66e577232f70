"""Lets one observation do its work on the batch in memory: who it speaks of, what it makes, what it settles. No database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.batch import Batch, Question, Seen
from storage.content import DEFAULTS
from storage.decide import accepted, decide, is_older
from storage.recheck import next_recheck
from storage.records import PARLIAMENT, Observation, State

_ANSWERED = frozenset({State.ANSWERED, State.CORRECTED})
_KEY_FIELDS = ("house", "uin", "tabled_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a batch is taken in: at which time, and whether its versions are to alert."""

    now: datetime
    backfilled: bool = False
    reparsed: bool = False


def weigh(batch: Batch, observation: Observation, digest: bytes | None, how: How) -> bool:
    """Take one observation into `batch`. Whether it made a version. `digest` is null for a partial view."""
    question = batch.find(observation)
    if digest is None:
        if question is not None and (observation.source, observation.source_id) in batch.seen:
            batch.sighting(observation, question)
        return False
    if question is None:
        question = Question(observation.key)
        batch.new.append(question)
    seen = batch.sighting(observation, question)
    held = question.held(seen.read_at)
    if held is not None and is_older(held, observation):
        if observation.key not in batch.by_key:
            batch.name(question, observation, present=False)
        return False
    before = question.text_observed_at
    made = decide(held, observation, backfilled=how.backfilled, reparsed=how.reparsed)
    fields = accepted(held, observation) if held else observation.seen
    _join(batch, question, observation)
    for version in made:
        question.take(version)
    _fill(batch, question, observation, fields)
    _name(batch, question, observation, moved=bool(made) and _renamed(held and held.content, question))
    if observation.source == PARLIAMENT:
        _plan_recheck(question, observation, text_is_new=question.text_observed_at != before, how=how)
        if made:
            batch.unsettled.add(question)
    _settle(seen, observation, digest)
    return bool(made)


def _join(batch: Batch, question: Question, observation: Observation) -> None:
    """From its first official view on, a question has its official id, and no other source gives it anything.

    What the others gave before is then a difference where the official view has it otherwise.
    """
    if observation.official_id is None or question.official_id is not None:
        return
    batch.joined[question] = question.content, dict(question.fills)
    question.official_id, question.dirty = observation.official_id, True
    question.fills.clear()
    batch.by_official_id[observation.official_id] = question
    batch.unsettled.add(question)


def _fill(batch: Batch, question: Question, observation: Observation, fields: frozenset[str]) -> None:
    if observation.source == PARLIAMENT:
        return
    batch.judged[question, observation.source] = observation
    if question.official_id is not None:
        return
    given = (name for name in fields if getattr(observation.content, name) != DEFAULTS[name])
    question.fills.update(dict.fromkeys(given, observation.source))


def _renamed(before: object, question: Question) -> bool:
    return any(getattr(before, name, None) != getattr(question.content, name) for name in _KEY_FIELDS)


def _name(batch: Batch, question: Question, observation: Observation, *, moved: bool) -> None:
    batch.name(question, observation, present=observation.source == PARLIAMENT or moved)


def _plan_recheck(question: Question, observation: Observation, *, text_is_new: bool, how: How) -> None:
    """Backfilled texts are not read again: they were published long before we first saw them."""
    goes_on = not how.backfilled if text_is_new else question.recheck_at is not None
    due = None
    if goes_on and question.content.state in _ANSWERED and question.text_observed_at is not None:
        due = next_recheck(question.text_observed_at, observation.observed_at)
    if due != question.recheck_at:
        question.recheck_at, question.dirty = due, True


def _settle(seen: Seen, observation: Observation, digest: bytes) -> None:
    seen.digest = digest
    seen.row_digest = observation.row_digest or seen.row_digest
    seen.read_at = max(seen.read_at or observation.observed_at, observation.observed_at)
