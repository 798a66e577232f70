"""The second half of a run: messages are claimed, composed, stored, sent, and each marked in a transaction of its own.

Any number of processes may work side by side. Messages of one lane go one after the other; a lane that waits for its
receiver holds up no other lane.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts.channel import (
    Channel,
    DownError,
    Form,
    Outgoing,
    PermanentError,
    Sender,
    SendError,
    TemporaryError,
    channel_of,
)
from alerts.composer import Composer
from alerts.setup import Setup
from storage import ledger, messages
from storage import subscriptions as subscription_rows
from storage.messages import Claim, Message
from storage.owner import this_process
from storage.store import Store

log = logging.getLogger(__name__)

BATCH = 64
LANES = 4
_HOLD = timedelta(minutes=5)
_ENOUGH = timedelta(minutes=2)  # of a claim left before a send begins


@dataclass(slots=True)
class Sent:
    """What came of the messages of a run. `failed` and `paused` need attention; a retry to come does not."""

    sent: int = 0
    retrying: int = 0
    failed: list[str] = field(default_factory=list)  # message ids
    paused: list[str] = field(default_factory=list)  # names of subscriptions
    down: dict[str, str] = field(default_factory=dict)  # channel by name: why nothing gets through


@dataclass(slots=True)
class Post:
    """One process at work on the messages of a store."""

    store: Store
    setup: Setup
    now: datetime
    owner: str = field(default_factory=this_process)
    report: Sent = field(default_factory=Sent)

    def holding(self) -> Claim:
        clock = self.setup.clock()
        return Claim(self.owner, clock, clock + _HOLD)


def send_due(store: Store, setup: Setup, *, now: datetime) -> Sent:
    """Sends every message that is due and that nobody else holds."""
    post = Post(store, setup, now)
    with store.write() as conn:
        messages.let_go_of_the_dead(conn)
    try:
        while batch := _claim(post):
            _send_batch(post, _composed(post, batch))
    finally:
        with store.write() as conn:
            messages.let_go(conn, post.owner)
    return post.report


def _claim(post: Post) -> list[Message]:
    without = [scheme for name in post.report.down for scheme in _SCHEMES.get(name, ())]
    with post.store.write() as conn:
        return messages.claim(conn, post.holding(), now=post.now, limit=BATCH, without=without)


_SCHEMES = {"mail": ("mailto",)}
"""Which addresses wait when a channel's own server is down."""


def _composed(post: Post, batch: Sequence[Message]) -> list[Message]:
    """The batch with payloads, stored before anything is sent. A message whose rows are all gone is dropped."""
    empty = [message.id for message in batch if not message.payload]
    if not empty:
        return list(batch)
    with post.store.read() as conn:
        payloads = Composer(conn, post.setup).payloads(empty)
    with post.store.write() as conn:
        messages.store_payloads(conn, {name: payload for name, payload in payloads.items() if payload})
        messages.drop(
            conn, [name for name, payload in payloads.items() if not payload], "nothing left to send"
        )
        return messages.held(conn, [message.id for message in batch], post.owner)


def _send_batch(post: Post, batch: Sequence[Message]) -> None:
    lanes = _lanes(batch)
    if len(lanes) == 1:
        _send_lane(post, lanes[0])
        return
    with ThreadPoolExecutor(max_workers=LANES, thread_name_prefix="send") as pool:
        for done in [pool.submit(_send_lane, post, lane) for lane in lanes]:
            done.result()


def _lanes(batch: Sequence[Message]) -> list[list[Message]]:
    """Messages that go one after the other: those of a receiver in order, of the rest a few lanes side by side."""
    lanes: dict[tuple[str, str], list[Message]] = {}
    for n, message in enumerate(batch):
        channel = channel_of(message.to)
        lanes.setdefault((channel.name, _lane(channel, message, n)), []).append(message)
    return list(lanes.values())


def _lane(channel: Channel, message: Message, number: int) -> str:
    if channel.form is Form.EVENT:
        return message.to
    return str(number % LANES) if channel.network else ""


def _send_lane(post: Post, lane: Sequence[Message]) -> None:
    channel = channel_of(lane[0].to)
    with closing(channel.sender(post.setup)) as sender:
        for message in lane:
            if channel.name in post.report.down or not _still_ours(post, message):
                continue
            arrived = _send_one(post, channel, sender, message)
            if not arrived and channel.form is Form.EVENT:
                _give_back(post, lane)
                return


def _still_ours(post: Post, message: Message) -> bool:
    """Holds on to a claim that is near its end, and looks once more where the rows may have changed."""
    if message.claimed_until - post.setup.clock() > _ENOUGH:
        return True
    with post.store.write() as conn:
        return messages.renew(conn, message.id, post.holding())


def _give_back(post: Post, lane: Sequence[Message]) -> None:
    with post.store.write() as conn:
        messages.let_go(conn, post.owner, [message.id for message in lane])


def _send_one(post: Post, channel: Channel, sender: Sender, message: Message) -> bool:
    """Whether it was taken, or is settled otherwise so that the next of its receiver may go."""
    try:
        sender.send(Outgoing(message.id, message.to, message.payload, _secret(post, channel, message)))
    except SendError as error:
        log.info("%s to %s: %s", message.id, channel.name, error)
        return _not_taken(post, channel, message, error)
    with post.store.write() as conn:
        messages.sent(conn, message.id, now=post.now)
        ledger.mark(conn, [message.id], "sent", sent_at=post.now)
    post.report.sent += 1
    return True


def _secret(post: Post, channel: Channel, message: Message) -> str | None:
    if channel.form is not Form.EVENT:
        return None
    with post.store.read() as conn:
        return ledger.secret_of(conn, message.id)


def _not_taken(post: Post, channel: Channel, message: Message, error: SendError) -> bool:
    if isinstance(error, DownError):
        post.report.down[channel.name] = str(error)
        at = post.now + timedelta(seconds=60)
        with post.store.write() as conn:
            messages.again(conn, message.id, str(error), at=at, counts=False)
        return False
    pause = next_pause(channel, message.id, message.attempts)
    if isinstance(error, TemporaryError) and pause is not None:
        at = post.now + timedelta(seconds=max(pause, min(error.after or 0.0, 86400.0)))
        with post.store.write() as conn:
            messages.again(conn, message.id, str(error), at=at)
        post.report.retrying += 1
        return False
    with post.store.write() as conn:
        _fail(conn, post, channel, message, error)
    return True


def next_pause(channel: Channel, message_id: str, attempts: int) -> float | None:
    """Seconds before the next attempt after `attempts` earlier ones; null: that was the last.

    The jitter, up to a tenth more, comes from the message's name, so that many that failed together part again.
    """
    if attempts >= len(channel.pauses):
        return None
    share = hashlib.sha256(f"{message_id} {attempts}".encode()).digest()[0] / 2550
    return channel.pauses[attempts] * (1 + share * channel.jitter)


def _fail(conn: Connection, post: Post, channel: Channel, message: Message, error: SendError) -> None:
    """For good. Where the address is dead, or a receiver of events is, its subscriptions rest until somebody looks."""
    messages.failed(conn, message.id, str(error))
    ledger.mark(conn, [message.id], "failed")
    post.report.failed.append(message.id)
    dead = isinstance(error, PermanentError) and error.dead
    if dead or channel.form is Form.EVENT:
        post.report.paused.extend(pause_address(conn, message.to, f"delivery failed: {error}", now=post.now))


def pause_address(conn: Connection, to: str, why: str, *, now: datetime) -> list[str]:
    """Pauses every subscription of an address; what waits for it is held. Returns their names."""
    found = [s for s in subscription_rows.to_address(conn, to) if s.paused_at is None]
    ids = [subscription.id for subscription in found]
    subscription_rows.change(conn, ids, paused_at=now, paused_because=why)
    hold(conn, ids, why)
    return [subscription.name for subscription in found]


def hold(conn: Connection, subscription_ids: Sequence[int], why: str) -> None:
    """Takes what waits for subscriptions out of its messages; messages that hold nothing else are dropped."""
    _withdraw(conn, subscription_ids, "held", why)


def cancel(conn: Connection, subscription_ids: Sequence[int], why: str) -> None:
    """What waits, is held or failed for subscriptions is never sent, nor sent again."""
    _withdraw(conn, subscription_ids, "dropped", why)
    _withdraw(conn, subscription_ids, "dropped", why, before="failed")
    ledger.move(conn, subscription_ids, "held", "dropped", why)


def _withdraw(
    conn: Connection, subscription_ids: Sequence[int], state: str, why: str, before: str = "pending"
) -> None:
    touched = ledger.messages_with(conn, subscription_ids, before)
    ledger.move(conn, subscription_ids, before, state, why, message_id=None)
    left = ledger.with_rows(conn, touched)
    messages.recompose(conn, left)
    messages.drop(conn, touched - left, why)
