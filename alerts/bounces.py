"""Delivery failures as mail servers report them (RFC 3464), and complaints (RFC 5965): dead addresses are paused.

A report that names a message must name one of ours to that address; else anybody could silence anybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

from sqlalchemy import Connection

from alerts.address import AddressError, mail_address
from alerts.problems import SOURCE, tell_operator
from alerts.sending import pause_address
from alerts.setup import Setup
from alerts.signing import address_hash
from storage import messages, problems, suppressions
from storage.records import Problem
from storage.store import Store

_MOST = 64 * 1024 * 1024
"""Bytes of a mailbox that are read."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """One recipient that a report speaks of. `message_id` is the failed message's, null where it is not named."""

    address: str
    hard: bool
    told: str
    message_id: str | None = None
    complaint: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceReport:
    """`paused` are names of subscriptions; `soft` failures and `foreign` reports change nothing."""

    read: int = 0
    paused: tuple[str, ...] = ()
    soft: int = 0
    foreign: int = 0
    unreadable: int = 0


def take_bounces(store: Store, mailbox: bytes, *, now: datetime, setup: Setup | None = None) -> BounceReport:
    """Reads a mailbox (mbox, or one message) and pauses the subscriptions of addresses that are gone.

    With `setup` the operator is written to: a mail server that hands in reports keeps what is said on stderr to itself.
    """
    read = soft = foreign = unreadable = 0
    paused: list[str] = []
    for message in split_mailbox(mailbox[:_MOST]):
        read += 1
        found = list(bounces_in(message))
        unreadable += not found
        for bounce in found:
            if not bounce.hard:
                soft += 1
                continue
            with store.write() as conn:
                names = _pause(conn, bounce, setup, now)
            foreign += names is None
            paused.extend(names or ())
    return BounceReport(read=read, paused=tuple(paused), soft=soft, foreign=foreign, unreadable=unreadable)


def split_mailbox(mailbox: bytes) -> Iterator[EmailMessage]:
    """The messages of an mbox, or the one message that it is."""
    parts = re.split(rb"(?m)^From .*\r?\n", mailbox) if mailbox.startswith(b"From ") else [mailbox]
    for part in parts:
        if part.strip():
            text = re.sub(rb"(?m)^>(>*From )", rb"\1", part)
            yield message_from_bytes(text, policy=policy.default)


def bounces_in(message: EmailMessage) -> Iterator[Bounce]:
    """The recipients that a report speaks of; none where it is no report."""
    original = _original_id(message)
    for part in message.walk():
        kind = part.get_content_type()
        blocks = part.get_payload()
        if kind == "message/delivery-status" and isinstance(blocks, list):
            for block in blocks:
                if isinstance(block, Message):
                    yield from _failed(block, original)
        elif kind == "message/feedback-report":
            yield from _complaint(part, original)


def _failed(block: Message, original: str | None) -> Iterator[Bounce]:
    recipient = block.get("Original-Recipient") or block.get("Final-Recipient")
    if recipient is None:
        return
    action = str(block.get("Action", "")).strip().lower()
    status = str(block.get("Status", "")).strip()
    told = " ".join(f"{status} {block.get('Diagnostic-Code', '')}".split())[:300]
    hard = action == "failed" and status.startswith("5.")
    yield Bounce(str(recipient).partition(";")[2].strip(" <>"), hard, told, original)


def _complaint(part: Message, original: str | None) -> Iterator[Bounce]:
    text = _inner_text(part)
    recipient = re.search(r"(?im)^Original-Rcpt-To:\s*<?([^\s<>]+)>?\s*$", text)
    if recipient is not None:
        yield Bounce(recipient[1], hard=True, told="marked as spam", message_id=original, complaint=True)


def _original_id(message: EmailMessage) -> str | None:
    """The Message-ID of what failed, from its headers that the report encloses."""
    for part in message.walk():
        if part.get_content_type() not in ("message/rfc822", "text/rfc822-headers"):
            continue
        found = re.search(r"(?im)^Message-ID:\s*(<[^>\s]+>)", _inner_text(part))
        if found is not None:
            return found[1]
    return None


def _inner_text(part: Message) -> str:
    inner = part.get_payload()
    first = inner[0] if isinstance(inner, list) and inner else inner
    return first.as_string() if isinstance(first, Message) else str(first)


def _pause(conn: Connection, bounce: Bounce, setup: Setup | None, now: datetime) -> list[str] | None:
    """Names of what was paused; null where the report is not of our mail."""
    try:
        to = f"mailto:{mail_address(bounce.address)}"
    except AddressError:
        return None
    if bounce.message_id is not None and not messages.was_sent(conn, bounce.message_id, to):
        return None
    why = f"{'complaint' if bounce.complaint else 'mail came back'}: {bounce.told}"
    names = pause_address(conn, to, why, now=now)
    suppressions.add(conn, address_hash(to), "complaint" if bounce.complaint else "mail came back", now=now)
    found = [_problem(name, why) for name in names]
    fresh = [problem for problem in found if problems.report(conn, [problem], now=now)]
    if setup is not None:
        tell_operator(conn, setup, fresh, now=now)
    return names


def _problem(name: str, why: str) -> Problem:
    told = f"the subscription {name} was paused: {why}"
    return Problem(source=SOURCE, kind="bounced", url=f"subscription:{name}", message=told)
