"""One question as the official API gives it, every field checked. Used by `spiders/parliament.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from scraper.addresses import escape_spaces, safe_href
from scraper.clean import clean_html, clean_text, iso_date
from scraper.source import UnreadableError
from scraper.strict import Fields
from storage.records import Attachment, Body, Content, House, Member, key_of

_UNSEEN_WITHOUT = {"askingMember": ("asking_member",), "answeringMember": ("answering_member",)}
_UINS = {House.COMMONS: re.compile(r"\d{1,9}"), House.LORDS: re.compile(r"HL\d{1,9}")}


class Drift:
    """Names of fields that are new, gathered over a page."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names = set(names)

    def account(self, fields: Fields) -> None:
        self.names.update(fields.leftovers())


class ApiQuestion:
    """The fields of one question, checked; texts still as the API gives them.

    `expanded`: the address asked for the members' details, so that their absence is an error.
    """

    def __init__(self, value: dict[str, Any], new: Drift, *, expanded: bool) -> None:
        fields = Fields(value, "a question")
        self.id = fields.take("id", int)
        fields.where = f"question {self.id}"
        self.unseen: set[str] = set()
        self._take_identity(fields)
        self._take_question(fields)
        self._take_members(fields, new, expanded)
        self._take_answer(fields)
        self._take_group(fields, new)
        self.attachments = tuple(
            _attachment(each, fields.where, new) for each in fields.take("attachments", list)
        )
        fields.take("attachmentCount", int)  # 0 beside real attachments, so of no use
        fields.take("comparableAnswerText", str)  # a rendering of what we compare ourselves
        new.account(fields)

    def _take_identity(self, fields: Fields) -> None:
        house = fields.take("house", str)
        uin = fields.take("uin", str)
        if house not in (House.COMMONS, House.LORDS):
            raise UnreadableError(f"{fields.where}: the house {house!r} is unknown")
        self.house = House(house)
        self.uin = uin.upper()
        if not _UINS[self.house].fullmatch(self.uin):
            raise UnreadableError(f"{fields.where}: {uin!r} is no UIN of the {house}")
        self.tabled_on = _take_date(fields, "dateTabled")
        self.key = key_of(self.house, self.tabled_on, self.uin)

    def _take_question(self, fields: Fields) -> None:
        self.text = fields.take("questionText", str)
        if not self.text.strip():
            raise UnreadableError(f"{fields.where}: questionText is empty")
        self.heading = fields.opt("heading", str)
        self.due_on = _take_date(fields, "dateForAnswer")
        self.body = fields.take("answeringBodyId", int), fields.take("answeringBodyName", str)
        if not self.body[1].strip():
            raise UnreadableError(f"{fields.where}: answeringBodyName is empty")
        self.named_day = fields.take("isNamedDay", bool)
        self.withdrawn = fields.take("isWithdrawn", bool)
        self.declared_interest = fields.take("memberHasInterest", bool)

    def _take_members(self, fields: Fields, new: Drift, expanded: bool) -> None:
        asking_id = fields.take("askingMemberId", int)
        self.asking = self._take_member(fields, "askingMember", asking_id, new, expanded)
        self.answering_id = fields.opt("answeringMemberId", int)
        self.answering = self._take_member(fields, "answeringMember", self.answering_id, new, expanded)
        self.correcting_id = fields.opt("correctingMemberId", int)
        self._take_member(fields, "correctingMember", self.correcting_id, new, expanded)

    def _take_member(
        self, fields: Fields, name: str, member_id: int | None, new: Drift, expanded: bool
    ) -> Member | None:
        value = fields.opt(name, dict)
        if value is None:
            if member_id is not None and expanded:
                raise UnreadableError(f"{fields.where}: {name} is null, but its id is {member_id}")
            if member_id is not None:
                self.unseen.update(_UNSEEN_WITHOUT.get(name, ()))
            return None
        if value.get("id") != member_id:
            raise UnreadableError(
                f"{fields.where}: {name} has the id {value.get('id')!r}, expected {member_id}"
            )
        return _member(Fields(value, f"{fields.where}: {name}"), new)

    def _take_answer(self, fields: Fields) -> None:
        self.answered_on = _take_optional_date(fields, "dateAnswered")
        self.answer = fields.opt("answerText", str)
        self.holding_on = _take_optional_date(fields, "dateHoldingAnswer")
        self.corrected_on = _take_optional_date(fields, "dateAnswerCorrected")
        self.original = fields.take("originalAnswerText", str)
        holding = fields.opt("answerIsHolding", bool)
        correction = fields.opt("answerIsCorrection", bool)
        if self.answered_on is None:
            self._refuse_half_answer(fields.where, holding, correction)
        else:
            self._refuse_odd_answer(fields.where, holding, correction)
        if holding:
            self.holding_on = self.holding_on or self.answered_on
            self.answered_on = None

    def _refuse_half_answer(self, where: str, holding: bool | None, correction: bool | None) -> None:
        given = (self.answer, self.answering_id, self.holding_on, self.corrected_on, self.correcting_id)
        if any(each is not None for each in given) or holding or correction or self.original:
            raise UnreadableError(f"{where}: dateAnswered is null, but parts of an answer are there")

    def _refuse_odd_answer(self, where: str, holding: bool | None, correction: bool | None) -> None:
        if self.answer is None or self.answering_id is None:
            raise UnreadableError(
                f"{where}: dateAnswered is there, but answerText or answeringMemberId is null"
            )
        if holding is None or correction is None:
            raise UnreadableError(
                f"{where}: dateAnswered is there, but answerIsHolding or answerIsCorrection is null"
            )
        parts = (self.corrected_on is not None, self.correcting_id is not None)
        if (
            parts != (correction, correction)
            or (self.original and not correction)
            or (holding and correction)
        ):
            raise UnreadableError(
                f"{where}: answerIsCorrection is {str(correction).lower()}, which its date, member, original text or "
                f"answerIsHolding contradict"
            )

    def _take_group(self, fields: Fields, new: Drift) -> None:
        uins = fields.take("groupedQuestions", list)
        keys, dated = set(), []
        for each in fields.take("groupedQuestionsDates", list):
            other = Fields(each, f"{fields.where}: groupedQuestionsDates")
            uin = other.take("questionUin", str)
            if not _UINS[self.house].fullmatch(uin.upper()):
                raise UnreadableError(f"{other.where}: {uin!r} is no UIN of the {self.house}")
            keys.add(key_of(self.house, _take_date(other, "dateTabled"), uin))
            dated.append(uin)
            new.account(other)
        if sorted(map(str, uins)) != sorted(dated):
            raise UnreadableError(f"{fields.where}: groupedQuestions and groupedQuestionsDates differ")
        self.grouped_with = tuple(sorted(keys - {self.key}))

    def events(self) -> dict[str, object]:
        """What tells that something happened, as `content` has it; a list row shows these whole."""
        return {
            "answering_body": Body(clean_text(self.body[1]), self.body[0]),
            "answered_on": self.answered_on,
            "holding_on": self.holding_on,
            "corrected_on": self.corrected_on,
            "withdrawn": self.withdrawn,
        }

    def content(self) -> Content:
        text, html = (None, None) if self.answer is None else clean_html(self.answer)
        return Content(
            house=self.house,
            uin=self.uin,
            tabled_on=self.tabled_on,
            due_on=self.due_on,
            named_day=self.named_day,
            heading=(clean_text(self.heading) or None) if self.heading else None,
            answering_body=Body(clean_text(self.body[1]), self.body[0]),
            asking_member=self.asking,
            declared_interest=self.declared_interest,
            question_text=clean_text(self.text),
            answer_text=text,
            answer_html=html,
            answering_member=self.answering,
            answered_on=self.answered_on,
            holding_on=self.holding_on,
            corrected_on=self.corrected_on,
            withdrawn=self.withdrawn,
            grouped_with=self.grouped_with,
            attachments=self.attachments,
        )


def _member(fields: Fields, new: Drift) -> Member:
    member = Member(
        name=clean_text(fields.take("name", str)),
        id=fields.take("id", int),
        party=clean_text(fields.opt("party", str) or "") or None,
        member_for=clean_text(fields.opt("memberFrom", str) or "") or None,
    )
    for name in ("listAs", "partyColour", "partyAbbreviation", "thumbnailUrl"):
        fields.opt(name, str)
    new.account(fields)
    return member


def _attachment(value: Any, where: str, new: Drift) -> Attachment:
    """An address that must not be linked to (`javascript:`) is left out; the title says that there was something."""
    fields = Fields(value, f"{where}: attachments")
    title, url = fields.take("title", str), fields.take("url", str)
    kind = fields.opt("fileType", str)
    attachment = Attachment(
        title=clean_text(title),
        url=escape_spaces(url) if safe_href(url) else "",
        type=kind and clean_text(kind),
        bytes=fields.opt("fileSizeBytes", int),
    )
    new.account(fields)
    return attachment


def _take_date(fields: Fields, name: str) -> date:
    return _date(fields.take(name, str), fields.where, name)


def _take_optional_date(fields: Fields, name: str) -> date | None:
    value = fields.opt(name, str)
    return None if value is None else _date(value, fields.where, name)


def _date(value: str, where: str, name: str) -> date:
    try:
        if not value.endswith("T00:00:00"):
            raise UnreadableError(f"{value!r} is no date at midnight")
        return iso_date(value[:-9])
    except UnreadableError as error:
        raise UnreadableError(f"{where}: {name}: {error}") from None
