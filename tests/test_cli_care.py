"""`audit`, `bounces`, `forget`, `webhook test|replay` through the real command, on both databases."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import delete
from standardwebhooks import Webhook

from storage.ingest import ingest
from storage.schema import deliveries
from tests import fakes
from tests.fakes import NOW, answered, observation
from tests.test_cli import Desk
from tests.test_cli_match import when


@pytest.fixture
def desk(tmp_path, database_url):
    with fakes.mail_server() as box:
        desk = Desk(
            tmp_path, PQWATCH_DATABASE_URL=database_url, PQWATCH_SMTP_URL=box.url, PQWATCH_MAIL_FROM="a@example.org",
            PQWATCH_ALLOW_PRIVATE_HOSTS="1", PQWATCH_DATA_DIR=str(tmp_path / "data"),
        )  # fmt: skip
        desk.box = box
        yield desk


def subscribed(desk, store, to):
    """A subscription that was sent one answer."""
    made = desk.json("--now", when(-1), "subscribe", "cocaine", "--to", to, "--name", "ada", "--confirmed")
    ingest(store, [observation(answered(), NOW)], now=NOW)
    done = desk("--now", when(0.1), "alerts", "run")
    assert done.returncode == 0, done.stderr
    return made


def test_audit_is_quiet_where_all_is_well_and_exit_1_where_a_row_is_gone(desk, store):
    subscribed(desk, store, "mailto:ada@example.org")
    assert desk.json("--now", when(1), "audit") == {"checked": 1, "missing": [], "unexpected": []}
    with store.write() as conn:
        conn.execute(delete(deliveries))
    done = desk("--now", when(1), "audit")
    assert done.returncode == 1
    assert "1 checked, 1 missing, 0 unexpected" in done.stdout
    told = desk.json("--now", when(1), "audit", "--days", "3")
    assert [item["event"] for item in told["missing"]] == ["v1"]


def test_bounces_pause_a_dead_address(desk, store):
    subscribed(desk, store, "mailto:ada@example.org")
    (sent,) = desk.box.of("ada@example.org")
    report = "\r\n".join(
        [
            "From: MAILER-DAEMON@example.org", "Subject: Undelivered", "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', "", "--b",
            "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.org", "",
            "Final-Recipient: rfc822; ada@example.org", "Action: failed", "Status: 5.1.1", "", "--b",
            "Content-Type: text/rfc822-headers", "", f"Message-ID: {sent['Message-ID']}", "", "--b--", "",
        ]
    )  # fmt: skip
    file = desk.folder / "bounces.mbox"
    file.write_text("From MAILER-DAEMON Mon Mar  3 09:00:00 2025\n" + report)
    done = desk("--now", when(1), "bounces", str(file))
    assert done.returncode == 1
    assert "subscription ada is paused" in done.stderr
    assert desk.json("subscriptions", "show", "ada")["paused"]
    assert desk.json("bounces", str(file)) == {
        "read": 1,
        "paused": [],
        "soft": 0,
        "foreign": 0,
        "unreadable": 0,
    }
    done = desk("bounces", "absent.mbox")
    assert (done.returncode, done.stderr) == (
        1,
        "pqwatch: cannot read absent.mbox: No such file or directory\n",
    )


def test_forget_erases_and_sends_nothing_more(desk, store):
    subscribed(desk, store, "mailto:ada@example.org")
    assert desk("forget", "nobody at all").returncode == 2
    assert desk.json("forget", "Ada@example.org") == {"erased": 1}
    assert desk.json("subscriptions", "list")["total"] == 0
    assert "ada@example.org" not in json.dumps(desk.json("deliveries"))


def test_a_webhook_is_tried_and_replayed_under_the_same_ids(desk, store):
    with fakes.receiver() as hook:
        made = subscribed(desk, store, hook.url())
        assert desk.json("webhook", "test", "ada")["taken"] is True
        first, tried = hook.calls
        Webhook(made["secret"]).verify(tried.body, tried.headers)
        assert json.loads(tried.body)["event"] == "test"
        assert desk.json("--now", when(1), "webhook", "replay", "ada") == {"messages": 1}
        assert desk("--now", when(1.1), "alerts", "run").returncode == 0
        assert hook.calls[2].headers["webhook-id"] == first.headers["webhook-id"]
        assert hook.calls[2].body == first.body
        hook.rule = lambda _call: (500, {})
        refused = desk("webhook", "test", "ada")
        assert refused.returncode == 1
        assert "500" in refused.stderr
    done = desk("webhook", "test", "nobody")
    assert (done.returncode, done.stderr) == (1, "pqwatch: there is no subscription 'nobody'\n")
