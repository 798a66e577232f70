"""Two hashes of a content: what it means, and how it is laid out. A version is made when one of them changes.

Each is 16 bytes: the number of the rule, then 15 bytes of BLAKE2b over the JSON of the fields that are not empty, so
that a new field changes no old hash. `meaning` takes texts with runs of white space as one space; quotation marks and
dashes stay what they are. `layout` takes the texts as they are, and the mark-up.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import orjson

from storage.content import content_to_json
from storage.records import Content, Observation

RULE = b"\x01"
TEXTS = ("question_text", "answer_text", "heading")
_ZERO_WIDTH = dict.fromkeys(map(ord, "\u180e\u200b\u200c\u200d\u2060\ufeff"))


def even(text: str) -> str:
    """The text with each run of white space as one space, and without zero-width characters."""
    return " ".join(text.translate(_ZERO_WIDTH).split())


def meaning(content: Content) -> bytes:
    """Hash of all that is said, whatever the mark-up and the white space."""
    data = content_to_json(content)
    data.pop("answer_html", None)
    for name in TEXTS:
        if name in data:
            data[name] = even(data[name])
    return _hash(data)


def layout(content: Content) -> bytes:
    """Hash of mark-up and white space."""
    names = ("answer_html", *TEXTS)
    return _hash({name: value for name in names if (value := getattr(content, name))})


def digest(observation: Observation) -> bytes:
    """Hash of everything an observation shows: the same again changes nothing. 16 bytes."""
    shown = (
        observation.key,
        observation.url,
        observation.official_id,
        _names(observation.seen),
        observation.content,
        *((dict(observation.extras),) if observation.extras else ()),
    )
    return blake2b(orjson.dumps(shown), digest_size=16).digest()


_sorted: dict[frozenset[str], list[str]] = {}


def _names(seen: frozenset[str]) -> list[str]:
    if seen not in _sorted:
        _sorted[seen] = sorted(seen)
    return _sorted[seen]


def _hash(data: dict[str, Any]) -> bytes:
    return RULE + blake2b(orjson.dumps(data, option=orjson.OPT_SORT_KEYS), digest_size=15).digest()
