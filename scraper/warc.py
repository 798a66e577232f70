"""Records of a WARC file, one gzip member each: cut out, taken apart, put together. warcio knows the format."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecordLoader
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParserException
from warcio.warcwriter import WARCWriter

_CHUNK = 256 * 1024
_GZIP = b"\x1f\x8b\x08"
_GZIP_BITS = 31  # zlib's way to say "a gzip member"
_LEVEL = 6  # 9 takes twice the time for one per cent


@dataclass(frozen=True, slots=True)
class WarcRecord:
    """One record: its type, its WARC headers and HTTP headers by lower-case name, the HTTP status, the payload."""

    type: str
    warc: Mapping[str, str]
    status: int
    http: Mapping[str, str]
    payload: bytes


class _UncheckedLoader(ArcWarcRecordLoader):  # type: ignore[misc]  # warcio has no types
    """The payload's digest is checked by whoever compares it with a PageRef."""


def encode(
    type_: str,
    url: str,
    warc: Mapping[str, str],
    *,
    status: str = "",
    http: list[tuple[str, str]] | None = None,
    payload: bytes = b"",
) -> bytes:
    """One record as a gzip member. `status` is such as "200 OK"; a record without HTTP headers is a bare block."""
    out = BytesIO()
    writer = WARCWriter(out, gzip=False, warc_version="WARC/1.1")
    headers = StatusAndHeaders(status, http, protocol="HTTP/1.1") if http is not None else None
    digests = _digests(headers, payload, type_)
    body = BytesIO(payload)
    record = writer.create_warc_record(
        url,
        type_,
        payload=body,
        length=len(payload),
        http_headers=headers,
        warc_headers_dict={**digests, **warc},
    )
    writer.write_record(record)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_BITS)
    return packer.compress(out.getvalue()) + packer.flush()


def _digests(headers: StatusAndHeaders | None, payload: bytes, type_: str) -> dict[str, str]:
    """Both digests are of SHA-256 here, so that warcio need not work out its SHA-1 a second time."""
    if headers is None:
        return {"WARC-Block-Digest": f"sha256:{hashlib.sha256(payload).hexdigest()}"}
    headers.compute_headers_buffer(None)
    block = hashlib.sha256(headers.headers_buff)
    if type_ == "revisit":
        return {"WARC-Block-Digest": f"sha256:{block.hexdigest()}"}
    block.update(payload)
    return {
        "WARC-Payload-Digest": f"sha256:{hashlib.sha256(payload).hexdigest()}",
        "WARC-Block-Digest": f"sha256:{block.hexdigest()}",
    }


def decode(member: bytes) -> WarcRecord | None:
    """The record in an unpacked member, or None where it is no whole record."""
    return _decode_plain(member) or _decode_any(member)


def _decode_plain(member: bytes) -> WarcRecord | None:
    """A record as we write them ourselves, at a fifth of the cost; None for all that is in any way unusual."""
    head, _, block = member.partition(_END)
    headers = _plain_headers(head)
    if headers is None or not head.startswith(b"WARC/1."):
        return None
    warc = {name.lower(): value for name, value in headers}
    length = warc.get("content-length", "")
    if not length.isdigit() or len(block) != int(length) + len(_END) or not block.endswith(_END):
        return None
    type_, block = warc.get("warc-type", ""), block[: -len(_END)]
    if type_ in ("metadata", "warcinfo"):
        return WarcRecord(type_, warc, 0, {}, block)
    if type_ not in ("response", "revisit") or not warc.get("content-type", "").startswith(_HTTP):
        return None
    answer, found, payload = block.partition(_END)
    http, status = _plain_headers(answer), answer[:13].split(b" ")
    if (
        http is None
        or not found
        or len(status) < 2
        or not status[0].startswith(b"HTTP/")
        or not warc.get(_URI, "").startswith("http")
    ):
        return None
    if len(status[1]) != 3 or not status[1].isdigit():
        return None
    return WarcRecord(type_, warc, int(status[1]), joined(http), payload)


_END = b"\r\n\r\n"
_HTTP, _URI = "application/http", "warc-target-uri"


def _plain_headers(head: bytes) -> list[tuple[str, str]] | None:
    """Names and values below the first line; None where they are not ASCII, run over several lines or have no colon."""
    if not head.isascii() or head.count(b"\n") != head.count(b"\r\n"):
        return None
    headers = []
    for line in head.decode("ascii").split("\r\n")[1:]:
        name, colon, value = line.rstrip().partition(":")
        if not colon or line[:1] in " \t":
            return None
        headers.append((name.rstrip(" \t"), value.lstrip()))
    return headers


def _decode_any(member: bytes) -> WarcRecord | None:
    try:
        record = _UncheckedLoader().parse_record_stream(BytesIO(member), known_format="warc")
        payload = record.raw_stream.read()
        whole = int(record.rec_headers.get_header("Content-Length")) + 4 <= len(member)
    except (ArchiveLoadFailed, StatusAndHeadersParserException, ValueError, TypeError, EOFError):
        return None
    if not whole:
        return None
    http = record.http_headers
    return WarcRecord(
        record.rec_type,
        {name.lower(): value for name, value in record.rec_headers.headers},
        int(http.get_statuscode()) if http is not None and http.get_statuscode().isdigit() else 0,
        joined(http.headers) if http is not None else {},
        payload,
    )


def joined(headers: list[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; several of one name are parted by commas."""
    by_name: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        by_name[name] = f"{by_name[name]}, {value}" if name in by_name else value
    return by_name


def record_at(file: BinaryIO, offset: int) -> WarcRecord | None:
    """The record whose gzip member begins at `offset`, or None where there is no whole one."""
    for start, record in records(file, offset):
        return record if start == offset else None
    return None


def packed_at(file: BinaryIO, offset: int) -> bytes | None:
    """The bytes of the gzip member that begins at `offset`, exactly as they were written, or None."""
    file.seek(offset)
    length, unpacked, _ = _member(file, file.read(_CHUNK))
    if unpacked is None:
        return None
    file.seek(offset)
    return file.read(length)


def records(file: BinaryIO, offset: int = 0) -> Iterator[tuple[int, WarcRecord]]:
    """Every whole record from `offset` on, with its own offset. What is cut off or spoilt is left out: the next
    member that can be read goes on."""
    file.seek(offset)
    rest = b""
    while rest or (rest := file.read(_CHUNK)):
        packed, unpacked, rest = _member(file, rest)
        record = decode(unpacked) if unpacked is not None else None
        if record is not None:
            yield offset, record
            offset += packed
            continue
        skipped, rest = _to_next_member(file, rest)
        offset += packed + skipped


def _member(file: BinaryIO, rest: bytes) -> tuple[int, bytes | None, bytes]:
    """Length of the member at the front, its content (None: spoilt or cut off), and what was read behind it.

    Of a spoilt member the first byte alone counts as read, so that the search for the next goes on behind it."""
    unpacker = zlib.decompressobj(_GZIP_BITS)
    parts: list[bytes] = []
    read = 0
    chunk = rest
    try:
        while True:
            parts.append(unpacker.decompress(chunk))
            read += len(chunk)
            if unpacker.eof:
                return read - len(unpacker.unused_data), b"".join(parts), unpacker.unused_data
            chunk = file.read(_CHUNK)
            if not chunk:
                return 1, None, rest[1:] if read == len(rest) else _back(file, read - 1)
    except zlib.error:
        return 1, None, rest[1:] if not read else _back(file, read + len(chunk) - 1)


def _back(file: BinaryIO, count: int) -> bytes:
    """Give `count` bytes back: they are read again in pieces."""
    file.seek(-count, 1)
    return file.read(_CHUNK)


def _to_next_member(file: BinaryIO, rest: bytes) -> tuple[int, bytes]:
    """How many bytes lie before the next mark of a gzip member, and what follows from there on."""
    skipped = 0
    while True:
        found = rest.find(_GZIP)
        if found >= 0:
            return skipped + found, rest[found:]
        keep = rest[-2:]
        chunk = file.read(_CHUNK)
        if not chunk:
            return skipped + len(rest), b""
        skipped += len(rest) - len(keep)
        rest = keep + chunk
