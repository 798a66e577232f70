"""A letter as HTML for mail: inline styles, light and dark, every text escaped. Pure."""

from __future__ import annotations

from functools import cache, lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from alerts.compose.clean import one_line
from alerts.compose.letter import Letter, Story


def letter_html(letter: Letter) -> str:
    return _environment().get_template("letter.html").render(letter=letter, story_html=story_html)


@lru_cache(maxsize=1024)
def story_html(story: Story) -> Markup:
    """All of a story but the reasons; made once for however many messages hold it."""
    return Markup(_environment().get_template("story.html").render(story=story))  # noqa: S704 - autoescaped


def broken_lines(text: str) -> Markup:
    """Line ends and table cells as HTML."""
    return Markup("<br>").join(
        Markup(' <span style="color:#888">|</span> ').join(line.split("\t")) for line in text.split("\n")
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("alerts"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["lines"] = broken_lines
    environment.filters["whole"] = Markup  # only for the HTML of storage.diff, which is escaped there
    environment.filters["brief"] = lambda text: one_line(text, 300)
    return environment
