"""`export --since-last NAME`: exactly what was not written under that name yet; on both databases."""

from __future__ import annotations

from datetime import date

from storage import questions
from storage.exported import Exported
from storage.ingest import ingest
from storage.store import Store
from tests.desk import Desk
from tests.helpers import at, content, corrected, observation


def written(store: Store, name: str, *, finish: bool = True, where: bool = True) -> list[tuple[str, int]]:
    """One export of everything; what it let through."""
    last = Exported(name)
    with store.read() as conn:
        records = questions.iterate(conn, last.is_new() if where else None)
        found = [(record.key.rpartition("/")[2], record.number) for record in last.fresh(conn, records)]
    if finish:
        with store.write() as conn:
            last.remember(conn)
    return sorted(found)


def see(store: Store, *uins: str, days: float = 0, **fields: object) -> None:
    ingest(
        store, [observation(content(uin=uin, **fields), observed_at=at(days)) for uin in uins], now=at(days)
    )


def test_each_version_is_written_once_under_each_name(store: Store) -> None:
    see(store, "1", "2")
    assert written(store, "a") == [("1", 1), ("2", 1)]
    assert written(store, "a") == []
    see(store, "2", days=1, due_on=date(2025, 3, 6))
    see(store, "3", days=-400)  # observed long ago, stored only now
    assert written(store, "a") == [("2", 2), ("3", 1)]
    assert written(store, "b") == [("1", 1), ("2", 2), ("3", 1)]
    assert written(store, "a") == []


def test_what_was_cut_off_is_written_again(store: Store) -> None:
    see(store, "1")
    assert written(store, "a", finish=False) == [("1", 1)]
    assert written(store, "a", where=False) == [("1", 1)]
    assert written(store, "a", where=False) == []


def test_what_comes_while_an_export_runs_is_for_the_next(store: Store) -> None:
    see(store, "1")
    last = Exported("a")
    with store.read() as conn:
        assert len(list(last.fresh(conn, questions.iterate(conn)))) == 1
    ingest(store, [observation(corrected(uin="1"), observed_at=at(1))], now=at(1))
    with store.write() as conn:
        last.remember(conn)
    assert len(written(store, "a")) == 1
    assert written(store, "a") == []


def test_the_command_keeps_the_books(store: Store, database_url: str, tmp_path) -> None:
    desk = Desk(tmp_path, PQWATCH_DATABASE_URL=database_url, PQWATCH_DATA_DIR=str(tmp_path / "data"))
    see(store, "1", "2", question_text="How much cocaine was seized?")
    see(store, "3", question_text="How many apples were sold?")
    assert len(desk("export", "cocaine", "--out", "-", "--since-last", "n").stdout.splitlines()) == 2
    assert len(desk("export", "--out", "-", "--since-last", "n").stdout.splitlines()) == 1
    assert desk("export", "--out", "-", "--since-last", "n").stdout == ""
    done = desk("export", "--out", str(tmp_path / "absent" / "x.jsonl"), "--since-last", "m")
    assert done.returncode == 1
    assert len(desk("export", "--out", "-", "--since-last", "m").stdout.splitlines()) == 3
