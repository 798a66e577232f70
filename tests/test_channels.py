"""One contract for all channels, then what is each one's own: SMTP answers, signatures, limits, files."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from alerts.channel import (
    Channel,
    DownError,
    Form,
    Outgoing,
    PermanentError,
    TemporaryError,
    channel_of,
    channels,
)
from alerts.channels.mail import Relay, parse_relay
from alerts.compose.letter import Item, Letter, Piece, Question, Reason, Story
from alerts.errors import AlertsError
from alerts.signing import new_webhook_secret
from tests import fakes
from tests.fakes import Mailbox, Receiver, make_setup

DRIPS = 60  # seconds for which a server sends a byte at a time, unless it is left
COMPOSED = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


def make_letter(**changes: Any) -> Letter:
    story = Story(
        key="commons/2025-02-24/34567",
        event="v2",
        number=2,
        kind="answered",
        title="Answered: Drugs: Organised Crime (Home Office)",
        word="Answered",
        heading=(Piece("Drugs: Organised Crime"),),
        facts=(("Department", "Home Office"),),
        questions=(Question("commons/2025-02-24/34567", "34567", "https://pqwatch.example/q"),),
        page="https://pqwatch.example/commons/2025-02-24/34567",
        observed_at=COMPOSED,
        shape={"key": "commons/2025-02-24/34567"},
        matched=({"part": "answer", "text": "lines", "start": 3, "end": 8},),
    )
    values: dict[str, Any] = {
        "id": "<0123456789abcdef@pqwatch.example>",
        "to": "mailto:ada@example.org",
        "sender": "alerts@pqwatch.example",
        "subject": story.title,
        "composed_at": COMPOSED,
        "items": (Item(story, (Reason(7, "lines", '"county lines"', "for the report"),)),),
        "unsubscribe": "https://pqwatch.example/unsubscribe/token",
        "public_url": "https://pqwatch.example",
        **changes,
    }
    return Letter(**values)


def outgoing(letter: Letter, **changes: Any) -> Outgoing:
    values = {"id": letter.id, "to": letter.to, "payload": channel_of(letter.to).compose(letter), **changes}
    return Outgoing(**values)


# --- the contract -------------------------------------------------------------------------------------------------

GOOD = {
    "stdout": "stdout:",
    "file": "file:///var/mail",
    "mail": "mailto:ada@example.org",
    "webhook": "https://example.org/hook",
    "feed": "feed:",
    "apprise": "ntfy://ntfy.example.org/topic",
}


@pytest.fixture(params=sorted(channels()))
def channel(request: pytest.FixtureRequest) -> Channel:
    return channels()[request.param]


def test_every_channel_is_found_and_has_an_example(channel: Channel) -> None:
    assert channel.name in GOOD


def test_its_address_is_its_own_and_canonical(channel: Channel) -> None:
    to = GOOD[channel.name]
    assert channel_of(to) is channel
    assert channel.check(to, make_setup()) == to


@pytest.mark.parametrize("tail", ["\r\nBcc: b@example.org", "\n", "\x00", " x", "\u202e"])
def test_an_address_with_controls_is_refused(channel: Channel, tail: str) -> None:
    with pytest.raises(AlertsError):
        channel.check(GOOD[channel.name] + tail, make_setup())


def test_composing_is_pure(channel: Channel) -> None:
    letter = make_letter(to=GOOD[channel.name])
    assert channel.compose(letter) == channel.compose(letter)


def test_a_payload_says_what_and_why(channel: Channel) -> None:
    payload = channel.compose(make_letter(to=GOOD[channel.name]))
    if channel.form is Form.NONE:
        assert payload == b""
        return
    for told in (b"commons/2025-02-24/34567", b"lines"):
        assert told in payload


def test_pauses_grow(channel: Channel) -> None:
    assert list(channel.pauses) == sorted(channel.pauses)
    assert channel.form is Form.NONE or len(channel.pauses) >= 5


def test_the_web_takes_only_what_it_may() -> None:
    assert {name for name, channel in channels().items() if channel.from_web} == {"mail", "webhook", "feed"}
    assert {name for name, channel in channels().items() if channel.confirm} == {"mail"}


@pytest.mark.parametrize("to", ["", "nothing", "gopher://x", "javascript:alert(1)", "data:text/html,x"])
def test_what_no_channel_takes(to: str) -> None:
    with pytest.raises(AlertsError, match="expected mailto:"):
        channel_of(to)


# --- stdout and files ---------------------------------------------------------------------------------------------


def test_stdout_prints_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    letter = make_letter(to="stdout:")
    channel_of("stdout:").sender(make_setup()).send(outgoing(letter))
    printed = capsys.readouterr().out
    assert printed.startswith("Answered: Drugs: Organised Crime (Home Office)\n")
    assert 'Why: your alert “lines” ("county lines") - for the report' in printed


def test_a_file_is_named_by_its_message_id_and_written_whole(tmp_path: Path) -> None:
    letter = make_letter(to=(tmp_path / "new" / "box").as_uri())
    sender = channel_of(letter.to).sender(make_setup())
    sender.send(outgoing(letter))
    sender.send(outgoing(letter))
    (path,) = (tmp_path / "new" / "box").iterdir()
    assert path.name == "0123456789abcdef@pqwatch.example.eml"
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["Message-ID"] == letter.id


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    letter = make_letter(to=(tmp_path / "file").as_uri())
    with pytest.raises(TemporaryError):
        channel_of(letter.to).sender(make_setup()).send(outgoing(letter))


# --- mail ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with fakes.mail_server() as server:
        yield server


def send_mail(box: Mailbox, *letters: Letter, **changes: Any) -> None:
    sender = channels()["mail"].sender(make_setup(smtp_url=box.url, **changes))
    try:
        for letter in letters:
            sender.send(outgoing(letter))
    finally:
        sender.close()


def test_a_mail_arrives_as_it_was_composed(box: Mailbox) -> None:
    letter = make_letter()
    send_mail(box, letter)
    assert box.raw == [channels()["mail"].compose(letter)]
    ((_, message),) = box.taken
    assert message["Message-ID"] == letter.id
    assert message["To"] == "ada@example.org"
    assert message["Date"].datetime == COMPOSED
    assert message["List-Unsubscribe"] == "<https://pqwatch.example/unsubscribe/token>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert html.get_content_type() == "text/html"
    for part in (text, html):
        assert "Drugs: Organised Crime" in part.get_content()
        assert "for the report" in part.get_content()


def test_one_connection_carries_several(box: Mailbox) -> None:
    send_mail(box, make_letter(), make_letter(id="<2@pqwatch.example>", to="mailto:bo@example.org"))
    assert [to for to, _ in box.taken] == ["ada@example.org", "bo@example.org"]


@pytest.mark.parametrize("stage", ["rcpt", "data"])
@pytest.mark.parametrize("answer", ["421 closing", "450 busy", "451 4.3.0 later", "452 full"])
def test_4xx_is_tried_again_and_the_next_goes_on(box: Mailbox, stage: str, answer: str) -> None:
    box.rule = lambda at, to: answer if (at, to) == (stage, "ada@example.org") else None
    sender = channels()["mail"].sender(make_setup(smtp_url=box.url))
    with pytest.raises(TemporaryError, match=answer[:3]) as caught:
        sender.send(outgoing(make_letter()))
    assert not isinstance(caught.value, DownError)
    sender.send(outgoing(make_letter(to="mailto:bo@example.org")))
    sender.close()
    assert [to for to, _ in box.taken] == ["bo@example.org"]


@pytest.mark.parametrize(
    ("stage", "answer", "dead"),
    [
        ("rcpt", "550 no such user", True),
        ("rcpt", "550 5.1.1 no such user", True),
        ("rcpt", "550 5.7.1 relay denied", False),
        ("rcpt", "554 5.7.1 relay denied", False),
        ("data", "550 content refused", False),
        ("data", "552 too big", False),
        ("data", "554 5.1.1 no such user", True),
    ],
)
def test_5xx_is_for_good(box: Mailbox, stage: str, answer: str, dead: bool) -> None:
    box.rule = lambda at, _to: answer if at == stage else None
    with pytest.raises(PermanentError, match=answer[:3]) as caught:
        send_mail(box, make_letter())
    assert caught.value.dead is dead


@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_a_server_that_hangs_costs_the_limit_and_no_more(box: Mailbox, stage: str) -> None:
    box.rule = lambda at, _to: "hang" if at == stage else None
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="no answer within the time limit"):
        send_mail(box, make_letter(), limit=2)
    assert time.monotonic() - began < DRIPS


def test_a_line_that_drops_after_data_is_tried_again(box: Mailbox) -> None:
    box.rule = lambda at, _to: "taken, then dropped" if at == "data" else None
    with pytest.raises(TemporaryError):
        send_mail(box, make_letter())
    assert len(box.taken) == 1


def test_a_server_that_is_not_there_is_down() -> None:
    with pytest.raises(DownError):
        send_mail(Mailbox(port=fakes.silent_port()), make_letter())


def test_a_greeting_of_a_byte_a_second_is_down(listener_dripping: int) -> None:
    began = time.monotonic()
    with pytest.raises(DownError):
        send_mail(Mailbox(port=listener_dripping), make_letter(), limit=2)
    assert time.monotonic() - began < DRIPS


@pytest.fixture
def listener_dripping() -> Iterator[int]:
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            sock, _ = server.accept()
            for _ in range(DRIPS * 10):
                try:
                    sock.send(b"2")
                except OSError:
                    return
                time.sleep(0.1)

        threading.Thread(target=drip, daemon=True).start()
        yield server.getsockname()[1]


def test_a_utf8_address_needs_a_server_that_takes_it(box: Mailbox) -> None:
    letter = make_letter(to="mailto:jörg@example.org")
    send_mail(box, letter)
    assert box.taken[0][0] == "jörg@example.org"
    box.utf8 = False
    with pytest.raises(PermanentError, match="SMTPUTF8"):
        send_mail(box, letter)


@pytest.mark.parametrize(
    "subject",
    [
        "A\r\nBcc: b@example.org",
        "A\nB",
        "\u202egnp.exe",
        "x" * 10_000,
        "\x00\x1b[31mred",
        "é" * 400,
        "\ud800 alone",
        "=?utf-8?q?=0D=0ABcc:_b@example.org?=",
    ],
)
def test_nothing_gets_into_the_headers(subject: str) -> None:
    letter = make_letter(subject=subject)
    message = message_from_bytes(channels()["mail"].compose(letter), policy=policy.default)
    assert message["Bcc"] is None
    assert len(message["Subject"]) <= 200
    assert not set(message["Subject"]) & set("\r\n\x00\x1b\u202e")
    assert message["To"] == "ada@example.org"


def test_lines_of_a_mail_are_short_and_end_in_crlf() -> None:
    payload = channels()["mail"].compose(make_letter(lines=("word " * 5000,)))
    assert b"\n" not in payload.replace(b"\r\n", b"")
    assert max(len(line) for line in payload.split(b"\r\n")) <= 998


def test_mail_cannot_be_subscribed_to_without_a_server() -> None:
    with pytest.raises(AlertsError, match="PQWATCH_SMTP_URL"):
        channels()["mail"].check("mailto:a@example.org", make_setup(smtp_url=""))


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("smtp://mail.example", Relay("mail.example", 25)),
        ("smtp://u%40x:p%2Fw@mail.example:2525", Relay("mail.example", 2525, user="u@x", password="p/w")),
        ("smtps://mail.example", Relay("mail.example", 465, tls=True)),
        ("smtp://mail.example?starttls=1", Relay("mail.example", 587, starttls=True)),
    ],
)
def test_smtp_urls(url: str, relay: Relay) -> None:
    assert parse_relay(url) == relay


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://x",
        "smtp://",
        "smtp://x:y",
        "smtp://x?tls=1",
        "smtp://x/y",
        "smtp://x?starttls=yes",
    ],
)
def test_what_is_no_smtp_url(url: str) -> None:
    with pytest.raises(AlertsError, match="the SMTP URL cannot be read"):
        parse_relay(url)


# --- webhooks -----------------------------------------------------------------------------------------------------


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with fakes.receiver() as server:
        yield server


SECRET = new_webhook_secret()


def post(hook: Receiver, **changes: Any) -> None:
    letter = make_letter(id="msg_1", to=hook.url())
    channels()["webhook"].sender(make_setup(**changes)).send(outgoing(letter, secret=SECRET))


def test_a_webhook_is_signed_as_its_library_checks(hook: Receiver) -> None:
    post(hook)
    (call,) = hook.calls
    body = Webhook(SECRET).verify(call.body, call.headers)
    assert body["event"] == "v2"
    assert body["version"] == 2
    assert body["subscription"] == {"id": 7, "name": "lines"}
    assert body["matched"] == [{"part": "answer", "text": "lines", "start": 3, "end": 8}]
    assert body["key"] == "commons/2025-02-24/34567"
    assert call.headers["webhook-id"] == "msg_1"
    assert call.headers["content-type"] == "application/json"


def test_a_changed_body_is_not_verified(hook: Receiver) -> None:
    post(hook)
    (call,) = hook.calls
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(call.body.replace(b"v2", b"v3"), call.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + base64.b64encode(b"another").decode()).verify(call.body, call.headers)


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 404, 429, 500, 503])
def test_what_is_not_2xx_is_tried_again_and_no_redirect_followed(hook: Receiver, status: int) -> None:
    hook.rule = lambda _call: (status, {"Location": hook.url("/elsewhere")})
    with pytest.raises(TemporaryError, match=f"HTTP {status}"):
        post(hook)
    assert [call.path for call in hook.calls] == ["/hook"]


def test_retry_after_is_heard(hook: Receiver) -> None:
    hook.rule = lambda _call: (503, {"Retry-After": "120"})
    with pytest.raises(TemporaryError) as caught:
        post(hook)
    assert caught.value.after == 120


def test_gone_is_for_good(hook: Receiver) -> None:
    hook.rule = lambda _call: (410, {})
    with pytest.raises(PermanentError, match="gone") as caught:
        post(hook)
    assert caught.value.dead


def test_an_answer_of_a_gigabyte_is_not_read(hook: Receiver) -> None:
    def flood(file: Any) -> None:
        file.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _ in range(1024):
            file.write(b"x" * 1048576)
            written.append(1)

    written: list[int] = []
    hook.body = flood
    post(hook)
    assert len(written) < 100


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200", b""])
def test_a_byte_a_second_costs_the_limit_and_no_more(hook: Receiver, head: bytes) -> None:
    def drip(file: Any) -> None:
        file.write(head)
        for _ in range(DRIPS * 10):
            file.write(b"x")
            file.flush()
            time.sleep(0.1)

    hook.body = drip
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="no answer within the time limit"):
        post(hook, limit=2)
    assert time.monotonic() - began < DRIPS


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000])
def test_an_answer_that_is_no_http_is_tried_again(hook: Receiver, answer: bytes) -> None:
    hook.body = lambda file: file.write(answer)
    with pytest.raises(TemporaryError):
        post(hook)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_private_receiver_is_refused_at_the_connection(hook: Receiver, host: str) -> None:
    letter = make_letter(id="msg_1", to=f"http://{host}:{hook.port}/hook")
    sender = channels()["webhook"].sender(make_setup(allow_private_hosts=False))
    with pytest.raises(TemporaryError, match="refused"):
        sender.send(outgoing(letter, secret=SECRET))
    assert hook.calls == []


def test_plain_http_and_numeric_private_hosts_are_refused_when_subscribing() -> None:
    check = channels()["webhook"].check
    closed = make_setup(allow_private_hosts=False)
    for to in (
        "http://example.org/",
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
    ):
        with pytest.raises(AlertsError):
            check(to, closed)
    assert check("https://example.org/", closed) == "https://example.org/"
    assert check("http://127.0.0.1:9/", make_setup()) == "http://127.0.0.1:9/"


def test_a_body_is_one_json_document() -> None:
    payload = channels()["webhook"].compose(make_letter())
    assert set(json.loads(payload)) == {"key", "event", "version", "kind", "matched", "subscription"}


# --- chat and push ------------------------------------------------------------------------------------------------


def chat(to: str, **changes: Any) -> None:
    letter = make_letter(id="msg_2", to=to)
    channels()["apprise"].sender(make_setup(**{"limit": 20.0, **changes})).send(outgoing(letter))


SERVICES = {
    "ntfy": ("ntfy://127.0.0.1:{port}/topic", "/topic", "message"),
    "gotify": ("gotify://127.0.0.1:{port}/AbCdEfGhIjKlMnO", "/message", "message"),
    "mattermost": ("mmost://127.0.0.1:{port}/3ccdd113474722377935511fc85d3dd4", "/hooks/", "text"),
    "home assistant": ("hassio://127.0.0.1:{port}/abcdef0123456789", "/api/services/", "message"),
}


@pytest.mark.parametrize("service", SERVICES)
def test_services_get_what_happened(hook: Receiver, service: str) -> None:
    to, path, name = SERVICES[service]
    chat(to.format(port=hook.port))
    told = [call for call in hook.calls if path in call.path or call.path == "/"]
    assert told
    body = json.loads(told[0].body)
    assert "Drugs: Organised Crime" in json.dumps(body)
    assert "your alert" in body[name]


def test_a_service_that_refuses_is_tried_again(hook: Receiver) -> None:
    hook.rule = lambda _call: (503, {})
    with pytest.raises(TemporaryError):
        chat(f"ntfy://127.0.0.1:{hook.port}/topic")


def test_a_service_on_a_private_host_is_never_reached(hook: Receiver) -> None:
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(TemporaryError, match="refused"):
            chat(f"ntfy://{host}:{hook.port}/topic", allow_private_hosts=False)
    assert hook.calls == []
    with socket.socket(type=socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        with pytest.raises(TemporaryError, match="refused"):
            chat(f"rsyslog://127.0.0.1:{listener.getsockname()[1]}", allow_private_hosts=False)
        with pytest.raises(BlockingIOError):
            listener.recv(1)


@pytest.mark.parametrize(
    "to",
    [
        "mailtos://u:p@example.org", "json://example.org", "jsons://example.org", "xml://example.org", "form://example.org",
        "dbus://", "syslog://", "windows://", "gnome://", "macosx://",
    ],
)  # fmt: skip
def test_mail_custom_http_and_local_plugins_are_refused(to: str) -> None:
    with pytest.raises(AlertsError):
        channel_of(to).check(to, make_setup())


@pytest.mark.parametrize(
    "to", ["slack://x", "ntfy://127.0.0.1/topic", "ntfy://h.example/t?template=/etc/hostname"]
)
def test_chat_addresses_that_cannot_serve(to: str) -> None:
    with pytest.raises(AlertsError):
        channels()["apprise"].check(to, make_setup(allow_private_hosts=False))
