"""The garbage collector's share of long loops that make many small objects and keep few of them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 50_000  # made and not freed before the youngest are looked through; CPython: 700


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Have cycles looked for more rarely: objects without cycles, which is nearly all of them, are freed at once all the same. It
    saves a tenth to a sixth of the time of an export or a reparse, and costs some megabytes."""
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
