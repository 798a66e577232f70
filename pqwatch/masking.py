"""What is shown of a secret: nothing; of a URL: all but its password or token."""

from __future__ import annotations

import re

MASK = "********"


def mask_urls(text: str) -> str:
    """`postgresql://anna:********@host/db` for every URL in the text that holds a password or a bare token."""
    return re.sub(
        r"(?<=://)([^/@\s:,]*)(:[^/@\s]*)?@",
        lambda m: f"{m[1] if m[2] else MASK}{(m[2] and ':' + MASK) or ''}@",
        text,
    )
