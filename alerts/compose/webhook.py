"""The JSON body of a webhook: the `show` shape plus event, version, kind, subscription and matched. Pure."""

from __future__ import annotations

from functools import lru_cache

import orjson

from alerts.compose.letter import Letter, Story


def event_body(letter: Letter) -> bytes:
    """A letter of one item and one reason."""
    (item,) = letter.items
    (reason,) = item.reasons
    own = {"subscription": {"id": reason.id, "name": reason.name}}
    return _shared(item.story)[:-1] + b"," + orjson.dumps(own)[1:]


@lru_cache(maxsize=1024)
def _shared(story: Story) -> bytes:
    version = None if story.event.startswith("overdue:") else story.number
    return orjson.dumps(
        {
            **story.shape,
            "event": story.event,
            "version": version,
            "kind": story.kind,
            "matched": list(story.matched),
        }
    )
