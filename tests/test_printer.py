"""Trees as text. That printing and reading are inverse is held on generated queries in test_match_properties."""

import pytest

from alerts.printer import show
from alerts.query import parse


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a   AND b", "a b"),
        ("(a) OR ((b c))", "a OR b c"),
        ("(a OR b) c", "(a OR b) c"),
        ("-(a OR b) c", "NOT (a OR b) c"),
        ("-(a NEAR/3 b) c", "NOT (a NEAR/3 b) c"),
        ("(a OR b) NEAR/3 c d", "(a OR b) NEAR/3 c d"),
        ("question:(Smuggl*)", "question:smuggl*"),
        ("title:(a b)", "title:(a b)"),
        ("dept:“Home Office”", 'department:"home office"'),
        ("tabled:2024-02", "tabled:2024-02-01..2024-02-29"),
        ("tabled:2024-02-01", "tabled:2024-02-01"),
        ("=U.K. U.K.", "=UK uk"),
        ("fox-it", '"fox it"'),
        ('heading:"A  Thing’s"', 'heading:"a thing\'s"'),
    ],
)
def test_plainest_spelling(text, shown):
    assert show(parse(text).tree) == shown
    assert parse(shown).tree == parse(text).tree


@pytest.mark.parametrize(
    "text", ["=¼", "=1¼", "=a¼b", "=¼-¼", "=℀℀", "=a℀b", "=fox-it", "=\ufdfa", "=don't-x"]
)
def test_an_exact_word_reads_back_whatever_its_characters_fold_to(text):
    tree = parse(text).tree
    assert parse(show(tree)).tree == tree
