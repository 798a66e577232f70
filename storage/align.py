"""Aligns two sequences: which stretches of one stand in the other, in the same order. Bounded in time whatever it is given.

Small changes are found exactly (Myers, "An O(ND) Difference Algorithm", 1986). Where the sequences differ too much for that, elements
that occur once in both anchor them (patience diff) and the gaps are aligned on their own. All steps are paid from one budget; when it
is spent, what is left counts as different. So the result is always right, and small where that is affordable.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

BUDGET = 1_500_000
"""Steps of one alignment; about a second."""
_NEAR = 200  # differences that are looked for exactly before anchors are tried
_FAR = 1_000  # and where there are none

Block = tuple[int, int, int]  # start in one, start in the other, length
_Span = tuple[int, int, int, int]


def align(one: Sequence[Hashable], other: Sequence[Hashable], budget: int = BUDGET) -> list[Block]:
    """The stretches that both have, in order, none of them empty or overlapping."""
    numbers: dict[Hashable, int] = {}
    a, b = ([numbers.setdefault(each, len(numbers)) for each in sequence] for sequence in (one, other))
    purse, blocks = _Purse(budget), []
    todo: list[_Span] = [(0, len(a), 0, len(b))]
    while todo:
        span, ends = _trimmed(a, b, todo.pop())
        blocks += ends
        if span[0] < span[1] and span[2] < span[3]:
            found, gaps = _inside(a, b, span, purse)
            blocks += found
            todo += gaps
    return _joined(sorted(blocks))


class _Purse:
    def __init__(self, steps: int) -> None:
        self.steps = steps

    def pay(self, steps: int) -> bool:
        self.steps -= steps
        return self.steps >= 0


def _trimmed(a: list[int], b: list[int], span: _Span) -> tuple[_Span, list[Block]]:
    """The span without what both sides begin and end with."""
    a0, a1, b0, b1 = span
    start = 0
    while a0 + start < a1 and b0 + start < b1 and a[a0 + start] == b[b0 + start]:
        start += 1
    end = 0
    while a0 + start < a1 - end and b0 + start < b1 - end and a[a1 - end - 1] == b[b1 - end - 1]:
        end += 1
    ends = [(a0, b0, start), (a1 - end, b1 - end, end)]
    return (a0 + start, a1 - end, b0 + start, b1 - end), [block for block in ends if block[2]]


def _inside(a: list[int], b: list[int], span: _Span, purse: _Purse) -> tuple[list[Block], list[_Span]]:
    near = _shortest(a, b, span, _NEAR, purse)
    if near is not None:
        return near, []
    a0, a1, b0, b1 = span
    if not purse.pay(a1 - a0 + b1 - b0):
        return [], []
    anchors = _anchors(a, b, span)
    if not anchors:
        return _shortest(a, b, span, _FAR, purse) or [], []
    marks = [(a0 - 1, b0 - 1), *anchors, (a1, b1)]
    gaps = [(i + 1, k, j + 1, m) for (i, j), (k, m) in itertools.pairwise(marks)]
    return [(i, j, 1) for i, j in anchors], [gap for gap in gaps if gap[0] < gap[1] and gap[2] < gap[3]]


def _anchors(a: list[int], b: list[int], span: _Span) -> list[tuple[int, int]]:
    """Places of the elements that occur once on both sides: the longest list of them that has the same order in both."""
    a0, a1, b0, b1 = span
    once = {each for each, n in Counter(a[a0:a1]).items() if n == 1}
    once &= {each for each, n in Counter(b[b0:b1]).items() if n == 1}
    places = {b[j]: j for j in range(b0, b1) if b[j] in once}
    return _rising([(i, places[a[i]]) for i in range(a0, a1) if a[i] in once])


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest choice of pairs in which the second number rises too."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        tails[at : at + 1] = [j]
        last[at : at + 1] = [index]
        before.append(last[at - 1] if at else -1)
    chosen, index = [], last[-1] if last else -1
    while index >= 0:
        chosen.append(pairs[index])
        index = before[index]
    return chosen[::-1]


def _shortest(a: list[int], b: list[int], span: _Span, limit: int, purse: _Purse) -> list[Block] | None:
    """The blocks of a shortest script of deletions and insertions; null if it has over `limit` of them or is too dear."""
    a0, a1, b0, b1 = span
    n, m = a1 - a0, b1 - b0
    reach, history = {1: 0}, []
    for d in range(min(limit, n + m) + 1):
        history.append(reach.copy())
        walked = 2 * d + 1
        for k in range(-(d - 2 * max(0, d - m)), d - 2 * max(0, d - n) + 1, 2):
            down = k == -d or (k != d and reach.get(k - 1, -1) < reach.get(k + 1, -1))
            x = start = reach.get(k + 1, 0) if down else reach[k - 1] + 1
            while x < n and x - k < m and a[a0 + x] == b[b0 + x - k]:
                x += 1
            walked += x - start
            reach[k] = x
            if x >= n and x - k >= m:
                return list(_walk_back(history, n, m, a0, b0))
        if not purse.pay(walked):
            return None
    return None


def _walk_back(history: list[dict[int, int]], n: int, m: int, a0: int, b0: int) -> Iterator[Block]:
    x, y = n, m
    for d in range(len(history) - 1, -1, -1):
        reach, k = history[d], x - y
        down = k == -d or (k != d and reach.get(k - 1, -1) < reach.get(k + 1, -1))
        before_k = k + 1 if down else k - 1
        before_x = reach.get(before_k, 0)
        start = before_x if down else before_x + 1
        if d == 0:
            start = 0
        if x > start:
            yield (a0 + start, b0 + start - k, x - start)
        x, y = before_x, before_x - before_k


def _joined(blocks: list[Block]) -> list[Block]:
    joined: list[Block] = []
    for i, j, size in blocks:
        if joined and joined[-1][0] + joined[-1][2] == i and joined[-1][1] + joined[-1][2] == j:
            joined[-1] = (joined[-1][0], joined[-1][1], joined[-1][2] + size)
        else:
            joined.append((i, j, size))
    return joined
