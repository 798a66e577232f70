"""The pages behind list rows: read where the row is not settled, and handed to the door with the row that caused it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from scraper.fetch import FetchError, answered_with_error
from scraper.run import Run, is_gone
from scraper.source import Parsed, UnreadableError
from storage.records import Content, Problem, Row

_AT_ONCE = 200  # tasks that wait for their turn


class Details:
    """Reads the details of rows that are not settled, each once a run.

    `address` gives a detail's address by the source's id; null where each row has its own. Then a page may also show others than the
    one that was asked for: the group of an answer.
    """

    def __init__(self, run: Run, address: Callable[[str], str] | None = None) -> None:
        self.run = run
        self._address = address

    async def settle(self, rows: Sequence[Row], *, again: Collection[str] = ()) -> bool:
        """Read what differs, and those whose ids are in `again`; whether all of it was stored or is about to be."""
        wanted = {row.source_id: row for row in self.run.door.unsettled(rows)}
        wanted.update((row.source_id, row) for row in rows if row.source_id in again)
        self.run.expect(len(wanted))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._read_row(row)) for row in wanted.values()]
        return all(task.result() for task in tasks)

    async def read_all(self, source_ids: Sequence[str]) -> None:
        """Read these details, though no list asked for it."""
        address = self._address
        if address is None:
            raise ValueError("details without rows need a way to their addresses")
        self.run.expect(len(source_ids))
        for start in range(0, len(source_ids), _AT_ONCE):
            async with asyncio.TaskGroup() as group:
                for source_id in source_ids[start : start + _AT_ONCE]:
                    group.create_task(self.read(address(source_id), source_id, None))

    async def _read_row(self, row: Row) -> bool:
        url = self._address(row.source_id) if self._address is not None else row.url
        if url is None:
            raise ValueError(f"the row {row.source_id} has no address")
        return await self.read(url, row.source_id, row)

    async def read(self, url: str, source_id: str, row: Row | None) -> bool:
        """Read one detail and hand it to the door. False where it could not be asked for; a page that cannot be read is
        a problem of its own, which waits for us and not for the source."""
        try:
            parsed = await self.run.read(url)
        except (FetchError, UnreadableError) as error:
            # what its server has refused for a day is a fault of that page: the pass, and a first crawl, end without it
            of_page = answered_with_error(error) and self.run.door.is_lasting(error.kind, url)
            self.run.failed(url, error, settled=is_gone(error) or of_page)
            return is_gone(error)
        self._take(url, source_id, row, parsed)
        return True

    def _take(self, url: str, source_id: str, row: Row | None, parsed: Parsed) -> None:
        for seen in parsed.observations:
            if seen.source_id == source_id:
                self.run.door.add([replace(seen, row_digest=_settled(row, seen.content))])
            elif self._address is None:
                self.run.door.add([seen])
            else:
                said = f"asked for {source_id}, but the page speaks of {seen.source_id}"
                found = Problem(
                    source=self.run.name, kind="wrong-page", url=url, message=said, page=seen.page
                )
                self.run.door.report([found])


def _settled(row: Row | None, content: Content) -> str | None:
    """The digest of the row that a detail settles. One that says otherwise than the row, such as an older one from a cache,
    settles nothing: it is asked for again in the next pass."""
    if row is None or any(getattr(content, name) != value for name, value in row.shows.items()):
        return None
    return row.digest
