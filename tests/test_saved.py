"""Where a page that a person saved came from."""

import pytest

from scraper.saved import saved_address
from scraper.source import UnreadableError

BASE = "https://www.parallelparliament.co.uk/"
PAGE = "https://www.parallelparliament.co.uk/question/88001/ports-drugs"


@pytest.mark.parametrize(
    "head",
    [
        f'<link rel="canonical" href="{PAGE}">',
        f'<meta property="og:url" content=" {PAGE} ">',
        f'<link rel="canonical" href="https://www.parallelparliament.co.uk/"><meta property="og:url" content="{PAGE}">',
        f'<link rel="canonical" href="/question/1/x"><!-- saved from url=(0063){PAGE} -->',
    ],
)
def test_the_page_tells_its_address(head):
    body = f"<!doctype html><html><head>{head}</head><body>x</body></html>"
    assert saved_address("whatever.html", body.encode(), BASE) == PAGE


def test_the_file_name_tells_it_otherwise():
    assert saved_address("folder/88001-ports-drugs.html", b"<html></html>", BASE) == PAGE
    assert saved_address("hl77-piers.htm", b"", BASE) == f"{BASE}question/HL77/piers"


@pytest.mark.parametrize("name", ["index.html", "ports-drugs.html", "88001.html", ""])
def test_an_address_that_nothing_tells_is_an_error(name):
    with pytest.raises(UnreadableError, match="tells its address"):
        saved_address(name, b'<link rel="canonical" href="javascript:x">', BASE)
