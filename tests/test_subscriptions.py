"""Subscribing, agreeing, following, pausing, ending, being forgotten; files of subscriptions; bounces; notices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from alerts import again, bounces, catchup, exchange, lifecycle, reporting
from alerts.confirm import Scope, confirm_link, read_confirm, read_unsubscribe, unsubscribe_link
from alerts.errors import AlertsError
from alerts.run import run
from alerts.setup import Setup
from alerts.signing import BadTokenError, address_hash, make_token
from alerts.subscriptions import RefusedError, Request, check, confirm, may_sign_up, subscribe
from alerts.tree import Query
from pqwatch.rehearsal import rehearse
from storage import erasing, ledger, messages, meta, runs, suppressions
from storage import subscriptions as rows
from storage.ingest import ingest
from storage.problems import open_problems
from storage.store import Store
from storage.subscriptions import NoSuchSubscriptionError, Subscription
from tests import fakes
from tests.fakes import NOW, Mailbox, answered, make_content, make_setup, observation

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with fakes.mail_server() as server:
        yield server


@pytest.fixture
def setup(box: Mailbox) -> Setup:
    return make_setup(smtp_url=box.url)


def take(
    store: Store, setup: Setup, query: str = "cocaine", at: datetime = NOW, **changes: Any
) -> Subscription:
    values = {"to": "mailto:ada@example.org", "confirmed": True, **changes}
    return subscribe(store, Request(query=query, **values), setup=setup, now=at)


def see(store: Store, *contents: Any, at: datetime = NOW, backfilled: bool = False) -> None:
    ingest(store, [observation(content, at) for content in contents], now=at, backfilled=backfilled)


def go(store: Store, setup: Setup, at: datetime = NOW) -> Any:
    return run(store, now=at, settings=setup)


# --- subscribing --------------------------------------------------------------------------------------------------


def test_a_subscription_as_printed(store: Store, setup: Setup) -> None:
    found = take(
        store, setup, "cocaine OR heroin", to="https://example.org/hook", days=("fri", "mon"), every="weekly"
    )
    shape = reporting.subscription_shape(found, setup, with_secret=True)
    assert shape == {
        "id": found.id, "name": "cocaine OR heroin", "query": "cocaine OR heroin", "to": "https://example.org/hook",
        "on": ["answered", "corrected", "edited", "withdrawn", "published"], "every": "weekly", "at": "07:00",
        "days": ["mon", "fri"], "confirmed": True, "expires": None,
        "feed": f"https://pqwatch.example/feeds/{found.token}.atom", "secret": found.secret,
    }  # fmt: skip
    assert str(found.secret).startswith("whsec_")
    assert reporting.subscription_shape(found, setup)["secret"] is None


def test_names_are_free_and_found(store: Store, setup: Setup) -> None:
    first, second = take(store, setup), take(store, setup)
    assert (first.name, second.name) == ("cocaine", "cocaine (2)")
    with store.read() as conn:
        assert rows.find(conn, "cocaine (2)").id == second.id
        assert rows.find(conn, str(first.id)).id == first.id
        with pytest.raises(NoSuchSubscriptionError):
            rows.find(conn, "heroin")
        with pytest.raises(rows.NoSuchSubscriptionError):
            rows.find(conn, "caf\udce9")
    with pytest.raises(RefusedError, match="already"):
        take(store, setup, name="cocaine")
    with pytest.raises(RefusedError, match="holds letters"):
        take(store, setup, name="12")
    lifecycle.remove(store, "cocaine", now=NOW)
    again_ = take(store, setup, name="cocaine")
    with store.read() as conn:
        assert rows.find(conn, "cocaine").id == again_.id, "what is over leaves its name"
        assert rows.by_id(conn, first.id).name == "cocaine, ended"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"query": "cocaine AND"}, "column"),
        ({"query": "NOT cocaine"}, "everything"),
        ({"to": "gopher://x"}, "no channel"),
        ({"to": "mailto:a@b@c"}, "expected one mail address"),
        ({"on": ("answered", "asked")}, "on 'asked': expected some of"),
        ({"every": "yearly"}, "every 'yearly'"),
        ({"at": "7"}, "at '7'"),
        ({"days": ("funday",)}, "days 'funday'"),
        ({"notice": "daily"}, "notice 'daily'"),
        ({"notice": "weekly", "to": "feed:"}, "goes to people"),
        ({"expires": date(2025, 3, 2)}, "that day is past"),
        ({"query": "commons/2025-02-30/1"}, "no question key"),
        ({"from_web": True, "to": "file:///var/mail"}, "from the web"),
    ],
)
def test_what_is_refused(store: Store, setup: Setup, wrong: dict[str, Any], told: str) -> None:
    values = {"query": "cocaine", "to": "mailto:ada@example.org", **wrong}
    with pytest.raises((AlertsError, Exception), match=told) as caught:
        subscribe(store, Request(**values), setup=setup, now=NOW)
    assert "\n" not in str(caught.value)
    with store.read() as conn:
        assert rows.every(conn) == []


@pytest.mark.parametrize(
    ("every", "refused"), [("instant", True), ("hourly", True), ("daily", False), ("weekly", False)]
)
def test_a_flood_is_refused_but_as_a_digest(store: Store, setup: Setup, every: str, refused: bool) -> None:
    request = Request(query="drugs", to="stdout:", every=every)
    if refused:
        with pytest.raises(RefusedError, match="about 45 items a day"):
            subscribe(store, request, setup=setup, now=NOW, estimate=lambda _query, _on: 45.0)
        request = replace(request, force=True)
    assert subscribe(store, request, setup=setup, now=NOW, estimate=lambda _query, _on: 45.0).active


def test_two_addresses_of_one_person_count_without_capitals(store: Store, setup: Setup) -> None:
    take(store, setup, to="mailto:Ada@example.org", name="one")
    take(store, setup, to="mailto:ada@example.org", name="two")
    see(store, answered(), at=NOW + HOUR)
    assert go(store, setup, NOW + HOUR).sent == 1


# --- agreeing -----------------------------------------------------------------------------------------------------


def test_only_the_confirmation_is_sent_to_who_has_not_agreed(
    store: Store, setup: Setup, box: Mailbox
) -> None:
    found = take(store, setup, confirmed=False)
    assert not found.active
    for hour in range(3):
        go(store, setup, NOW + hour * HOUR)
    ((_, message),) = box.taken
    link = confirm_link(setup, found.id)
    assert link in message.get_body(("plain",)).get_content()
    assert link in message.get_body(("html",)).get_content()
    assert read_confirm(setup, link.rpartition("/")[2]) == found.id
    assert confirm(store, found.id, now=NOW + DAY).begins_at == NOW + DAY
    assert confirm(store, found.id, now=NOW + 2 * DAY).begins_at == NOW + DAY


def test_sign_ups_of_an_address_are_limited(store: Store, setup: Setup) -> None:
    def may(query: str, to: str = "mailto:ADA@example.org", since: datetime = NOW - DAY) -> bool:
        wanted = check(Request(query=query, to=to), setup, now=NOW)
        with store.read() as conn:
            return may_sign_up(conn, wanted, since=since)

    for query in ("cocaine", "heroin", "khat"):
        assert may(query)
        take(store, setup, query, confirmed=False)
        assert not may(query), "one mail for one alert, however often it is asked for"
    assert not may("fentanyl")
    assert may("cocaine", to="mailto:bo@example.org")
    assert may("cocaine", since=NOW)


def test_tokens_serve_one_purpose(setup: Setup) -> None:
    token = make_token(setup.secret, "confirm", "7")
    assert read_confirm(setup, token) == 7
    for bad in (
        token + "x",
        token[:-1],
        token.swapcase(),
        "x.y",
        "",
        ".",
        make_token("other", "confirm", "7"),
    ):
        with pytest.raises(BadTokenError):
            read_confirm(setup, bad)
    with pytest.raises(BadTokenError):
        read_unsubscribe(setup, token)
    link = unsubscribe_link(setup, Scope(message_id="<a@b>"))
    assert read_unsubscribe(setup, link.rpartition("/")[2]) == Scope(message_id="<a@b>")


# --- ending -------------------------------------------------------------------------------------------------------


def test_one_click_ends_exactly_what_the_message_served(store: Store, setup: Setup, box: Mailbox) -> None:
    take(store, setup, "cocaine", name="a")
    take(store, setup, "police", name="b")
    take(store, setup, "fentanyl", name="c")
    see(store, answered(), at=NOW + HOUR)
    go(store, setup, NOW + HOUR)
    ((_, message),) = box.taken
    token = message["List-Unsubscribe"].strip("<>").rpartition("/")[2]
    ended = lifecycle.unsubscribe(store, read_unsubscribe(setup, token), now=NOW + DAY)
    assert sorted(s.name for s in ended) == ["a", "b"]
    assert lifecycle.unsubscribe(store, read_unsubscribe(setup, token), now=NOW + DAY) == []
    with store.read() as conn:
        assert [s.name for s in rows.every(conn)] == ["c"]
    assert [s.name for s in lifecycle.unsubscribe_all(store, "mailto:ADA@example.org", now=NOW)] == ["c"]


def test_the_last_day_of_a_subscription_counts(store: Store, setup: Setup, box: Mailbox) -> None:
    take(store, setup, expires=date(2025, 3, 4))
    see(store, answered(), at=NOW + DAY)
    go(store, setup, NOW + DAY)
    see(store, answered(make_content(uin="40000")), at=NOW + 2 * DAY)
    go(store, setup, NOW + 2 * DAY)
    assert len(box.taken) == 1
    with store.read() as conn:
        assert rows.every(conn) == []


def test_a_followed_question_is_listened_to_for_ninety_days_after_its_answer(
    store: Store, setup: Setup, box: Mailbox
) -> None:
    see(store, make_content(), make_content(uin="40000"))
    found = take(store, setup, "commons/2025-02-24/34567", at=NOW)
    assert (found.follows, found.query) == ("commons/2025-02-24/34567", "key:commons/2025-02-24/34567")
    see(store, answered(answered_on=date(2025, 3, 10)), answered(make_content(uin="40000")), at=NOW + 7 * DAY)
    go(store, setup, NOW + 7 * DAY)
    assert len(box.taken) == 1
    for days, left in ((7 + 90, 1), (7 + 91, 0)):
        go(store, setup, NOW + days * DAY)
        with store.read() as conn:
            assert len(rows.every(conn)) == left


def test_forgetting_leaves_no_trace_but_a_hash(store: Store, setup: Setup, box: Mailbox) -> None:
    take(store, setup, name="Ada's own", note="for Ada")
    take(store, setup, to="mailto:bo@example.org", name="bo")
    see(store, answered(), at=NOW + HOUR)
    go(store, setup, NOW + HOUR)
    assert lifecycle.forget(store, "mailto:ada@example.org", now=NOW + DAY) == 1
    with store.engine.connect() as conn:
        for name in ("subscriptions", "messages", "deliveries", "suppressions", "problems"):
            dump = str(conn.exec_driver_sql(f"SELECT * FROM {name}").all()).lower()
            assert "ada" not in dump, name
    with pytest.raises(RefusedError, match="not to be written to"):
        take(store, setup, confirmed=False)
    see(store, answered(make_content(uin="40000")), at=NOW + 2 * DAY)
    go(store, setup, NOW + 2 * DAY)
    assert [to for to, _ in box.taken][2:] == ["bo@example.org"]


def test_resuming_without_a_summary_drops_what_came(store: Store, setup: Setup, box: Mailbox) -> None:
    found = take(store, setup)
    lifecycle.pause(store, found.name, now=NOW)
    see(store, answered(), at=NOW + HOUR)
    go(store, setup, NOW + HOUR)
    lifecycle.resume(store, found.name, now=NOW + DAY, summary=False)
    go(store, setup, NOW + DAY)
    assert box.taken == []


# --- catching up --------------------------------------------------------------------------------------------------


def crawl(store: Store, source: str, at: datetime, *, ok: bool = True) -> None:
    with store.write() as conn:
        number = runs.start(conn, "crawl", source, now=at, whole=True)
        runs.finish(conn, number, now=at + timedelta(minutes=5), ok=ok, report={})


def test_one_catch_up_message_after_a_first_crawl(store: Store, setup: Setup, box: Mailbox) -> None:
    take(store, setup, at=NOW - DAY, name="early")
    take(store, setup, at=NOW - DAY, name="feed", to="feed:")
    see(store, answered(), answered(make_content(uin="40000")), backfilled=True)
    go(store, setup)
    assert box.taken == []  # the first crawl is not complete
    crawl(store, "parliament", NOW)
    take(store, setup, at=NOW + HOUR, name="late", to="mailto:bo@example.org")
    rehearsed = rehearse(store, setup, now=NOW + 2 * HOUR)
    assert [(row.subscription, row.reason) for row in rehearsed] == [("early", "catch-up")] * 2
    for hour in range(2, 5):
        go(store, setup, NOW + hour * HOUR)
    ((to, message),) = box.taken
    assert (to, message["Subject"][:17]) == ("ada@example.org", "Catch-up: 2 items")
    with store.read() as conn:
        found = {(row.subscription, row.reason, row.state) for row in ledger.listed(conn)}
    assert found == {("early", "catch-up", "sent")}


def test_catch_up_on_demand_tells_once(store: Store, setup: Setup, box: Mailbox) -> None:
    crawl(store, "parliament", NOW - 2 * DAY)
    go(store, setup, NOW - DAY)
    see(store, answered(), backfilled=True)
    found = take(store, setup, at=NOW + HOUR)
    assert catchup.catch_up(store, found, setup, now=NOW + 2 * HOUR) == 1
    assert catchup.catch_up(store, found, setup, now=NOW + 2 * HOUR) == 0
    go(store, setup, NOW + 2 * HOUR)
    assert len(box.taken) == 1
    hook = take(store, setup, to="https://example.org/", name="hook")
    with pytest.raises(RefusedError, match="no catch-up"):
        catchup.catch_up(store, hook, setup, now=NOW)


# --- notices ------------------------------------------------------------------------------------------------------


def test_quiet_but_well_only_where_nothing_matched(store: Store, setup: Setup, box: Mailbox) -> None:
    take(store, setup, at=NOW, name="quiet", query="fentanyl", notice="weekly")
    take(store, setup, at=NOW, name="still", query="khat", notice="weekly")
    take(store, setup, at=NOW, name="other", query="khat")
    take(store, setup, at=NOW, name="busy", notice="weekly", to="mailto:bo@example.org")
    friday = {"query": "khat", "notice": "weekly", "days": ("fri",), "to": "mailto:cy@example.org"}
    take(store, setup, at=NOW, name="friday", **friday)
    for hour in range(24):
        crawl(store, "parliament", NOW + hour * HOUR)
    see(store, answered(), at=NOW + DAY)
    for day in range(1, 8):
        go(store, setup, NOW + day * DAY)
    subjects = [(to, message["Subject"]) for to, message in box.taken]
    assert subjects == [
        ("bo@example.org", "Answered: Drugs: Organised Crime (Home Office)"),
        ("cy@example.org", "All is well, nothing matched: friday"),
        ("ada@example.org", "All is well, nothing matched: quiet, still"),
    ]
    text = box.taken[2][1].get_body(("plain",)).get_content()
    assert one_click(store, setup, box.taken[2][1]) == ["quiet", "still"]
    assert "checked 24 times; the last success was 08:05 on 4 March 2025; nothing matched" in text


def test_a_source_that_fails_for_a_day_is_told_once_and_when_it_is_well(
    store: Store, setup: Setup, box: Mailbox
) -> None:
    take(store, setup, at=NOW, name="one")
    take(store, setup, at=NOW, name="two")
    crawl(store, "parliament", NOW)
    for hour in range(1, 40):
        crawl(store, "parliament", NOW + hour * HOUR, ok=False)
        go(store, setup, NOW + hour * HOUR + timedelta(minutes=30))
        assert len(box.taken) == (1 if hour >= 25 else 0)  # a day after the first failure
    assert [message["Subject"][:5] for _, message in box.taken] == ["Late:"]
    assert "since 10:00 on 3 March 2025" in box.taken[0][1].get_body(("plain",)).get_content()
    crawl(store, "parliament", NOW + 40 * HOUR)
    for hour in range(41, 45):
        go(store, setup, NOW + hour * HOUR)
    assert [message["Subject"][:10] for _, message in box.taken] == ["Late: Parl", "Well again"]
    assert one_click(store, setup, box.taken[0][1]) == ["one", "two"]


def one_click(store: Store, setup: Setup, message: Any) -> list[str]:
    """Names of what the one click of a mail ends."""
    token = str(message["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
    return [s.name for s in lifecycle.unsubscribe(store, read_unsubscribe(setup, token), now=NOW + 9 * DAY)]


def test_a_source_that_nobody_tries_is_no_outage(store: Store, setup: Setup, box: Mailbox) -> None:
    take(store, setup, at=NOW)
    crawl(store, "parliament", NOW)
    go(store, setup, NOW + 9 * DAY)
    with store.read() as conn:
        assert meta.get(conn, "outage:parliament") is None
    assert box.taken == []


# --- bounces ------------------------------------------------------------------------------------------------------


def report(recipient: str, message_id: str | None, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    original = f"Message-ID: {message_id}\nSubject: x\n" if message_id else "Subject: x\n"
    return f"""From: MAILER-DAEMON@mx.example
To: alerts@pqwatch.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It did not arrive.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: text/rfc822-headers

{original}
--b--
""".encode()


def test_a_hard_bounce_pauses_and_tells(store: Store, setup: Setup, box: Mailbox) -> None:
    take(store, setup, name="ada")
    see(store, answered(), at=NOW + HOUR)
    go(store, setup, NOW + HOUR)
    ours = str(box.taken[0][1]["Message-ID"])
    mailbox = b"".join(
        b"From x@y Mon Mar  3 10:00:00 2025\n" + each + b"\n"
        for each in (
            report("ada@example.org", ours, action="delayed", status="4.4.1"),
            report("ada@example.org", "<forged@example.org>"),
            b"Subject: out of office\n\nI am away.\n",
            report("Ada@Example.org", ours),
        )
    )
    found = bounces.take_bounces(store, mailbox, now=NOW + DAY)
    assert found == bounces.BounceReport(read=4, paused=("ada",), soft=1, foreign=1, unreadable=1)
    with store.read() as conn:
        assert str(rows.find(conn, "ada").paused_because).startswith("mail came back: 5.1.1")
        assert [problem.kind for problem in open_problems(conn)] == ["bounced"]
    assert bounces.take_bounces(store, report("ada@example.org", ours), now=NOW + DAY).paused == ()
    lifecycle.remove(store, "ada", now=NOW + DAY)
    with store.read() as conn:
        assert open_problems(conn) == [], "what is over needs no attention"


@pytest.mark.parametrize(
    "mailbox", [b"", b"\x00\xff" * 100, b"From ", b"From x\n", b"Content-Type: multipart/report\n\n"]
)
def test_what_is_no_mailbox_changes_nothing(store: Store, mailbox: bytes) -> None:
    assert bounces.take_bounces(store, mailbox, now=NOW).paused == ()


# --- files of subscriptions ---------------------------------------------------------------------------------------


def test_out_and_in_again(store: Store, setup: Setup, sqlite_url: str) -> None:
    take(store, setup, '"county lines" OR =ROCU', name='a "quoted" name', note="line\nbreak \\ é \x7f")
    take(
        store,
        setup,
        "commons/2025-02-24/34567",
        to="stdout:",
        every="weekly",
        days=("fri",),
        expires=date(2025, 9, 1),
    )
    take(store, setup, to="https://example.org/hook", confirmed=False, notice=None, on=("overdue",))
    lifecycle.pause(store, "2", now=NOW)
    with store.read() as conn:
        before = rows.every(conn)
    text = exchange.export_toml(before)
    for subscription in before:
        lifecycle.remove(store, str(subscription.id), now=NOW)
    with store.write() as conn:
        for subscription in before:
            erasing.erase_subscription(conn, subscription.id)
    after = exchange.import_toml(store, text, setup=setup, now=NOW + DAY)
    same = ("name", "note", "query", "to", "on", "every", "at", "days", "follows", "expires_on")
    for name in same:
        assert [getattr(s, name) for s in after] == [getattr(s, name) for s in before], name
    assert [bool(each.paused_at) for each in after] == [False, True, False]
    assert exchange.export_toml(after) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense", "no TOML"),
        ("subscription = 1", "expected \\[\\[subscription\\]\\]"),
        ("[other]", "not other"),
        ("[[subscription]]\nquery='x'", "to is missing"),
        ("[[subscription]]\nquery='x'\nto='stdout:'\ncolour='red'", "colour is not known"),
        ("[[subscription]]\nquery='x'\nto=1", "not of the right kind"),
        (
            "[[subscription]]\nquery='x'\nto='stdout:'\n[[subscription]]\nquery='('\nto='stdout:'",
            "subscription 2: query: column 2.*; nothing was imported",
        ),
        (
            "[[subscription]]\nquery='x'\nto='stdout:'\nname='n'\n" * 2,
            r"subscription 2 \(n\): there is a subscription 'n' already",
        ),
    ],
)
def test_a_file_is_taken_whole_or_not_at_all(store: Store, setup: Setup, text: str, told: str) -> None:
    with pytest.raises(AlertsError, match=told):
        exchange.import_toml(store, text, setup=setup, now=NOW)
    with store.read() as conn:
        assert rows.every(conn) == []


def test_one_that_would_flood_its_reader_stops_the_whole_file(store: Store, setup: Setup) -> None:
    def text(extra: str) -> str:
        quiet = "[[subscription]]\nquery='heroin'\nto='stdout:'\n"
        return f"{quiet}[[subscription]]\nname='all'\nquery='cocaine'\nto='stdout:'\n{extra}"

    def estimate(query: Query, on: frozenset[str]) -> float:
        del on
        return 31.0 if query.text == "cocaine" else 1.0

    with pytest.raises(AlertsError, match=r"subscription 2 \(all\): .* 31 items a day.*nothing was imported"):
        exchange.import_toml(store, text(""), setup=setup, now=NOW, estimate=estimate)
    with store.read() as conn:
        assert rows.every(conn) == []
    for n, extra in enumerate(("force=true", "every='daily'"), start=1):
        exchange.import_toml(store, text(extra).replace("'all'", f"'all {n}'"), setup=setup, now=NOW, estimate=estimate)  # fmt: skip
    with store.read() as conn:
        assert len(rows.every(conn)) == 4


def test_an_address_that_must_not_be_written_to_stops_the_whole_file(store: Store, setup: Setup) -> None:
    with store.write() as conn:
        suppressions.add(conn, address_hash("mailto:bo@example.org"), "erased", now=NOW)
    text = "".join(f"[[subscription]]\nquery='x'\nto='mailto:{who}@example.org'\n" for who in ("ada", "bo"))
    with pytest.raises(AlertsError, match="subscription 2: this address asked not to be written to"):
        exchange.import_toml(store, text, setup=setup, now=NOW)
    with store.read() as conn:
        assert rows.every(conn) == []
        assert messages.counts(conn) == {}, "nobody is asked to confirm"


# --- once more ----------------------------------------------------------------------------------------------------


def test_a_webhook_can_be_tried_and_replayed(store: Store, setup: Setup) -> None:
    with fakes.receiver() as hook:
        found = take(store, setup, to=hook.url(), name="hook")
        again.try_webhook(found, setup, now=NOW)
        see(store, answered(), answered(make_content(uin="40000")), at=NOW + HOUR)
        go(store, setup, NOW + HOUR)
        assert again.replay(store, "hook", now=NOW + DAY) == 2
        assert go(store, setup, NOW + DAY).sent == 2
        ids = [call.headers["webhook-id"] for call in hook.calls]
    assert ids[1:3] == ids[3:5]
    mail = take(store, setup, name="mail")
    with pytest.raises(AlertsError, match="has no webhook"):
        again.try_webhook(mail, setup, now=NOW)


def test_what_failed_can_be_sent_again(store: Store, setup: Setup, box: Mailbox) -> None:
    take(store, setup)
    see(store, answered(), at=NOW + HOUR)
    box.rule = lambda stage, _to: "554 refused" if stage == "data" else None
    assert len(go(store, setup, NOW + HOUR).failed) == 1
    with pytest.raises(AlertsError, match="delivery 999 has not failed"):
        again.retry(store, now=NOW + DAY, ids=[999])
    box.rule = lambda _stage, _to: None
    assert again.retry(store, now=NOW + DAY) == 1
    assert go(store, setup, NOW + DAY).sent == 1
    with store.read() as conn:
        shape = reporting.deliveries_shape(conn, ledger.listed(conn), setup)
    (item,) = shape
    assert (item["state"], item["version"], item["event"], item["error"]) == ("sent", 1, "v1", None)
    assert item["matched"] == [{"part": "answer", "text": "cocaine", "start": 58, "end": 65}]


def test_an_unknown_message_is_no_bounce() -> None:
    message = EmailMessage()
    message.set_content("hello")
    assert list(bounces.bounces_in(message)) == []
