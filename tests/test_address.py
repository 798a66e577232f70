"""Addresses as anybody may type them, and hosts that must not be reached."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from alerts import guard
from alerts.address import AddressError, file_folder, mail_address, masked, web_address
from alerts.guard import RefusedHostError, check_literal, connect, is_public


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("mailto:a@example.org", "a@example.org"),
        ("mailto:A.b+c@Example.ORG", "A.b+c@example.org"),
        ("mailto:a%2Bb@example.org", "a+b@example.org"),
        ("mailto:jörg@example.org", "jörg@example.org"),
        ("mailto:a@bücher.example", "a@xn--bcher-kva.example"),
        ("mailto:root@localhost", "root@localhost"),
    ],
)
def test_mail_addresses(text: str, address: str) -> None:
    assert mail_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "mailto:",
        "mailto:a",
        "mailto:a@",
        "mailto:@example.org",
        "mailto:a@b@example.org",
        "mailto:a@example.org,b@example.org",
        "mailto:a@example.org;b@example.org",
        "mailto:a@example.org?bcc=b@example.org",
        "mailto:a@example.org%0D%0ABcc:b@example.org",
        "mailto:a\n@example.org",
        "mailto:a b@example.org",
        "mailto:a\u202e@example.org",
        "mailto:<a@example.org>",
        'mailto:"a b"@example.org',
        "mailto:.a@example.org",
        "mailto:=?utf-8?q?=0D=0ABcc:b?=@example.org",
        "mailto:a..b@example.org",
        "mailto:a@-example.org",
        "mailto:a@exa_mple.org",
        "mailto:a@example..org",
        "mailto:" + "a" * 65 + "@example.org",
        "mailto:" + "é" * 33 + "@example.org",
        "mailto:a@" + ".".join(["b" * 60] * 7) + ".org",
    ],
)
def test_what_is_no_mail_address(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        mail_address(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org/",
        "https://",
        "https://user:pass@example.org/",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://exa mple.org/",
        "https://example.org/\r\nX: y",
        "https://[::1/",
        "ftp://example.org/",
        "https://example.org/" + "a" * 2000,
    ],
)
def test_what_is_no_webhook(text: str) -> None:
    with pytest.raises(AddressError):
        web_address(text, ("https",))


@pytest.mark.parametrize(
    "text", ["file://host/x", "file:relative", "file:///x?y", "file:///x\n", "file:///%00"]
)
def test_what_is_no_folder(text: str) -> None:
    with pytest.raises(AddressError):
        file_folder(text)


def test_a_folder_may_hold_spaces_as_a_url_writes_them() -> None:
    assert file_folder("file:///var/my%20mail") == "/var/my mail"


def test_a_masked_address_tells_no_secret() -> None:
    assert masked("https://u:p@example.org/token?x=1") == "https://example.org/…"
    assert masked("mailto:a@example.org") == "mailto:a@example.org"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1",
        "fec0::1", "2001:db8::1", "no address",
    ],
)  # fmt: skip
def test_what_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111"])
def test_what_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "127.1", "0x7f.1", "2130706433", "[::1]", "10.1", "0"]
)
def test_literal_hosts_that_lead_inward(host: str) -> None:
    with pytest.raises(RefusedHostError):
        check_literal(host, allow_private=False)
    check_literal(host, allow_private=True)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_name_that_resolves_inward_is_never_connected_to(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.settimeout(0.2)
    with pytest.raises(RefusedHostError, match=r"localhost resolves to .*refused"):
        connect("localhost", port, 2, allow_private=False)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_a_name_that_changes_its_answer_between_check_and_connect_gains_nothing(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer that was checked is the one that is connected to: there is no second look-up."""
    answers = iter(["198.51.100.7", "127.0.0.1"])
    asked = []

    def rebinding(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(guard.socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(guard, "is_public", lambda address: address == "198.51.100.7")
    listener.settimeout(0.2)
    with pytest.raises(OSError):  # noqa: PT011 - a time-out or an unreachable network, as the machine has it
        connect("rebind.example", listener.getsockname()[1], 0.3, allow_private=False)
    assert asked == ["rebind.example"]
    with pytest.raises(TimeoutError):
        listener.accept()


def test_where_private_hosts_are_allowed_they_are_reached(listener: socket.socket) -> None:
    threading.Thread(target=listener.accept, daemon=True).start()
    connect("127.0.0.1", listener.getsockname()[1], 2, allow_private=True).close()
