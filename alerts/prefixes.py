"""Which of the prefixes that queries use begin a word, remembered by word."""

from __future__ import annotations

from collections.abc import Iterator


class PrefixTable:
    """The prefixes in use. Words are remembered as they are met; what a new prefix changes is forgotten."""

    LIMIT = 200_000
    """Words that are remembered."""

    def __init__(self) -> None:
        self._prefixes: set[str] = set()
        self._lengths: dict[int, int] = {}  # how many prefixes are so long
        self._plain: set[str] = set()  # words that begin with none
        self._begun: dict[str, tuple[str, ...]] = {}
        self._met: dict[str, dict[str, list[str]]] = {}  # by their first two letters, then three

    def __bool__(self) -> bool:
        return bool(self._prefixes)

    def terms(self, words: set[str]) -> set[str]:
        """The prefixes, each with its star, that these folded words begin with."""
        found: set[str] = set()
        for word in words - self._plain:
            found.update(self._begun.get(word) or self._learnt(word))
        return found

    def include(self, prefix: str) -> None:
        if prefix not in self._prefixes:
            self._prefixes.add(prefix)
            self._lengths[len(prefix)] = self._lengths.get(len(prefix), 0) + 1
            self._forget(prefix)

    def exclude(self, prefix: str) -> None:
        self._prefixes.remove(prefix)
        self._lengths[len(prefix)] -= 1
        if not self._lengths[len(prefix)]:
            del self._lengths[len(prefix)]
        self._forget(prefix)

    def _learnt(self, word: str) -> tuple[str, ...]:
        if len(self._plain) + len(self._begun) >= self.LIMIT:
            self._plain.clear()
            self._begun.clear()
            self._met.clear()
        heads = (word[:length] for length in self._lengths if length <= len(word))
        found = tuple([f"{head}*" for head in heads if head in self._prefixes])
        if found:
            self._begun[word] = found
        else:
            self._plain.add(word)
        self._met.setdefault(word[:2], {}).setdefault(word[:3], []).append(word)
        return found

    def _forget(self, prefix: str) -> None:
        for words in self._alike(prefix):
            self._plain.difference_update(words)
            for word in self._begun.keys() & set(words):
                del self._begun[word]

    def _alike(self, prefix: str) -> Iterator[list[str]]:
        """The words met that may begin so, no longer held as met."""
        if len(prefix) > 2:
            yield self._met.get(prefix[:2], {}).pop(prefix[:3], [])
        else:
            yield from self._met.pop(prefix, {}).values()
