"""Dicts in parts, so that none is ever so large that its growth is felt.

A dict that outgrows its room is laid out anew: at a million entries that takes 50 ms, and whoever added the last of
them waits. Parts bound that to a fraction of a millisecond.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Set
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Spread(Generic[K, V]):
    """A dict in 1,024 parts, by hash: for what is looked up one by one."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: tuple[dict[K, V], ...] = tuple({} for _ in range(1_024))

    def __getitem__(self, key: K) -> V:
        return self._parts[hash(key) & 1_023][key]

    def __setitem__(self, key: K, value: V) -> None:
        self._parts[hash(key) & 1_023][key] = value

    def __delitem__(self, key: K) -> None:
        del self._parts[hash(key) & 1_023][key]

    def __contains__(self, key: object) -> bool:
        return key in self._parts[hash(key) & 1_023]

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def get(self, key: K) -> V | None:
        return self._parts[hash(key) & 1_023].get(key)

    def pop(self, key: K) -> V:
        return self._parts[hash(key) & 1_023].pop(key)


class Layers(Generic[K, V]):
    """A few dicts, each full before the next is begun: for what is asked which of many keys it holds."""

    MOST = 40_000

    __slots__ = ("_layers",)

    def __init__(self) -> None:
        self._layers: list[dict[K, V]] = [{}]

    def __iter__(self) -> Iterator[K]:
        for layer in self._layers:
            yield from layer

    def __len__(self) -> int:
        return sum(map(len, self._layers))

    def held(self, keys: Set[K]) -> list[V]:
        """What stands under these keys, in no order. Looked up by C code from end to end."""
        found: list[V] = []
        for layer in self._layers:
            found += map(layer.__getitem__, layer.keys() & keys)
        return found

    def pick(self, keys: Set[K]) -> dict[K, V]:
        """As `held`, with the keys."""
        return {key: layer[key] for layer in self._layers for key in layer.keys() & keys}

    def get(self, key: K) -> V | None:
        for layer in self._layers:
            if key in layer:
                return layer[key]
        return None

    def __setitem__(self, key: K, value: V) -> None:
        for layer in self._layers:
            if key in layer:
                layer[key] = value
                return
        if len(self._layers[-1]) >= self.MOST:
            self._layers.append(self._shrunk() or {})
        self._layers[-1][key] = value

    def _shrunk(self) -> dict[K, V] | None:
        """A layer that has lost a quarter of its keys, to be filled again."""
        for place, layer in enumerate(self._layers):
            if len(layer) < self.MOST * 3 // 4:
                return self._layers.pop(place)
        return None

    def __delitem__(self, key: K) -> None:
        for layer in self._layers:
            if key in layer:
                del layer[key]
                return
        raise KeyError(key)
