"""A pass over the official API: what it asks for, what it stores, and what it makes of everything that can go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.crawling import NOW, Desk
from tests.pages import answered, api_value, corrected, item, member
from tests.servers import PATH, Api, Reply, Site, changed, serving

LONG = (
    "To ask the Secretary of State for the Home Department, " + "how many parcels of powder were found, " * 20
)
LATER = "2026-02-11T09:00:00+00:00"
LISTS = f"{PATH}?"


def question(number: int, **changes: Any) -> dict[str, Any]:
    return api_value(id=1900000 + number, uin=str(88000 + number), **changes)


def answer(number: int, **changes: Any) -> dict[str, Any]:
    return answered(id=1900000 + number, uin=str(88000 + number)) | changes


@pytest.fixture
def api() -> Api:
    return Api(
        question(1, questionText=LONG), question(2), answer(3), question(4, dateTabled="2026-02-09T00:00:00")
    )


@pytest.fixture
def site(api: Api) -> Iterator[Site]:
    with serving(api) as site:
        yield site


@pytest.fixture
def desk(tmp_path: Path, site: Site, sqlite_url: str) -> Desk:
    return Desk(tmp_path, site.url, sqlite_url)


WHOLE = {"88001": ["tabled"], "88002": ["tabled"], "88003": ["answered"], "88004": ["tabled"]}


@pytest.mark.parametrize("database", ["sqlite_url", "postgres_url"])
def test_a_first_pass_stores_everything_whole(
    tmp_path: Path, site: Site, database: str, request: pytest.FixtureRequest
) -> None:
    desk = Desk(tmp_path, site.url, request.getfixturevalue(database))
    report = desk.crawl()
    assert report["ok"]
    assert report["complete"]
    assert (report["new"], report["versions"]) == (4, {"answered": 1, "tabled": 3})
    assert desk.lives() == WHOLE
    records = desk.records()
    assert records["commons/2026-02-02/88001"].content.question_text == LONG.strip()
    assert all(version.backfilled for record in records.values() for version in record.versions)


def test_the_windows_of_a_pass(desk: Desk, site: Site) -> None:
    desk.all_days = True
    desk.crawl()
    lists = [path for path in site.paths if path.startswith(LISTS)]
    for name, days in (("tabled", 14), ("answered", 14), ("corrected", 120)):
        mine = [path for path in lists if f"{name}WhenFrom" in path]
        assert len(mine) == days
        newest = f"{name}WhenFrom=2026-02-10&{name}WhenTo=2026-02-10"
        assert any(newest in path for path in mine[:8])  # the newest first, several on their way at once
    for parameter in (
        "take=1000",
        "house=Bicameral",
        "includeWithdrawn=true",
        "sessionStatus=Any",
        "expandMember=true",
    ):
        assert all(parameter in path for path in lists)
    details = [path for path in site.paths if not path.startswith(LISTS)]
    assert sorted(details) == [f"{PATH}/{number}?expandMember=true" for number in range(1900001, 1900005)]


def test_nothing_new_costs_no_detail(desk: Desk, site: Site) -> None:
    desk.crawl()
    site.log.clear()
    report = desk.crawl(LATER)
    assert report["ok"]
    assert (report["new"], report["versions"]) == (0, {})
    assert all(path.startswith(LISTS) for path in site.paths)
    assert not any(version.number > 1 for record in desk.records().values() for version in record.versions)


def test_what_differs_is_read_again_and_no_more(desk: Desk, site: Site, api: Api) -> None:
    desk.crawl()
    site.log.clear()
    api.values[1900002] = answer(2, dateAnswered="2026-02-10T00:00:00")
    report = desk.crawl(LATER)
    assert report["versions"] == {"answered": 1}
    assert [path for path in site.paths if not path.startswith(LISTS)] == [
        f"{PATH}/1900002?expandMember=true"
    ]
    assert not desk.records()["commons/2026-02-02/88002"].versions[-1].backfilled


def test_a_detail_that_is_older_than_its_row_is_asked_for_again(desk: Desk, api: Api) -> None:
    desk.crawl()
    stale = Reply(body=orjson.dumps(item(question(2))))
    api.values[1900002] = answer(2, dateAnswered="2026-02-10T00:00:00")
    api.fault(stale, "/1900002?", times=1)
    assert desk.crawl(LATER)["versions"] == {}
    assert desk.crawl("2026-02-11T10:00:00+00:00")["versions"] == {"answered": 1}


def test_a_correction_brings_its_original(desk: Desk, api: Api) -> None:
    api.values[1900005] = corrected(
        id=1900005, uin="88005", dateAnswerCorrected="2026-02-10T00:00:00", dateTabled="2025-12-02T00:00:00"
    )
    api.values[1900005]["dateAnswered"] = "2025-12-09T00:00:00"
    api.values[1900005]["dateForAnswer"] = "2025-12-05T00:00:00"
    desk.crawl()
    record = desk.records()["commons/2025-12-02/88005"]
    assert [(v.kind.value, v.reconstructed) for v in record.versions] == [
        ("answered", True),
        ("corrected", False),
    ]


def test_days_with_open_questions_are_read_beyond_the_fortnight(desk: Desk, site: Site) -> None:
    desk.crawl()
    site.log.clear()
    desk.crawl("2026-03-05T09:00:00+00:00")
    assert any("tabledWhenFrom=2026-02-02" in path for path in site.paths)


def test_since_and_until_take_the_place_of_the_usual_windows(desk: Desk, site: Site) -> None:
    report = desk.crawl(since="2026-02-02", until="2026-02-03")
    lists = [path for path in site.paths if path.startswith(LISTS)]
    assert len(lists) == 6
    assert report["new"] == 3
    api_again = desk.crawl(LATER)  # that was no whole pass: the first crawl still lasts
    assert api_again["new"] == 1
    assert all(record.versions[0].backfilled for record in desk.records().values())


def test_who_asks_is_said(desk: Desk, site: Site) -> None:
    desk.crawl()
    assert {headers["user-agent"] for _, _, headers in site.log} == {"pqwatch/0.1.0 (+test@example.org)"}


def test_more_rows_than_a_page_holds_are_paged(desk: Desk, api: Api, site: Site) -> None:
    api.values.update({1901000 + n: api_value(id=1901000 + n, uin=str(n + 1)) for n in range(1100)})
    report = desk.crawl(since="2026-02-02", until="2026-02-02")
    assert report["new"] == 1103
    assert any("skip=1000" in path for path in site.paths)
    assert report["complete"]


# --- what can go wrong --------------------------------------------------------------------------------------------


HTML = Reply(body=b"<!DOCTYPE html><title>Site maintenance</title>", headers={"Content-Type": "text/html"})
JSON500 = Reply(body=b'{"status": 500, "title": "An error occurred while processing your request."}')
FAULTS = {
    "slow": lambda reply: replace(reply, delay=3.0),
    "reset": lambda reply: replace(reply, reset=True),
    "cut off": lambda reply: replace(reply, cut=True),
    "half JSON": lambda reply: replace(reply, body=reply.body[: len(reply.body) // 2]),
    "403": lambda reply: Reply(403, b"no"),
    "404": lambda reply: Reply(404, b"none"),
    "429": lambda reply: Reply(429, b"later", {"Retry-After": "0"}),
    "500": lambda reply: Reply(500, b"oh"),
    "503": lambda reply: Reply(503, b"oh"),
    "HTML": lambda reply: HTML,
    "JSON 500": lambda reply: JSON500,
    "too large": lambda reply: replace(reply, body=b" " * 3_000_000),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_failing_address_is_reported_and_the_next_pass_catches_up(desk: Desk, api: Api, name: str) -> None:
    desk.patience = {**desk.patience, "timeout": 0.5, "max_bytes": 2_000_000}
    day, detail = "tabledWhenFrom=2026-02-09", "/1900002"
    api.fault(FAULTS[name], day)
    api.fault(FAULTS[name], detail)
    report = desk.crawl()
    problems = desk.problems()
    assert len(problems) == 2
    assert [sum(part in problem.url for problem in problems) for part in (day, detail)] == [1, 1]
    assert {problem.source for problem in problems} == {"parliament"}
    assert report["problems"] == 2
    assert not report["complete"]
    assert desk.lives() == {
        uin: WHOLE[uin] for uin in ("88001", "88003")
    }  # nothing false, and every good row
    api.faults.clear()
    after = desk.crawl(LATER)
    assert after["ok"]
    assert desk.problems() == []
    assert desk.lives() == WHOLE


def test_a_detail_that_is_not_there_does_not_make_the_first_crawl_last(desk: Desk, api: Api) -> None:
    api.fault(FAULTS["404"], "/1900002")
    report = desk.crawl()
    assert report["complete"]
    assert not report["ok"]


def test_a_detail_that_fails_for_days_does_not_make_the_first_crawl_last(desk: Desk, api: Api) -> None:
    """Else nobody would ever hear of anything: what is found before a first crawl ends is backfilled."""
    api.fault(FAULTS["500"], "/1900002")
    assert not desk.crawl()["complete"]
    assert not desk.crawl("2026-02-11T08:00:00+00:00")["complete"]
    assert desk.crawl("2026-02-11T10:00:00+00:00")["complete"]
    assert len(desk.problems()) == 1
    api.faults.clear()
    desk.crawl("2026-02-11T11:00:00+00:00")
    assert desk.problems() == []
    assert desk.lives() == WHOLE
    late = next(record for record in desk.records().values() if record.official_id == 1900002)
    assert not any(version.backfilled for version in late.versions)


@pytest.mark.parametrize("name", ["reset", "cut off", "half JSON", "429", "500", "503", "HTML", "JSON 500"])
def test_a_passing_failure_is_got_over(desk: Desk, api: Api, name: str) -> None:
    api.fault(FAULTS[name], "2026-02-02", times=2)
    api.fault(FAULTS[name], "/1900004", times=2)
    report = desk.crawl()
    assert report["ok"]
    assert report["complete"]
    assert desk.lives() == WHOLE


def test_retry_after_is_obeyed(desk: Desk, api: Api, site: Site) -> None:
    api.fault(Reply(429, b"later", {"Retry-After": "1"}), "/1900002", times=1)
    desk.crawl()
    times = [at for at, path, _ in site.log if "/1900002" in path]
    assert times[1] - times[0] >= 1.0


def test_a_long_retry_after_ends_the_pass(desk: Desk, api: Api, site: Site) -> None:
    api.fault(Reply(429, b"later", {"Retry-After": "3600"}))
    report = desk.crawl()
    (problem,) = desk.problems()
    assert problem.kind == "rate-limited"
    assert "more than 300 s" in problem.message
    assert not report["complete"]
    assert len(site.paths) <= 6  # those that were under way


def test_a_list_that_is_too_heavy_is_asked_for_in_parts(desk: Desk, api: Api, site: Site) -> None:
    lords = api_value(id=1900009, uin="HL77", house="Lords")
    api.values[1900009] = lords
    api.fault(FAULTS["500"], "tabledWhenFrom=2026-02-02&tabledWhenTo=2026-02-02&house=Bicameral")
    api.fault(
        FAULTS["JSON 500"],
        "tabledWhenTo=2026-02-02&house=Commons&includeWithdrawn=true&sessionStatus=Any&expandMember=true&skip=0&take=1000",
    )
    report = desk.crawl()
    assert report["ok"]
    assert desk.lives() == {**WHOLE, "HL77": ["tabled"]}
    assert any("house=Commons" in path and "take=100" in path for path in site.paths)


@pytest.mark.parametrize("total", [2, 5])
def test_a_window_that_does_not_add_up_is_repeated_and_reported(
    desk: Desk, api: Api, site: Site, total: int
) -> None:
    api.total = total
    report = desk.crawl(since="2026-02-02", until="2026-02-02")
    kinds = {problem.kind for problem in desk.problems()}
    assert kinds == {"does-not-add-up"}
    assert not report["complete"]
    assert set(desk.lives()) == {"88001", "88002", "88003"}  # what came is kept
    assert len([path for path in site.paths if "tabledWhenFrom" in path and "skip=0" in path]) == 3
    api.total = None
    assert desk.crawl(LATER)["ok"]
    assert desk.problems() == []


def test_rows_that_come_twice_and_are_missing_are_noticed(desk: Desk, api: Api) -> None:
    def doubled(reply: Reply) -> Reply:
        document = orjson.loads(reply.body)
        document["results"][-1] = document["results"][0]
        return replace(reply, body=orjson.dumps(document))

    api.fault(doubled, "tabledWhenFrom=2026-02-02", times=1)
    report = desk.crawl()
    assert report["ok"]
    assert desk.lives() == WHOLE


def break_field(name: str, value: Any) -> Any:
    def edit(question: dict[str, Any]) -> None:
        if question["id"] == 1900002:
            question[name] = value

    return changed(edit)


@pytest.mark.parametrize(
    ("name", "value"),
    [("questionText", None), ("house", "Third"), ("dateTabled", "0001-01-01T00:00:00"), ("isWithdrawn", "yes"), ("uin", "")],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_refused_whole(desk: Desk, api: Api, name: str, value: Any) -> None:
    api.fault(break_field(name, value))
    report = desk.crawl()
    assert not report["ok"]
    assert desk.lives() == {uin: life for uin, life in WHOLE.items() if uin != "88002"}
    problems = desk.problems()
    assert {problem.kind for problem in problems} == {"unreadable-row"}
    assert all(problem.page is not None for problem in problems)
    assert not desk.crawl(LATER)["problems"]  # known, and not said again
    api.faults.clear()
    assert desk.crawl("2026-02-12T09:00:00+00:00")["ok"]
    assert desk.lives() == WHOLE
    assert desk.problems() == []


def test_a_renamed_field_is_one_clear_problem_and_stores_nothing(desk: Desk, api: Api) -> None:
    api.values.update({1901000 + n: question(1000 + n) for n in range(30)})
    desk.crawl()
    before = desk.lives()

    def rename(value: dict[str, Any]) -> None:
        value["answerTextNew"] = value.pop("answerText")

    api.fault(changed(rename))
    api.values[1900002] = answer(2, dateAnswered="2026-02-10T00:00:00")
    report = desk.crawl(LATER)
    assert not report["ok"]
    assert "renamed-field" in desk.kinds()
    assert desk.lives() == before
    api.faults.clear()
    assert desk.crawl("2026-02-12T09:00:00+00:00")["versions"] == {"answered": 1}
    assert desk.problems() == []


def test_a_new_field_is_told_and_the_rows_are_kept(desk: Desk, api: Api) -> None:
    api.fault(changed(lambda value: value.update(addedField={"is": "new"})))
    desk.crawl()
    assert desk.lives() == WHOLE
    lists, details = desk.problems()
    assert (lists.kind, lists.url.rpartition("/")[2]) == ("new-field", "questions#addedField")
    assert (details.kind, details.url.rpartition("/")[2]) == ("new-field", "*#addedField")
    api.faults.clear()
    api.values[1900002] = answer(2, dateAnswered="2026-02-10T00:00:00")
    desk.crawl(LATER)
    assert desk.problems() == []  # pages of either kind were read without it


def test_a_long_answer_is_stored_whole(desk: Desk, api: Api) -> None:
    text = "word " * 1_000_000
    api.values[1900003] = answer(3, answerText=f"<p>{text}</p>")
    desk.crawl()
    assert len(desk.records()["commons/2026-02-02/88003"].content.answer_text or "") == len(text.strip())


def test_an_unknown_body_is_told_once(desk: Desk, api: Api) -> None:
    for number in (1, 2):
        api.values[1900000 + number].update(answeringBodyId=999, answeringBodyName="Ministry of New Things")
    desk.crawl()
    (problem,) = desk.problems()
    assert problem.kind == "unknown-body"
    assert "Ministry of New Things" in problem.message


def test_absence_and_404_withdraw_nothing(desk: Desk, api: Api) -> None:
    desk.crawl()
    del api.values[1900002]
    desk.crawl(LATER)
    assert desk.lives() == WHOLE
    api.values[1900002] = question(2, isWithdrawn=True)
    desk.crawl("2026-02-12T09:00:00+00:00")
    assert desk.lives()["88002"] == ["tabled", "withdrawn"]


# --- the whole source ---------------------------------------------------------------------------------------------


CHALLENGE = Reply(403, b"<html><title>Just a moment...</title></html>", {"Cf-Mitigated": "challenge"})


def test_a_challenge_blocks_the_source_and_is_said_once(desk: Desk, api: Api, site: Site) -> None:
    desk.crawl()
    api.fault(CHALLENGE)
    site.log.clear()
    report = desk.crawl(LATER)
    (problem,) = desk.problems()
    assert (problem.kind, report["problems"]) == ("blocked", 1)
    assert len(site.paths) <= 6
    again = desk.crawl("2026-02-12T09:00:00+00:00")
    assert again["problems"] == 0
    assert not again["complete"]
    api.faults.clear()
    assert desk.crawl("2026-02-13T09:00:00+00:00")["ok"]
    assert desk.problems() == []


def test_a_source_that_is_down_is_one_problem(desk: Desk, api: Api, site: Site) -> None:
    api.fault(FAULTS["503"])
    report = desk.crawl()
    (problem,) = desk.problems()
    assert problem.kind == "down"
    assert not report["complete"]
    assert len(site.paths) < 200
    api.faults.clear()
    assert desk.crawl(LATER)["ok"]
    assert desk.lives() == WHOLE
    assert desk.problems() == []


def test_a_server_that_is_not_there(tmp_path: Path, site: Site, sqlite_url: str) -> None:
    desk = Desk(tmp_path, "http://127.0.0.1:9", sqlite_url)
    desk.crawl()
    (problem,) = desk.problems()
    assert problem.kind == "robots"
    assert "the connection was refused" in problem.message
    desk.url = site.url
    assert desk.crawl()["ok"]
    assert desk.problems() == []


@pytest.mark.parametrize(
    ("robots", "fetched", "kind"),
    [
        (Reply(404), True, None),
        (Reply(403), True, None),
        (Reply(500), False, "robots"),
        (Reply(body=b"User-agent: *\nDisallow: /"), False, "robots"),
        (Reply(body=b"User-agent: *\nDisallow: /other"), True, None),
        (Reply(body=b"User-agent: pqwatch\nDisallow: /api"), False, "robots"),
        (Reply(body=b"User-agent: other\nDisallow: /"), True, None),
    ],
)
def test_robots_txt_is_obeyed(
    desk: Desk, api: Api, site: Site, robots: Reply, fetched: bool, kind: str | None
) -> None:
    api.robots = robots
    desk.crawl(since="2026-02-02", until="2026-02-02")
    assert bool(site.paths) == fetched
    assert desk.kinds() == ({kind} if kind else set())


def test_a_redirect_to_another_host_is_not_followed(desk: Desk, api: Api) -> None:
    with serving(lambda path, headers: Reply(body=b"{}")) as other:
        api.fault(Reply(302, b"", {"Location": f"{other.url}/elsewhere"}), "/1900002")
        desk.crawl()
        assert other.log == []
    assert desk.kinds() == {"redirect"}


def test_a_redirect_on_the_same_host_is_followed(desk: Desk, api: Api) -> None:
    api.fault(
        Reply(301, b"", {"Location": f"{PATH}/1900002?expandMember=true&x=1"}),
        "/1900002?expandMember=true",
        times=1,
    )
    assert desk.crawl()["ok"]
    assert desk.lives() == WHOLE


def test_the_rate_is_kept_over_all_processes(desk: Desk, site: Site) -> None:
    desk.rate = 20.0
    first = desk.start(since="2026-02-02", until="2026-02-03")
    second = desk.start("backfill", first="2026-02-01", last="2026-02-05")
    for process in (first, second):
        process.communicate(timeout=180)
    times = sorted(at for at, _, _ in site.log)
    gaps = [after - before for before, after in pairwise(times)]
    assert len(times) > 12
    assert sum(gaps) / len(gaps) >= 0.045


# --- the other jobs -----------------------------------------------------------------------------------------------


def test_recheck_finds_an_edit_that_no_list_shows(desk: Desk, site: Site, api: Api) -> None:
    long = "The figures are these: " + "many, " * 60
    desk.crawl()
    api.values[1900002] = answer(2, dateAnswered="2026-02-10T00:00:00", answerText=f"<p>{long}</p>")
    desk.crawl(LATER)
    api.values[1900002] = answer(2, dateAnswered="2026-02-10T00:00:00", answerText=f"<p>{long} and more</p>")
    assert desk.crawl("2026-02-12T08:00:00+00:00")["versions"] == {}
    site.log.clear()
    (report,) = desk.run("recheck", "2026-02-12T10:00:00+00:00")
    assert report["versions"] == {"edited": 1}
    assert site.paths == [f"{PATH}/1900002?expandMember=true"]
    (report,) = desk.run("recheck", "2026-02-12T11:00:00+00:00")
    assert report["requests"] == 0


def test_backfill_reads_each_window_once(desk: Desk, site: Site, api: Api) -> None:
    api.fault(FAULTS["500"], "tabledWhenFrom=2026-02-02")
    (report,) = desk.run("backfill", first="2026-01-31", last="2026-02-09")
    assert (report["windows"], report["gaps"]) == (9, 1)
    api.faults.clear()
    site.log.clear()
    (report,) = desk.run("backfill", first="2026-01-31", last="2026-02-09")
    lists = [path for path in site.paths if path.startswith(LISTS)]
    assert len(lists) == 1
    assert "tabledWhenFrom=2026-02-02" in lists[0]
    assert report["gaps"] == 0
    assert desk.lives() == WHOLE
    site.log.clear()
    desk.run("backfill", first="2026-01-31", last="2026-02-09", restart=True)
    assert len(site.paths) == 10


def test_a_window_with_a_detail_that_failed_is_not_finished(desk: Desk, site: Site, api: Api) -> None:
    api.fault(FAULTS["500"], "/1900002")
    (report,) = desk.run("backfill", first="2026-02-02", last="2026-02-02")
    assert report["gaps"] == 1
    api.faults.clear()
    desk.run("backfill", first="2026-02-02", last="2026-02-02")
    assert set(desk.lives()) == {"88001", "88002", "88003"}


def test_an_interrupted_crawl_stores_what_it_has_and_goes_on(desk: Desk, api: Api, site: Site) -> None:
    import signal
    import time

    api.values.update({1901000 + n: question(1000 + n) for n in range(60)})
    api.fault(lambda reply: replace(reply, delay=0.1), f"{PATH}/")
    process = desk.start()
    while len([path for path in site.paths if not path.startswith(LISTS)]) < 20:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    (report,) = orjson.loads(out)
    assert report["interrupted"], err
    assert not report["complete"]
    held = len(desk.records())
    assert 10 <= held < 64
    assert desk.problems() == []
    api.faults.clear()
    assert desk.crawl(LATER)["new"] == 64 - held
    assert all(record.versions[0].backfilled for record in desk.records().values())


def test_a_held_lock_leaves_the_source_alone(desk: Desk, site: Site) -> None:
    from storage import locks

    store = desk.store()
    with locks.hold(store, "crawl:parliament"):
        report = desk.crawl()
    store.close()
    assert "is already running" in report["locked"]
    assert site.log == []


def test_members_of_the_lords_and_texts_in_the_archive_agree(desk: Desk, api: Api) -> None:
    from scraper.archive import Archive

    api.values[1900009] = api_value(
        id=1900009,
        uin="HL9",
        house="Lords",
        askingMember=member(9001, "Lady Example", member_for="Life peer"),
    )
    desk.crawl()
    record = desk.records()["lords/2026-02-02/HL9"]
    page = Archive(desk.folder / "archive").read(record.versions[0].page)
    assert orjson.loads(page.body)["value"]["uin"] == "HL9"
    assert page.fetched_at.isoformat() == NOW
