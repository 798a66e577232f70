"""`mailto:` sends over SMTP: `smtp://user:pass@host:port`, `smtps://`, `?starttls=1`.

4xx and lost lines are tried again, 5xx is for good. A line that drops after DATA may mean that the message was taken:
it is sent again with the same Message-ID.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from alerts.address import AddressError, mail_address
from alerts.channel import Channel, DownError, Outgoing, PermanentError, TemporaryError
from alerts.compose.mail import NOWHERE, letter_mail
from alerts.deadline import Watchdog
from alerts.errors import AlertsError
from alerts.setup import Setup

_DEAD = re.compile(rb"\b5\.(1\.[0-9]+|2\.1)\b")  # enhanced codes (RFC 3463) that speak of the address itself
_ENHANCED = re.compile(rb"^\s*[245]\.\d{1,3}\.\d{1,3}\b")
_DEAD_CODES = frozenset({550, 551, 553})


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail is handed in."""

    host: str
    port: int
    tls: bool = False
    starttls: bool = False
    user: str | None = None
    password: str = ""


def parse_relay(url: str) -> Relay:
    """Reads `PQWATCH_SMTP_URL`. Raises AlertsError that names what is wrong, without the password."""
    try:
        parts = urlsplit(url)
        options = parse_qs(parts.query, strict_parsing=True, keep_blank_values=True) if parts.query else {}
        port = parts.port
    except ValueError as error:
        raise AlertsError(f"the SMTP URL cannot be read: {error}") from error
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        raise AlertsError("the SMTP URL cannot be read: expected smtp://user:pass@host:port or smtps://…")
    if set(options) - {"starttls"} or options.get("starttls", ["0"]) not in (["0"], ["1"]):
        raise AlertsError(f"the SMTP URL cannot be read: {parts.query!r}: expected starttls=1")
    tls = parts.scheme == "smtps"
    starttls = options.get("starttls") == ["1"]
    usual = 465 if tls else 587 if starttls else 25
    user = unquote(parts.username) if parts.username else None
    return Relay(parts.hostname, port or usual, tls, starttls, user, unquote(parts.password or ""))


class MailSender:
    """Keeps one connection while the server is content with it."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._smtp: smtplib.SMTP | None = None

    def send(self, outgoing: Outgoing) -> None:
        recipient = mail_address(outgoing.to)
        smtp = self._smtp or self._open()
        self._smtp = smtp
        with self._guarded(smtp):
            self._hand_over(smtp, recipient, outgoing.payload)

    def close(self) -> None:
        if self._smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
        self._drop()

    def _open(self) -> smtplib.SMTP:
        if not self._setup.smtp_url:
            raise DownError("no mail can be sent: PQWATCH_SMTP_URL is not set")
        relay = parse_relay(self._setup.smtp_url)
        try:
            return _connect(relay, self._setup.limit)
        except (OSError, smtplib.SMTPException, TemporaryError, PermanentError) as error:
            raise DownError(f"{relay.host}:{relay.port}: {_said(error)}") from error

    @contextlib.contextmanager
    def _guarded(self, smtp: smtplib.SMTP) -> Iterator[None]:
        """Keeps the time limit, and forgets the connection after anything that leaves it in doubt."""
        try:
            with Watchdog(smtp.sock, self._setup.limit):
                yield
        except (PermanentError, TemporaryError):
            self._reset(smtp)
            raise
        except smtplib.SMTPResponseException as error:
            self._reset(smtp)
            raise _refusal(error, at_recipient=False) from error
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise TemporaryError(_said(error)) from error

    def _hand_over(self, smtp: smtplib.SMTP, recipient: str, payload: bytes) -> None:
        options = []
        if not recipient.isascii():
            if not smtp.has_extn("smtputf8"):
                raise PermanentError("the mail server does not take addresses beyond ASCII (SMTPUTF8)")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        _expect(smtp.mail(self._setup.mail_from or NOWHERE, options))
        _expect(smtp.rcpt(recipient), at_recipient=True)
        _expect(smtp.data(payload))

    def _reset(self, smtp: smtplib.SMTP) -> None:
        try:
            code, _ = smtp.rset()
        except (OSError, smtplib.SMTPException):
            code = 421
        if code != 250:
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None


class _Plain(smtplib.SMTP):
    """Lets the watchdog see the socket before the first word is read from it."""

    dog: Watchdog
    _host: str  # the name that TLS checks; given to the constructor it would connect unwatched

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self.dog.watch(sock)
        return sock


class _Tls(_Plain, smtplib.SMTP_SSL):
    """The same over TLS from the first byte; `_get_socket` of SMTP_SSL wraps what is connected."""


def _connect(relay: Relay, limit: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    smtp = _Tls(timeout=limit, context=context) if relay.tls else _Plain(timeout=limit)
    smtp.dog = Watchdog(None, limit)
    smtp._host = relay.host  # noqa: SLF001 - ours: declared above
    try:
        with smtp.dog:
            code, words = smtp.connect(relay.host, relay.port)
            _expect((code, words))
            _greet(smtp, relay, context, smtp.dog)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _greet(smtp: smtplib.SMTP, relay: Relay, context: ssl.SSLContext, dog: Watchdog) -> None:
    smtp.ehlo_or_helo_if_needed()
    if relay.starttls:
        smtp.starttls(context=context)
        if smtp.sock is not None:
            dog.watch(smtp.sock)
        smtp.ehlo()
    if relay.user is not None:
        smtp.login(relay.user, relay.password)


def _expect(answer: tuple[int, bytes], *, at_recipient: bool = False) -> None:
    code, words = answer
    if not 200 <= code < 300:
        raise _refusal(smtplib.SMTPResponseException(code, words), at_recipient=at_recipient)


def _refusal(error: smtplib.SMTPResponseException, *, at_recipient: bool) -> TemporaryError | PermanentError:
    code, words = error.smtp_code, error.smtp_error
    raw = words if isinstance(words, bytes) else words.encode()
    if not 500 <= code < 600:
        return TemporaryError(_said(error))
    named = _DEAD.search(raw) is not None
    plain = code in _DEAD_CODES and _ENHANCED.match(raw) is None
    return PermanentError(_said(error), dead=named or (at_recipient and plain))


def _cut_off_by_time(error: Exception) -> bool:
    """smtplib tells of a reply that did not come in time as of a lost connection, and keeps the cause."""
    return isinstance(error, smtplib.SMTPServerDisconnected) and (
        isinstance(error.__context__, TimeoutError) or "timed out" in str(error)
    )


def _said(error: Exception) -> str:
    if isinstance(error, TimeoutError) or _cut_off_by_time(error):
        return "no answer within the time limit"
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        text = words.decode(errors="replace") if isinstance(words, bytes) else words
        return " ".join(f"{error.smtp_code} {text}".split())[:300]
    if isinstance(error, AlertsError):
        return str(error)
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def check(text: str, setup: Setup) -> str:
    if not setup.smtp_url:
        raise AddressError("mail cannot be subscribed to: PQWATCH_SMTP_URL is not set")
    return f"mailto:{mail_address(text)}"


CHANNEL = Channel(
    name="mail",
    claims=lambda scheme: scheme == "mailto",
    check=check,
    compose=letter_mail,
    sender=MailSender,
    confirm=True,
    from_web=True,
    network=True,
    pauses=(60.0, 300.0, 900.0, 3600.0, 10800.0, 21600.0, 43200.0, 86400.0, 86400.0),
)
