"""Alignment of two sequences: right for all, small for those near each other, bounded for hostile ones."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.align import align

WORDS = st.lists(st.integers(0, 5), max_size=40)


def check(a: list[int], b: list[int], blocks: list[tuple[int, int, int]]) -> None:
    at_a = at_b = 0
    for i, j, size in blocks:
        assert size > 0
        assert i >= at_a
        assert j >= at_b
        assert a[i : i + size] == b[j : j + size]
        at_a, at_b = i + size, j + size
    assert at_a <= len(a)
    assert at_b <= len(b)


def longest_common(a: list[int], b: list[int]) -> int:
    """Length of a longest common subsequence, by the table of the textbook."""
    row = [0] * (len(b) + 1)
    for x in a:
        above = row[:]
        for j, y in enumerate(b):
            row[j + 1] = above[j] + 1 if x == y else max(above[j + 1], row[j])
    return row[-1]


@given(WORDS, WORDS)
def test_blocks_are_right_and_as_many_as_can_be(a: list[int], b: list[int]) -> None:
    blocks = align(a, b)
    check(a, b, blocks)
    assert sum(size for _, _, size in blocks) == longest_common(a, b)


@given(WORDS, WORDS, st.integers(0, 300))
def test_right_however_little_it_may_cost(a: list[int], b: list[int], budget: int) -> None:
    check(a, b, align(a, b, budget))


def test_neighbours_are_joined() -> None:
    assert align([1, 2, 3, 4], [1, 2, 3, 4]) == [(0, 0, 4)]
    assert align([], [1]) == []


def test_a_spent_budget_ends_the_search() -> None:
    chance = random.Random(3)
    a, b = ([chance.randrange(3) for _ in range(900)] for _ in range(2))
    dear, cheap = (sum(size for _, _, size in align(a, b, budget)) for budget in (10**9, 5_000))
    assert dear > 500 > cheap


def test_far_apart_it_still_finds_most() -> None:
    chance = random.Random(1)
    a = [chance.randrange(10**9) for _ in range(5_000)]
    b = [each for each in a if chance.random() < 0.9]
    blocks = align(a, b)
    check(a, b, blocks)
    assert sum(size for _, _, size in blocks) == len(b)


@pytest.mark.parametrize("kinds", [1, 2, 50])
def test_hostile_sequences_are_bounded(kinds: int) -> None:
    chance = random.Random(kinds)
    a = [chance.randrange(kinds) for _ in range(100_000)]
    b = [chance.randrange(kinds) + (n % 3 == 0) * 1_000 for n in range(120_000)]
    start = time.process_time()
    check(a, b, align(a, b))
    assert time.process_time() - start < 20, "a bound, not a target: it takes about a second"
