"""The replica behaves as the real sources are known to: what is cut, what is hidden, what comes later."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from pqwatch.replica import serve
from pqwatch.replica.world import ReplicaError, load

LIST = "/api/writtenquestions/questions"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.text = body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)


def get(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


@pytest.fixture(scope="module")
def running():
    with serve() as replica:
        yield replica


@pytest.fixture
def replica(running):
    running.fault("none")
    running.set_clock("2026-03-12T08:00Z")
    return running


def rows(replica, query=""):
    return get(f"{replica.url}{LIST}?take=1000&{query}").json()


def detail(replica, uin):
    return get(f"{replica.url}{LIST}/{uin}").json()["value"]


def test_the_fortnight_has_every_case():
    final = {q.uin: q for q in load().questions(datetime(2026, 3, 20, tzinfo=UTC))}
    assert 25 <= len(final) <= 60
    assert any(q.withdrawn for q in final.values())
    assert any(q.corrected for q in final.values())
    assert any(q.held_on and not q.holding for q in final.values())
    assert any(q.group for q in final.values())
    assert any(q.attachments for q in final.values())
    assert any("<table" in (q.answer or "") for q in final.values())
    assert any(q.house == "Lords" for q in final.values())
    assert any(q.named_day and not q.answered for q in final.values())
    assert any(int(q.uin) > 900000 for q in final.values() if q.house == "Commons")


def test_list_rows_are_cut_and_details_whole(replica):
    found = {item["value"]["uin"]: item["value"] for item in rows(replica)["results"]}
    long = found["117203"]
    assert len(long["questionText"]) == 255
    assert len(long["answerText"]) == 258
    assert long["answerText"].endswith("...")
    assert "<" not in long["answerText"]
    assert found["117420"]["attachments"] == []
    assert found["117201"]["originalAnswerText"] == ""
    whole = detail(replica, long["id"])
    assert whole["questionText"].startswith(long["questionText"])
    assert whole["answerText"].startswith("<p>")
    assert detail(replica, "2026-03-04/117420")["attachments"][0]["fileType"] == "xlsx"


def test_members_only_when_asked_for(replica):
    day = "tabledWhenFrom=2026-03-02&tabledWhenTo=2026-03-02"
    assert rows(replica, day)["results"][0]["value"]["askingMember"] is None
    assert rows(replica, day + "&expandMember=true")["results"][0]["value"]["askingMember"]["name"]


def test_windows_are_inclusive_and_wide_ones_fail(replica):
    found = rows(replica, "correctedWhenFrom=2026-03-11&correctedWhenTo=2026-03-11")
    assert [item["value"]["uin"] for item in found["results"]] == ["117201"]
    assert get(f"{replica.url}{LIST}?answeredWhenFrom=2014-01-01").status == 500


def test_paging_and_totals(replica):
    whole = rows(replica)
    page = get(f"{replica.url}{LIST}?skip=3&take=2").json()
    assert page["totalResults"] == whole["totalResults"] == len(whole["results"])
    assert [i["value"]["id"] for i in page["results"]] == [i["value"]["id"] for i in whole["results"][3:5]]


def test_the_withdrawn_vanish_from_usual_lists(replica):
    usual = {item["value"]["uin"] for item in rows(replica)["results"]}
    everything = {
        item["value"]["uin"]: item["value"] for item in rows(replica, "includeWithdrawn=true")["results"]
    }
    assert set(everything) - usual == {"117314"}
    assert everything["117314"]["isWithdrawn"]


@pytest.mark.parametrize("query", ["house=senate", "answered=perhaps", "take=x", "tabledWhenFrom=yesterday"])
def test_bad_parameters_are_a_400(replica, query):
    assert get(f"{replica.url}{LIST}?{query}").status == 400


def test_the_clock_moves_both_ways(replica):
    replica.set_clock("2026-03-03T08:00Z")
    assert detail(replica, "2026-03-02/117202")["answerText"] is None
    replica.set_clock("2026-03-06T08:00Z")
    held = detail(replica, "2026-03-02/117202")
    assert held["answerIsHolding"] is True
    assert held["dateAnswered"] == held["dateHoldingAnswer"] == "2026-03-05T00:00:00"
    replica.set_clock("2026-03-11T08:00Z")
    final = detail(replica, "2026-03-02/117202")
    assert final["answerIsHolding"] is False
    assert final["dateAnswered"] == "2026-03-10T00:00:00"
    assert final["dateHoldingAnswer"] == "2026-03-05T00:00:00"
    replica.set_clock("2026-03-01T08:00Z")
    assert get(f"{replica.url}{LIST}/2026-03-02/117202").status == 404


def test_a_correction_keeps_the_day_of_the_answer(replica):
    corrected = detail(replica, "2026-03-02/117201")
    assert corrected["answerIsCorrection"]
    assert corrected["dateAnswered"] == "2026-03-04T00:00:00"
    assert corrected["dateAnswerCorrected"] == "2026-03-11T00:00:00"
    assert "16,920" in corrected["originalAnswerText"]
    assert "16,920" not in corrected["answerText"]
    assert '<del class="ministerial">16,920</del>' in corrected["comparableAnswerText"]


def test_a_group_shares_one_answer(replica):
    first, second = detail(replica, "2026-03-03/117310"), detail(replica, "2026-03-03/117312")
    assert first["answerText"] == second["answerText"]
    assert first["groupedQuestions"] == ["117311", "117312"]
    assert second["groupedQuestionsDates"][0] == {
        "questionUin": "117310",
        "dateTabled": "2026-03-03T00:00:00",
    }


def test_theyworkforyou_year_day_answer(replica):
    year = get(f"{replica.url}/wrans/?y=2026").text
    days = re.findall(r"d=(2026-03-0\d)", year)
    assert days == [f"2026-03-0{day}" for day in (2, 3, 4, 5, 6, 9)]
    day = get(f"{replica.url}/wrans/?d=2026-03-09").text
    assert "2026-03-03.117310.h" in day
    assert "117311.h" not in day  # a group is one page
    page = get(f"{replica.url}/wrans/?id=2026-03-03.117310.h").text
    assert re.findall(r'qnum="(\d+)"', page) == ["117310", "117311", "117312"]
    assert re.findall(r'id="g(\d+\.\w\d)"', page) == ["117310.q0", "117311.q1", "117312.q2", "117310.r0"]
    assert get(f"{replica.url}/wrans/?id=2026-03-03.117311.h").status == 404
    assert "No data to display." in get(f"{replica.url}/wrans/?d=2026-03-08").text


def test_theyworkforyou_comes_later_than_the_api(replica):
    replica.set_clock("2026-03-04T20:00Z")
    assert detail(replica, "2026-03-02/117201")["answerText"]
    assert get(f"{replica.url}/wrans/?id=2026-03-02.117201.h").status == 404
    replica.set_clock("2026-03-05T08:00Z")
    assert get(f"{replica.url}/wrans/?id=2026-03-02.117201.h").status == 200


def test_welsh_pages_have_the_same_texts(replica):
    english = get(f"{replica.url}/wrans/?id=2026-03-02.117201.h").text
    welsh = get(f"{replica.cy_url}/wrans/?id=2026-03-02.117201.h").text
    assert "4 Mawrth 2026" in welsh
    assert '<html lang="en">' in welsh
    body = r'<div class="debate-speech__content">(.*?)</div>'
    assert re.findall(body, english, re.DOTALL) == re.findall(body, welsh, re.DOTALL)


def test_parallel_parliament_order_of_texts(replica):
    page = get(f"{replica.url}/question/117201/cocaine-seizures").text
    flat = re.sub(r"<[^>]+>", "\n", page.replace('alt="', ">").replace(' Portrait"', " Portrait<"))
    marks = ["(asked on 2nd March 2026)", "View Source", "Question to the Home Office:", "To ask", "Answered by",
             "Helena Strand Portrait", "This question was answered on 4th March 2026", "Border Force", "Reticulating Splines"]  # fmt: skip
    places = [flat.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "detail/2026-03-02/117201" in page
    listed = get(f"{replica.url}/dept/home-office/writtenanswers").text
    assert "/question/117201/cocaine-seizures" in listed
    assert "Asked by: Amara Linfield (Labour - Harrowmere)" in listed


def test_feed_is_conditional_and_ends(replica):
    first = get(f"{replica.url}/feed/")
    etag, last = first.headers["ETag"], first.headers["Last-Modified"]
    assert first.text.count("<item>") == 3
    assert get(f"{replica.url}/feed/", **{"If-None-Match": etag}).status == 304
    assert get(f"{replica.url}/feed/", **{"If-Modified-Since": last}).status == 304
    assert get(f"{replica.url}/feed/", **{"If-None-Match": '"x"', "If-Modified-Since": last}).status == 200
    assert get(f"{replica.url}/feed/?paged=2").status == 404
    replica.set_clock("2026-03-12T10:00Z")
    edited = get(f"{replica.url}/feed/", **{"If-None-Match": etag, "If-Modified-Since": last})
    assert edited.status == 200
    assert "a reader points out" in edited.text
    assert get(f"{replica.url}/county-lines-in-numbers/").status == 200


def test_robots_forbid_what_theyworkforyou_forbids(replica):
    assert "Disallow: /search" in get(f"{replica.url}/robots.txt").text


def test_faults_on_demand(replica):
    replica.fault("challenge", match="/question/", times=1)
    blocked = get(f"{replica.url}/question/117201/cocaine-seizures")
    assert blocked.status == 403
    assert blocked.headers["Cf-Mitigated"] == "challenge"
    assert get(f"{replica.url}/question/117201/cocaine-seizures").status == 200
    replica.fault("http", status=503, header={"Retry-After": "7"})
    assert get(f"{replica.url}/feed/").headers["Retry-After"] == "7"
    replica.fault("json500")
    assert get(f"{replica.url}{LIST}").json()["status"] == 500


def test_control_over_http_and_log(replica):
    def post(path, told):
        return get_post(replica.url + path, told)

    assert post("/_clock", {"at": "2026-03-05T08:00Z"}).json()["at"] == "2026-03-05T08:00:00Z"
    assert post("/_clock", {"at": "soon"}).status == 400
    assert post("/_fault", {"kind": "flood"}).status == 400
    get(f"{replica.url}/_log?clear=1")
    get(f"{replica.url}/feed/", **{"User-Agent": "tests"})
    (entry,) = get(f"{replica.url}/_log").json()["requests"]
    assert (entry["path"], entry["status"], entry["userAgent"]) == ("/feed/", 200, "tests")


def get_post(url, told):
    request = urllib.request.Request(url, data=json.dumps(told).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


def test_a_taken_port_is_one_clear_error(replica):
    port = int(replica.url.rpartition(":")[2])
    with pytest.raises(ReplicaError, match=f"cannot listen on port {port}"), serve(port):
        pass


def test_mistakes_in_the_data_are_named(tmp_path):
    good = '[[body]]\nid=1\nname="Home Office"\n[[member]]\nid=1\nname="A B"\nparty="X"\nfrom="Y"\n'
    question = '[[question]]\nid=1\nuin="1"\ntabled=2026-03-02\ndue=2026-03-04\nbody="Home Office"\nasker="{}"\ntext="?"\n'
    (tmp_path / "a.toml").write_text(good + question.format("Nobody"))
    with pytest.raises(ReplicaError, match="question 1: unknown \\['Nobody'\\]"):
        load(tmp_path)


def test_every_step_changes_what_is_served():
    world = load()
    for step in world.steps:
        before, after = step - timedelta(seconds=1), step
        assert served(world, before) != served(world, after), step


def served(world, at):
    return world.questions(at), world.questions(at, scottish=True), world.posts(at)


def test_scottish_answers_are_theyworkforyous_alone(replica):
    day = get(f"{replica.url}/spwrans/?d=2026-03-04").text
    assert re.findall(r"id=([\w.-]+)", day) == ["2026-03-04.S6W-40101.h"]
    page = get(f"{replica.url}/spwrans/?id=2026-03-04.S6W-40101.h").text
    assert "&ndash; Scottish Parliament written question &ndash; answered" in page
    assert "2026-03-04.S6W" not in get(f"{replica.url}/wrans/?d=2026-03-04").text
    assert get(f"{replica.url}/wrans/?id=2026-03-04.S6W-40101.h").status == 404
    assert not [i for i in rows(replica)["results"] if i["value"]["house"] not in ("Commons", "Lords")]
