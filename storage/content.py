"""Content as it is stored: a JSON object with the fields at their default left out, so that a new field changes no old row."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any

from storage.records import Attachment, Body, Content, House, Member

FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Content))
DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Content)}
_DATES = ("tabled_on", "due_on", "answered_on", "holding_on", "corrected_on")
_MEMBERS = ("asking_member", "answering_member")
_LISTS = ("grouped_with", "links")
_PLAIN = tuple(
    name
    for name in FIELDS
    if name not in {"house", "answering_body", "attachments", *_DATES, *_MEMBERS, *_LISTS}
)


def content_to_json(content: Content) -> dict[str, Any]:
    """The stored form of `content`: JSON types only."""
    data: dict[str, Any] = {}
    for name in _PLAIN:
        if value := getattr(content, name):
            data[name] = value
    for name in _DATES:
        if value := getattr(content, name):
            data[name] = value.isoformat()
    for name in _MEMBERS:
        if value := getattr(content, name):
            data[name] = _member_to_json(value)
    for name in _LISTS:
        if value := getattr(content, name):
            data[name] = list(value)
    if content.house is not None:
        data["house"] = content.house.value
    if body := content.answering_body:
        data["answering_body"] = (
            {"name": body.name} if body.id is None else {"name": body.name, "id": body.id}
        )
    if content.attachments:
        data["attachments"] = [_attachment_to_json(each) for each in content.attachments]
    return data


def _member_to_json(member: Member) -> dict[str, Any]:
    data: dict[str, Any] = {"name": member.name}
    if member.id is not None:
        data["id"] = member.id
    for name in ("party", "member_for", "position"):
        if (value := getattr(member, name)) is not None:
            data[name] = value
    return data


def _attachment_to_json(attachment: Attachment) -> dict[str, Any]:
    data: dict[str, Any] = {"title": attachment.title, "url": attachment.url}
    if attachment.type is not None:
        data["type"] = attachment.type
    if attachment.bytes is not None:
        data["bytes"] = attachment.bytes
    return data


def content_from_json(data: dict[str, Any]) -> Content:
    """The Content that `content_to_json` wrote. An empty text comes back as null, as no source tells them apart."""
    given = dict(data)
    for name in _DATES:
        if name in given:
            given[name] = date.fromisoformat(given[name])
    for name in _MEMBERS:
        if name in given:
            given[name] = Member(**given[name])
    for name in _LISTS:
        if name in given:
            given[name] = tuple(given[name])
    if "house" in given:
        given["house"] = House(given["house"])
    if "answering_body" in given:
        given["answering_body"] = Body(**given["answering_body"])
    if "attachments" in given:
        given["attachments"] = tuple(Attachment(**each) for each in given["attachments"])
    return Content(**given)
