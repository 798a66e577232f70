"""The evidence pack of one question: the responses behind every version, the versions, their differences, and hashes.

A ZIP file of these members, each listed in `SHA256SUMS` (the format of `sha256sum`):

    README.txt           what this is, and how to check it with common tools
    citation.txt         how to cite the question and its versions
    question.json        the `show` shape with every version
    versions/NN.json     one version whole, with the SHA-256 of the response it was read from
    diffs/MM-NN.txt      the words that differ between two versions
    index.html           all of it to read off-line, without scripts
    responses.warc.gz    the records of the archive, byte for byte
"""

from __future__ import annotations

import hashlib
import io
import itertools
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from pqwatch.evidence_page import page
from scraper.archive import Archive, ArchiveError
from scraper.warc import records
from storage.content import content_to_json
from storage.diff import as_text, fields, words
from storage.records import PqwatchError, Record, Version
from storage.shape import time_to_json, to_shape, url_of

SUMS = "SHA256SUMS"
WARC = "responses.warc.gz"
_UNREADABLE = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    RuntimeError,
)  # what zipfile raises on a file that is none, is cut, has a byte changed, or is encrypted
_LIMIT = 1 << 30  # bytes of one member when unpacked: no pack of one question is near it

README = """This is an evidence pack made by pqwatch: everything held about one parliamentary question.

  question.json      the question with every version that was observed
  versions/          each version whole; page_sha256 names the response it was read from
  diffs/             the words removed and added from version to version
  responses.warc.gz  the responses of the sources, exactly as archived when they were fetched (WARC 1.1)
  index.html         all of it to read in a browser, off-line
  citation.txt       how to cite it
  SHA256SUMS         SHA-256 of every other file

To check it with common tools:

  unzip pack.zip -d pack && cd pack
  sha256sum -c SHA256SUMS
  zcat responses.warc.gz | less        (or any WARC reader, such as warcio: `warcio check responses.warc.gz`)

The WARC-Payload-Digest of each response is `sha256:` and the page_sha256 of the versions that rest on it. WARC-Date is
the time at which the response was received. Later disappearance of a page at its source proves nothing by itself.

`pqwatch verify pack.zip` makes the same checks, and that every version rests on a response in the pack.
"""


class EvidenceError(PqwatchError):
    """A pack that cannot be made or read."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: the question, what was checked, and every fault in words."""

    key: str | None
    files: int
    versions: int
    responses: int
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.faults


def make(record: Record, archive: Archive, *, now: datetime) -> bytes:
    """The pack of `record`, whose versions are filled. Raises ArchiveError where a response is gone."""
    shape = to_shape(record, versions=True)
    members: dict[str, bytes] = {
        "README.txt": README.encode(),
        "citation.txt": citation(record, now=now).encode(),
        "question.json": _json(shape),
        **{f"versions/{each.number:02}.json": _json(_whole(each)) for each in record.versions},
        **{name: text.encode() for name, text in _diffs(record.versions)},
        "index.html": page(record, citation(record, now=now)).encode(),
        WARC: _responses(record.versions, archive),
    }
    members[SUMS] = "".join(f"{_sha256(body)}  {name}\n" for name, body in members.items()).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, body in members.items():
            info = zipfile.ZipInfo(name, now.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            pack.writestr(info, body)
    return out.getvalue()


def reference(record: Record) -> str:
    """How to cite the question: two lines, the second its address."""
    content = record.content
    asker = content.asking_member.name if content.asking_member else "asking Member not known"
    minister = (
        f"answered by {content.answering_member.name}" if content.answering_member else "no answer seen"
    )
    body = content.answering_body.name if content.answering_body else "answering body not known"
    house = f"House of {content.house}" if content.house in {"Commons", "Lords"} else str(content.house or "")
    number = f", UIN {content.uin}" if content.uin else ""
    tabled = f", tabled on {_day(content.tabled_on)}" if content.tabled_on else ""
    answered = f" on {_day(content.answered_on)}" if content.answered_on else ""
    heading = content.heading or "no heading given"
    cited = f"{asker}, written question to {body}: {heading}{number}{tabled}, {minister}{answered}. {house}."
    return f"{cited}\n{url_of(record) or record.key}"


def citation(record: Record, *, now: datetime) -> str:
    """How to cite the question, its versions and this pack."""
    lines = [
        reference(record),
        "",
        "Versions observed:",
        *(
            f"  {each.number}  {each.kind:<12} seen {time_to_json(each.observed_at)} at {each.source}, "
            f"response SHA-256 {each.page.sha256}"
            for each in record.versions
        ),
        "",
        f"Packed by pqwatch on {time_to_json(now)}.",
        "Contains Parliamentary information licensed under the Open Parliament Licence v3.0.",
    ]
    return "\n".join(lines) + "\n"


def verify(pack: Path) -> Verdict:
    """Check hashes, completeness, and that each version rests on a response in the pack.

    Raises EvidenceError where the file is no pack at all; what is wrong inside is told in `faults`.
    """
    try:
        with zipfile.ZipFile(pack) as opened:
            members = dict(_members(opened))
    except _UNREADABLE as error:
        raise EvidenceError(f"{pack} is no evidence pack: {error}") from error
    if SUMS not in members:
        raise EvidenceError(f"{pack} is no evidence pack: it has no {SUMS}")
    faults = list(_sums(members))
    question = _read(members.get("question.json", b""))
    found = question.get("versions") if isinstance(question.get("versions"), list) else []
    payloads = set(_payloads(members.get(WARC, b"")))
    faults += _unsupported(found or [], payloads, members)
    return Verdict(question.get("key"), len(members), len(found or []), len(payloads), tuple(faults))


def _members(opened: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    names = opened.namelist()
    if len(names) != len(set(names)):
        raise EvidenceError("the pack holds a name twice")
    for info in opened.infolist():
        if info.file_size > _LIMIT:
            raise EvidenceError(
                f"{info.filename} would unpack to {info.file_size} bytes; {_LIMIT} are the limit"
            )
        yield info.filename, opened.read(info)


def _sums(members: dict[str, bytes]) -> Iterator[str]:
    listed: dict[str, str] = {}
    for line in members[SUMS].decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    for name, digest in listed.items():
        if name not in members:
            yield f"{name} is listed and missing"
        elif _sha256(members[name]) != digest:
            yield f"{name} was changed: its SHA-256 is not the one listed"
    for name in members:
        if name != SUMS and name not in listed:
            yield f"{name} is not listed"


def _unsupported(versions: Sequence[Any], payloads: set[str], members: dict[str, bytes]) -> list[str]:
    if not versions:
        return ["question.json holds no version"]
    faults = []
    for each in versions:
        number, sha256 = each.get("number"), each.get("page_sha256")
        if sha256 not in payloads:
            faults.append(f"version {number} rests on the response {sha256}, which is not in {WARC}")
        whole = _read(members.get(f"versions/{number:02}.json", b"")) if isinstance(number, int) else {}
        if whole.get("page_sha256") != sha256:
            faults.append(f"version {number} is not whole in the pack")
    return faults


def _payloads(warc: bytes) -> Iterator[str]:
    for _, record in records(io.BytesIO(warc)):
        if record.type == "response":
            yield _sha256(record.payload)


def _read(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _responses(versions: Sequence[Version], archive: Archive) -> bytes:
    """The archive's records behind the versions, each once, in the order of the versions."""
    members: dict[bytes, None] = {}
    for each in versions:
        try:
            members.update(dict.fromkeys(archive.packed(each.page)))
        except ArchiveError as error:
            raise EvidenceError(
                f"the response behind version {each.number} is not in the archive: {error}"
            ) from error
    return b"".join(members)


def _whole(version: Version) -> dict[str, Any]:
    return {
        "number": version.number,
        "kind": version.kind,
        "kinds": list(version.kinds),
        "changed": list(version.changed),
        "observed_at": time_to_json(version.observed_at),
        "source": version.source,
        "page_sha256": version.page.sha256,
        "backfilled": version.backfilled,
        "reconstructed": version.reconstructed,
        "content": content_to_json(version.content),
    }


def _diffs(versions: Sequence[Version]) -> Iterator[tuple[str, str]]:
    for before, after in itertools.pairwise(versions):
        lines = [f"Version {before.number} to version {after.number}: {', '.join(after.kinds)}", ""]
        for name in ("heading", "question_text", "answer_text"):
            old, new = getattr(before.content, name), getattr(after.content, name)
            if old != new:
                lines += [f"{name}:", as_text(words(old, new), fold=False), ""]
        texts = {"heading", "question_text", "answer_text", "answer_html"}
        lines += [
            f"{each.field}: {each.before or '-'} -> {each.after or '-'}"
            for each in fields(before.content, after.content)
            if each.field not in texts and each.op != "equal"
        ]
        yield f"diffs/{before.number:02}-{after.number:02}.txt", "\n".join(lines) + "\n"


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _day(day: Any) -> str:
    return f"{day.day} {day:%B %Y}" if day else "no date"
