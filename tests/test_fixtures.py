"""Every source's parser over every stored case, all fields."""

import json
import sys
from textwrap import dedent

import pytest

from scraper import spiders
from tests.cases import ASKED, LOOK, cases, check, folders_without_source, sources_without_case


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}/{case.name}")
def test_the_parser_makes_of_the_page_what_is_expected(case):
    check(case)


def test_every_source_has_a_case():
    assert not sources_without_case()


def test_every_case_has_a_source():
    assert not folders_without_source()


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A source of one file, and its folder of cases: nothing else is touched."""
    (tmp_path / "madeup.py").write_text(
        dedent('''
        """A made-up source."""
        from scraper.source import Parsed
        NAME = "madeup"
        SETTINGS = ()
        def parse(page):
            return Parsed(links=tuple(page.body.decode().split()))
        ''')
    )
    monkeypatch.setattr(spiders, "__path__", [*spiders.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "scraper.spiders.madeup", raising=False)
    yield tmp_path / "fixtures" / "madeup" / "first"
    sys.modules.pop("scraper.spiders.madeup", None)


def write_case(folder):
    folder.mkdir(parents=True)
    request = {"url": "https://madeup.example/", "fetched_at": "2026-03-02T09:00:00+00:00"}
    (folder / "request.json").write_text(json.dumps(request))
    (folder / "response.html").write_text("https://madeup.example/1 https://madeup.example/2")


def test_a_new_source_is_one_file_and_one_folder(made_up):
    root = made_up.parents[1]
    assert "madeup" in sources_without_case(root)
    write_case(made_up)
    assert "madeup" not in sources_without_case(root)

    with pytest.raises(AssertionError, match="generated"):
        check(made_up)
    generated = json.loads((made_up / "expected.json").read_text())
    assert generated[LOOK] == ASKED
    assert generated["links"] == ["https://madeup.example/1", "https://madeup.example/2"]

    with pytest.raises(AssertionError, match="generated"):  # still: nobody has looked
        check(made_up)
    del generated[LOOK]
    (made_up / "expected.json").write_text(json.dumps(generated))
    check(made_up)

    (made_up / "expected.json").write_text(json.dumps(generated | {"total": 3}))
    with pytest.raises(AssertionError, match="total"):
        check(made_up)
