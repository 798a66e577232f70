"""Addresses of `--to`, as typed by anybody: what is one, in its canonical form. Pure, no look-ups."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, urlsplit

from alerts.errors import AlertsError

_ATOM = re.compile(
    r"[A-Za-z0-9!#$&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+(\.[A-Za-z0-9!#$&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+)*"
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_URL = 2000


class AddressError(AlertsError):
    """An address that cannot be written to; the message says why."""


def mail_address(text: str) -> str:
    """The one mail address of a `mailto:` URL, its domain in lower-case ASCII (IDNA). Raises AddressError.

    Exactly one recipient, no headers (`?subject=…`), at most 254 octets (RFC 5321), no control characters.
    """
    address = unquote(re.sub("(?i)^mailto:", "", text))
    _no_controls(address)
    if "?" in text or "," in address or ";" in address or address.count("@") != 1:
        raise AddressError(f"{_short(text)}: expected one mail address, such as mailto:a@example.org")
    local, _, domain = address.partition("@")
    if not _ATOM.fullmatch(local) or "=?" in local or len(local.encode()) > 64:
        raise AddressError(f"{_short(text)}: the part before the @ cannot be read")
    whole = f"{local}@{_domain(domain, text)}"
    if len(whole.encode()) > 254:
        raise AddressError(f"{_short(text)}: a mail address has at most 254 characters")
    return whole


def web_address(text: str, schemes: tuple[str, ...]) -> str:
    """A URL that may be posted to, as typed. Raises AddressError."""
    _no_controls(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise AddressError(f"{_short(text)}: {error}") from error
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise AddressError(f"{_short(text)}: expected {schemes[0]}://host/path")
    if parts.username is not None or parts.password is not None:
        raise AddressError(f"{parts.hostname}: leave user and password out of the address")
    if len(text) > _LONGEST_URL:
        raise AddressError(f"{_short(text)}: longer than {_LONGEST_URL} characters")
    return text


def file_folder(text: str) -> str:
    """The absolute folder of a `file:///folder` URL. Raises AddressError."""
    _no_controls(text)
    parts = urlsplit(text)
    folder = unquote(parts.path)
    _no_controls(folder.replace(" ", ""))
    if parts.netloc not in ("", "localhost") or not folder.startswith("/") or parts.query or parts.fragment:
        raise AddressError(f"{_short(text)}: expected file:///folder")
    return folder


def masked(to: str) -> str:
    """The address as shown where many may look: user, password, tokens and query of a URL left out."""
    if to.startswith(("mailto:", "file:", "stdout:", "feed:")):
        return to
    parts = urlsplit(to)
    return f"{parts.scheme}://{parts.hostname or '…'}/…"


def _domain(domain: str, text: str) -> str:
    try:
        ascii_form = domain.encode("idna").decode().lower()
    except UnicodeError as error:
        raise AddressError(f"{_short(text)}: the domain cannot be read") from error
    labels = ascii_form.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressError(f"{_short(text)}: the domain cannot be read")
    return ascii_form


def _no_controls(text: str) -> None:
    if any(c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text):
        raise AddressError(f"{_short(text)}: an address holds no spaces, line ends or control characters")


def _short(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:77] + "...")
