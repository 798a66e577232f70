"""A letter as a mail: text and HTML, headers that nothing can be smuggled into. Pure: the same letter, the same bytes."""

from __future__ import annotations

import binascii
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from alerts.address import mail_address
from alerts.compose.clean import one_line, safe_link
from alerts.compose.html import letter_html
from alerts.compose.letter import Letter
from alerts.compose.text import letter_text

_LONGEST_LINK = 900
"""Characters of an address that a header line can hold (998 at most, RFC 5322); a longer one stands in the body alone."""

NOWHERE = "pqwatch@localhost"
"""The sender where no `PQWATCH_MAIL_FROM` is set: `.eml` files need one too."""


def letter_mail(letter: Letter) -> bytes:
    """The whole message with CRLF line ends, as it goes over the wire."""
    boundary = f"={letter.id.strip('<>').partition('@')[0]}="
    parts = (_part("plain", letter_text(letter)), _part("html", letter_html(letter)))
    body = b"".join(b"--%s\r\n%s" % (boundary.encode(), part) for part in parts)
    return _head(letter, boundary) + body + b"--%s--\r\n" % boundary.encode()


def _head(letter: Letter, boundary: str) -> bytes:
    to = mail_address(letter.to) if letter.to.startswith("mailto:") else None
    policy = SMTP if to is None or to.isascii() else SMTPUTF8
    message = EmailMessage(
        policy=policy.clone(max_line_length=900)
    )  # folded, a long subject would begin with a space
    message["From"] = Address("pqwatch", addr_spec=letter.sender or NOWHERE)
    message["To"] = _recipient(to) if to else "undisclosed-recipients:;"
    message["Subject"] = _no_encoded_word(one_line(letter.subject))
    message["Message-ID"] = letter.id
    return message.as_bytes().removesuffix(b"\r\n") + _plain_headers(letter, boundary)


def _plain_headers(letter: Letter, boundary: str) -> bytes:
    """Headers that hold only our own ASCII: the library takes its time to parse them, would encode a long address, and
    begin the parts by itself."""
    headers = [
        f"Date: {format_datetime(letter.composed_at)}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    link = safe_link(letter.unsubscribe)
    if link and link.isascii() and len(link) <= _LONGEST_LINK:
        headers += [f"List-Unsubscribe: <{link}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    return "\r\n".join([*headers, "", ""]).encode()


def _no_encoded_word(text: str) -> str:
    """The library reads `=?utf-8?q?=0D=0A…?=` in a value as what it encodes, line ends among it."""
    return text.replace("=?", "= ?")


def _recipient(address: str) -> Address | str:
    """The library takes no address beyond ASCII as an object; `mail_address` has checked every character."""
    return Address(addr_spec=address) if address.isascii() else address


def _part(subtype: str, text: str) -> bytes:
    """One alternative, quoted-printable: readable in the raw file and safe on every server."""
    encoded = (
        binascii.b2a_qp(text.encode(errors="replace"), istext=True)
        .replace(b"\r\n", b"\n")
        .replace(b"\n", b"\r\n")
    )
    return (
        b'Content-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%s\r\n'
        % (subtype.encode(), encoded)
    )
