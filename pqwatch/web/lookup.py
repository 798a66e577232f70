"""Looking things up for a visitor: one question, the newest, the topics."""

from __future__ import annotations

from sqlalchemy import Connection, select

from alerts.packs import all_packs
from pqwatch.web.problems import WebError
from pqwatch.web.site import Site
from storage import questions
from storage.records import Record
from storage.schema import questions as table


def held(conn: Connection, key: str) -> Record:
    """The question with all its versions. Raises WebError (404) or BadKeyError."""
    record = questions.find(conn, key, versions=True)
    if record is None:
        raise WebError(
            404, "This question is not held here", f"{key} may exist, but no source has shown it to us."
        )
    return record


def latest(conn: Connection, most: int) -> list[Record]:
    """The questions with the newest events, newest first."""
    newest = select(table.c.id).order_by(table.c.sort_key.desc()).limit(most)
    return questions.newest(conn, conn.execute(newest).scalars())


def topic_titles(site: Site) -> dict[str, str]:
    """The topic packs by name, each with the words that stand for it on a page."""
    titles = {pack.name: pack.title for pack in all_packs()}
    return {name: titles.get(name, name) for name in site.setup.topics}
