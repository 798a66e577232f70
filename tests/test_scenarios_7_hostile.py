"""Scenario 7: hostile words in every field, and webhooks that lead inward. Everything shown stays safe and readable."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import feedparser
import pytest
from standardwebhooks import Webhook

from pqwatch.replica import serve
from pqwatch.replica.world import Person
from tests.fakes import Mailbox, Receiver, mail_server, receiver
from tests.shell import Forks, Shell

KEY = "commons/2026-03-03/119999"
START, ANSWERED, CORRECTED = "2026-03-02T08:00Z", "2026-03-06T08:00Z", "2026-03-12T18:00Z"
NASTY = "</td></table><script>alert(1)</script>\r\nBcc: all@evil.example\r\n\x00\x1b[2J\u202egnp.exe\u2066"
HEADING = f'=HYPERLINK("https://evil.example","x"){NASTY}'
NAME = f"@SUM(1+1) <img src=x onerror=alert(2)>{NASTY}"
TABLE = "<table>" + f"<tr><td>{'x' * 5_000} tonnes of it</td><td>7</td></tr>" * 1_000 + "</table>"
ANSWER = (
    '<script>alert(3)</script><p onclick="alert(4)">We seized 12 tonnes of cocaine.</p></td></tr></table>'
    '<a href="javascript:alert(5)">one</a> <a href="data:text/html,x">two</a> <a href="&#106;avascript:alert(6)">three</a>'
    f"<iframe src='https://evil.example'></iframe><p>{NASTY}</p>{TABLE}"
)

pytestmark = pytest.mark.xdist_group("scenario 7")  # what a file sets up is set up once


def story() -> dict[str, Any]:
    """A question of which every field is hostile; answered, then corrected in one figure."""
    answered = {
        "at": datetime(2026, 3, 5, 12, tzinfo=UTC), "heading": HEADING, "minister": "minister", "answer": ANSWER,
        "attachments": [{"url": "javascript:alert(7)", "title": NASTY, "type": NASTY, "bytes": 1}],
    }  # fmt: skip
    corrected = {
        "at": datetime(2026, 3, 12, 12, tzinfo=UTC), "corrected": date(2026, 3, 12),
        "answer": ANSWER.replace("12 tonnes", "21 tonnes").replace("gnp.exe", "fdp.exe"),
    }  # fmt: skip
    return {
        "id": 1919999, "uin": "119999", "tabled": date(2026, 3, 3), "due": date(2026, 3, 5), "body": "Home Office",
        "asker": "asker", "text": f"To ask about cocaine. {NASTY}", "step": [answered, corrected],
    }  # fmt: skip


@dataclass
class Stage:
    forked: Forks
    shell: Shell
    box: Mailbox
    hook: Receiver
    secret: str
    feed: str


@pytest.fixture(scope="module")
def stage(forked: Forks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("hostile")
    with (
        serve(at=START, data=Path(__file__).parent / "worlds" / "nitazenes") as replica,
        mail_server() as box,
        receiver() as hook,
    ):
        world = replica.stage.world
        people = {
            "asker": Person(95001, NAME, NASTY, NASTY),
            "minister": Person(95002, NAME, NASTY, NASTY, NASTY),
        }
        replica.stage.world = replace(
            world, people={**world.people, **people}, stories=(*world.stories, story())
        )
        shell = Shell(
            forked, folder, replica, PQWATCH_SMTP_URL=box.url, PQWATCH_MAIL_FROM="alerts@pqwatch.example"
        )
        shell.at(START).well("crawl")
        shell.at("2026-03-02T09:00Z")
        shell.well("subscribe", "cocaine", "--to", "mailto:ada@example.org", "--confirmed", "--note", NASTY.replace("\x00", ""))  # fmt: skip
        made = shell.json("subscribe", "cocaine", "--to", hook.url(), "--name", "hook")
        feed = shell.json("subscribe", "cocaine", "--to", "feed:")["feed"]
        for moment in (ANSWERED, CORRECTED):
            shell.at(moment).well("crawl")
            shell.well("alerts", "run")
        yield Stage(forked, shell, box, hook, made["secret"], feed)


@dataclass
class Tags(HTMLParser):
    """What a browser would make of a page: its tags with their attributes."""

    found: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def check_html(text: str, *, own_scripts: bool = False) -> None:
    tags = Tags()
    tags.feed(text)
    assert tags.found
    for tag, attributes in tags.found:
        if tag == "script":
            assert own_scripts, text[:200]
            assert attributes["src"].startswith("/static/")
        assert tag not in ("iframe", "img", "object", "embed", "base", "form") or (
            own_scripts and tag == "form"
        )
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "action"):
            address = re.sub(r"[\x00-\x20]", "", attributes.get(name, "/")).lower()
            assert re.match(r"(https?:|mailto:|/|#|\?)", address), (tag, address)


def hidden(text: str) -> set[str]:
    """Controls and marks that turn the direction of reading: nothing that is shown holds any."""
    return set(re.findall("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a\u202b\u202d\u202e]", text))


def parts(message: EmailMessage) -> tuple[str, str]:
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    return str(plain.get_content()), str(rich.get_content())


def test_mail_is_safe_and_readable(stage: Stage) -> None:
    mails = stage.box.of("ada@example.org")
    assert len(mails) == 2
    for message, raw in zip(mails, stage.box.raw, strict=False):
        assert message["Bcc"] is None
        assert message["To"] == "ada@example.org"
        assert "\n" not in str(message["Subject"])
        assert len(raw) < 200_000, "a table of five megabytes is no mail"
        plain, rich = parts(message)
        check_html(rich)
        assert hidden(plain + rich + str(message["Subject"])) == set()
        assert "tonnes of *cocaine*" in plain
    assert "too long for its changes to be shown here; the page has them" in parts(mails[1])[0]


def test_pages_are_safe(stage: Stage) -> None:
    with stage.shell.web() as visitor:
        assert "<del>12</del><ins>21</ins>" in visitor.get(f"/{KEY}/diff?from=1&to=2").text
        paths = [
            f"/{KEY}",
            f"/{KEY}/diff?from=1&to=2",
            "/?q=cocaine",
            "/subscribe?q=cocaine",
            "/topics/drugs",
        ]
        for path in paths:
            page = visitor.get(path)
            assert page.status_code == 200, path
            check_html(page.text, own_scripts=True)
            assert hidden(page.text) == set(), path
            assert (
                "script-src" in page.headers["content-security-policy"]
                or "default-src" in page.headers["content-security-policy"]
            )


def test_feeds_are_well_formed_and_safe(stage: Stage) -> None:
    with stage.shell.web() as visitor:
        atom = feedparser.parse(visitor.get(stage.feed).content, sanitize_html=False)
        items = visitor.get(stage.feed.replace(".atom", ".json")).json()["items"]
        found = visitor.get("/search.atom", params={"q": "cocaine"}).content
    assert not atom.bozo
    assert not feedparser.parse(found).bozo
    assert len(atom.entries) == len(items) == 2
    for text in [entry.content[0].value for entry in atom.entries] + [item["content_html"] for item in items]:
        check_html(text)
        assert hidden(text) == set()


def test_the_webhook_has_the_words_as_data(stage: Stage) -> None:
    assert len(stage.hook.calls) == 2
    for call in stage.hook.calls:
        body = Webhook(stage.secret).verify(call.body, call.headers)
        assert body["key"] == KEY
        check_html(body["answer_html"])
        (attachment,) = body["attachments"]
        assert attachment["url"] == ""
        assert hidden(attachment["title"] + attachment["type"]) == set()


def test_no_formula_and_no_torn_row_in_a_csv(stage: Stage) -> None:
    target = stage.shell.folder / "out.csv"
    stage.shell.well("export", "cocaine", "--format", "csv", "--versions", "--out", str(target))
    csv.field_size_limit(10_000_000)
    rows = list(csv.reader(io.StringIO(target.read_text(encoding="utf-8-sig"), newline="")))
    assert len(rows) == 3
    assert len({len(row) for row in rows}) == 1
    for cell in (cell for row in rows[1:] for cell in row):
        assert not cell.startswith(("=", "@", "\t", "\r")), cell[:60]
        assert not re.match(r"[+-](?![\d.]+$)", cell), cell[:60]


def test_a_terminal_is_not_written_to_by_an_answer(stage: Stage) -> None:
    for command in (
        ["show", KEY],
        ["diff", KEY],
        ["search", "cocaine"],
        ["deliveries"],
        ["subscriptions", "list"],
    ):
        assert hidden(stage.shell.well(*command)) == set(), command
    assert json.loads(stage.shell.well("show", KEY, "--json"))["state"] == "corrected"


LITERALS = [
    "https://127.0.0.1/x", "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/", "https://localhost/", "https://0x7f.1/", "https://10.0.0.1/", "http://example.org/",
    "https://user:pass@127.0.0.1/", "javascript:alert(1)", "https://example.org/\r\nHost: x",
]  # fmt: skip


def test_numeric_addresses_that_lead_inward_are_refused_at_once(stage: Stage) -> None:
    shell = outside(stage)
    for literal in LITERALS:
        done = shell("subscribe", "cocaine", "--to", literal)
        assert done.code == 2, literal
        assert done.err.count("\n") == 1


def outside(stage: Stage) -> Shell:
    """The same folder, as pqwatch is set where it faces the open internet."""
    return Shell(stage.forked, stage.shell.folder, None, PQWATCH_ALLOW_PRIVATE_HOSTS="0").at(CORRECTED)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "::ffff:127.0.0.1", "fd00::1"]
)
def test_a_name_that_leads_inward_is_refused_and_the_attempt_is_logged(stage: Stage, address: str) -> None:
    name = f"inward-{address.replace(':', '-').replace('.', '-')}.example"
    calls = len(stage.hook.calls)
    shell = outside(stage)
    shell.well("subscribe", "cocaine", "--to", f"https://{name}:{stage.hook.port}/", "--name", name)
    with shell.after(("no_way_out",), ("names", {name: [address]})):
        done = shell("webhook", "test", name)
    assert done.code == 1
    assert f"refused to connect to {name}" in done.err
    assert len(stage.hook.calls) == calls


def test_a_name_that_answers_differently_the_second_time_gains_nothing(stage: Stage) -> None:
    """What is connected to is the very address that was checked."""
    calls, shell = len(stage.hook.calls), outside(stage)
    to = f"https://rebinding.example:{stage.hook.port}/"
    shell.well("subscribe", "cocaine", "--to", to, "--name", "rebinding")
    with shell.after(("no_way_out",), ("names", {"rebinding.example": ["8.8.8.8", "127.0.0.1"]})):
        done = shell("webhook", "test", "rebinding")
    assert done.code == 1
    assert "no way to 8.8.8.8" in done.err
    assert len(stage.hook.calls) == calls


def test_a_redirect_inward_is_not_followed(stage: Stage) -> None:
    calls, before = len(stage.hook.calls), stage.hook.rule
    stage.hook.rule = lambda call: (302, {"Location": stage.hook.url("/inner")})
    done = stage.shell("webhook", "test", "hook")
    stage.hook.rule = before
    assert done.code == 1
    assert "redirects are not followed" in done.err
    assert [call.path for call in stage.hook.calls[calls:]] == ["/hook"]
