"""Approved proposals become claim files: the argument from the quote and its context, and who stands behind it.

Or they become evidence of a claim that is there: a block of its body, and its fields.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import re
import unicodedata
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from codex_kb.errors import RefusedFile
from codex_kb.records import Approved, Claim, Evidence, Hit, Proposal, Source
from codex_kb.text import markdown_file, marks, sentences
from codex_kb.text.markdown_file import MarkdownFile

_SLUG_BYTES = 150
_CONTEXT_CHARS = 1200
#: Cosine from which an approved claim links to another.
LINKED = 0.5
_MAX_LINKS = 3
#: How a claim's attribution names the proposal that was approved; its id follows.
_APPROVED = "approved proposal "
#: How evidence that was added begins.
_ADDED = re.compile(
    r"^### Additional Evidence \((\w+)\)\r?\n\*Source: \[\[([^\r\n]*)\*\r?\n", re.MULTILINE
)
#: A link that a new claim has because another is near, and a list of such that has lost all.
_NEAR = re.compile(r"^- \[\[([^\r\n]+?)\]\] — near in meaning \((\d\.\d\d)\)(?:\r?\n|\Z)", re.MULTILINE)
_NO_NOTES = re.compile(r"^Relevant Notes:\r?\n(?:\r?\n|\Z)", re.MULTILINE)
_LINE = re.compile(r"([^\r\n]*)(?:\r?\n|\Z)")
_SENTENCE_END = tuple(marks.STOPS + marks.FINAL_STOPS)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)$")


def slug(title: str) -> str:
    """A file stem from a title: letters and digits of any script, hyphens between, at most 150 bytes."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", title.replace("'", "").replace("\u2019", "")).lower())
    text = "-".join(words)
    if len(text.encode()) > _SLUG_BYTES:
        cut = text.encode()[:_SLUG_BYTES].decode(errors="ignore")
        text = cut.rsplit("-", 1)[0] if "-" in cut[40:] else cut
    if not text or _RESERVED.match(text):
        text = f"claim-{text}".rstrip("-")
    return unicodedata.normalize("NFC", text)


def free_stem(title: str, taken: Container[str]) -> str:
    """A stem that no other file has; `taken` holds stems after `stem_key`."""
    base = slug(title)
    stem, number = base, 1
    while stem_key(stem) in taken:
        number += 1
        stem = f"{base}-{number}"
    return stem


def stem_key(stem: str) -> str:
    """Stems that some file system takes for the same compare equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", stem).casefold())


def claim_text(
    approved: Approved, source: Source, path: str, nearest: Sequence[Hit], people: tuple[str, str], created: str,
    topic: str = "",
) -> str:  # fmt: skip
    """The whole claim file.

    `people` are (attribution of the source in one line, reviewer); `path` is the claim's own, for
    relative links; `topic` names the topic map of its domain, where there is one.
    """
    attribution, reviewer = people
    fields: dict[str, Any] = {
        "type": "claim",
        "domain": approved.domain,
        **({"description": approved.description} if approved.description else {}),
        "confidence": approved.confidence,
        "source": attribution,
        "created": created,
        "attribution": _attribution(approved.proposal, source, reviewer),
        "evidence": [dataclasses.asdict(each) for each in approved.evidence],
    }
    body = [f"# {approved.title}", ""]
    body += [approved.description, ""] if approved.description else []
    for evidence in approved.evidence:
        body += [*_quoted(evidence.quote), "", f"{_reference(source, attribution, path)}", ""]
        around = context(source.body, evidence)
        if around:
            body += [marks.CONTEXT, "", *_quoted(around), ""]
    links = [hit for hit in nearest if hit.score >= LINKED][:_MAX_LINKS]
    body += ["---", ""]
    if links:
        body += ["Relevant Notes:"]
        body += [f"- [[{PurePosixPath(hit.path).stem}]] — near in meaning ({hit.score:.2f})" for hit in links]
        body.append("")
    body += ["Topics:", f"- [[{topic}]]" if topic else f"- {approved.domain}"]
    return markdown_file.new_file(fields, "\n" + "\n".join(body) + "\n")


def near_links(body: str) -> list[tuple[str, float]]:
    """The (stem, cosine) of the claims that a claim links to because they were near."""
    return [(stem, float(score)) for stem, score in _NEAR.findall(body)]


def without_links(data: bytes, stems: Container[str] | None = None) -> bytes:
    """A claim's file without the links to near claims of these stems, or to any; no list is left without an item."""
    text = data.decode()
    kept = _NEAR.sub(lambda link: "" if stems is None or link[1] in stems else link[0], text)
    return (text if kept == text else _NO_NOTES.sub("", kept)).encode()


def _attribution(proposal: Proposal, source: Source, reviewer: str) -> dict[str, Any]:
    roles: dict[str, Any] = {}
    sourcer = str(source.fields.get("proposed_by") or source.author or "")
    if sourcer:
        roles["sourcer"] = [{"handle": sourcer, "context": source.path}]
    context = f"{'missed by ' if proposal.missed else ''}generation {proposal.generation}"
    roles["extractor"] = [{"handle": proposal.proposer, "context": context}]
    roles["reviewer"] = [{"handle": reviewer, "context": f"{_APPROVED}{proposal.id}"}]
    return roles


def approved_ids(claim: Claim) -> set[str]:
    """The ids of the proposals that a claim's attribution says were approved."""
    roles = claim.fields.get("attribution")
    reviewers = roles.get("reviewer") if isinstance(roles, dict) else None
    contexts = [str(each.get("context")) for each in _as_list(reviewers) if isinstance(each, dict)]
    return {text.removeprefix(_APPROVED) for text in contexts if text.startswith(_APPROVED)}


def _reference(source: Source, attribution: str, path: str) -> str:
    target = os.path.relpath(source.path, PurePosixPath(path).parent).replace(os.sep, "/")
    label = attribution.replace("[", "(").replace("]", ")")
    return f"— [{label}](<{target}>)"


def _quoted(text: str) -> list[str]:
    return [f"> {line}".rstrip() for line in re.split(r"\r\n|[\r\n]", text.strip("\n"))]


def context(body: str, evidence: Evidence) -> str:
    """The paragraph around a quote, where it says more than the quote and is not overlong."""
    around = sentences.split(body)
    inside = {s.paragraph for s in around if s.start < evidence.end and s.end > evidence.start}
    block = [s for s in around if s.paragraph in inside]
    if not block:
        return ""
    start, end = min(block[0].start, evidence.start), max(block[-1].end, evidence.end)
    if end - start > _CONTEXT_CHARS or body[start:end].strip() == evidence.quote.strip():
        return ""
    return body[start:end]


# -- evidence for a claim that is there ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Addition:
    """Evidence for a claim: how it bears on it, what it says in one sentence, and where it is from.

    `source` is how a link names the source, `extractor` who proposed it, `date` the day.
    """

    kind: str
    evidence: tuple[Evidence, ...]
    description: str
    source: str
    extractor: str
    date: str


def add_evidence(data: bytes, path: str, addition: Addition) -> bytes:
    """The claim's file with the evidence in its body and its fields; all other lines stay byte for byte.

    Raises:
        RefusedFile: its frontmatter cannot be edited without changing other parts.
    """
    file = markdown_file.parse(data, path)
    known = [_numbered(entry) for entry in _as_list(file.fields.get("evidence"))]
    new = [entry for each in addition.evidence if (entry := dataclasses.asdict(each)) not in known]
    values: dict[str, Any] = {"evidence": [*known, *new]}
    if addition.kind == "challenge":
        challengers = _as_list(file.fields.get("challenged_by"))
        link = f"[[{addition.source}]]"
        values["challenged_by"] = challengers if link in challengers else [*challengers, link]
    return markdown_file.set_fields(_with_block(data, file, _block(addition)), values, path)


def _block(addition: Addition) -> list[str]:
    lines = [
        f"### Additional Evidence ({addition.kind})",
        f"*Source: [[{addition.source}]] | Added: {addition.date} | Extractor: {addition.extractor}*",
        "",
    ]
    for evidence in addition.evidence:
        lines += [*_quoted(evidence.quote), ""]
    if not addition.description:
        return lines[:-1]
    end = "" if addition.description.endswith(_SENTENCE_END) else "."
    return [*lines, addition.description + end]


def _with_block(data: bytes, file: MarkdownFile, block: list[str]) -> bytes:
    """The file with the block before what closes its body, blank lines around it."""
    newline = "\r\n" if "\r\n" in file.text else "\n"
    at = file.body_start + marks.closing(file.body)
    before, after = file.text[:at], file.text[at:]
    *above, last = before[file.body_start :].split("\n")
    text = newline * (2 if last else 1 if above and above[-1].strip() else 0) + newline.join(block)
    if after:
        text += newline * 2
    elif before.endswith("\n"):
        text += newline
    bom = len(data) - len(file.text.encode())
    place = bom + len(before.encode())
    return data[:place] + text.encode() + data[place:]


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return list(value)
    return [value] if value else []


def _numbered(entry: Any) -> Any:
    """An entry of `evidence` as it is written: fields are read as text, offsets are numbers."""
    if not isinstance(entry, dict):
        return entry
    return {key: int(value) if key in ("start", "end") and str(value).isdecimal() else value
            for key, value in entry.items()}  # fmt: skip


# -- and taken out again ---------------------------------------------------------------------------


def additions_in(data: bytes, path: str) -> list[Addition]:
    """What was added to a claim by `add_evidence`, in its order; without quotes where they were edited since."""
    file = markdown_file.parse(data, path)
    return [each for each, _ in _blocks(file)]


def without_evidence(
    data: bytes, path: str, addition: Addition, versions: Sequence[bytes] = ()
) -> bytes | None:  # fmt: skip
    """The claim's file without one addition, all else byte for byte; None where that cannot be proved.

    Proof is that adding it again gives the file as it is. `versions` are earlier states of the file: the first that
    gives it is what was there before; else blank lines are taken for what is usual.
    """
    file = markdown_file.parse(data, path)
    blocks = _blocks(file)
    if not blocks:
        return None
    last, place = blocks[-1]
    candidates = (*versions, *_candidates(data, file, path, place, last))
    before = next((each for each in candidates if _gives(each, path, last, data)), None)
    if before is None or last == addition:
        return before
    # What came later is taken off first, and added again.
    inner = without_evidence(before, path, addition, versions)
    return None if inner is None else add_evidence(inner, path, last)


def _gives(before: bytes, path: str, addition: Addition, data: bytes) -> bool:
    try:
        return before != data and add_evidence(before, path, addition) == data
    except RefusedFile:
        return False


def _blocks(file: MarkdownFile) -> list[tuple[Addition, tuple[int, int]]]:
    """The additions in a claim's body, each with where its block begins and ends."""
    headings = list(_ADDED.finditer(file.body))
    closing = marks.closing(file.body)
    ends = [heading.start() for heading in headings[1:]] + [closing]
    return [
        _addition(file, heading, end if end > heading.end() else len(file.body))
        for heading, end in zip(headings, ends, strict=False)
    ]


def _addition(file: MarkdownFile, heading: re.Match[str], limit: int) -> tuple[Addition, tuple[int, int]]:
    """The addition that a heading begins, as far as it goes before `limit`: quotes, then a sentence or none."""
    source, _, rest = heading[2].rpartition("]] | Added: ")
    date, _, extractor = rest.partition(" | Extractor: ")
    entries = [each for entry in _as_list(file.fields.get("evidence")) if (each := _evidence_of(entry))]
    evidence: list[Evidence] = []
    description, end = "", heading.end()
    lines = _LINE.finditer(file.body, heading.end(), limit)
    for quoted, group in itertools.groupby(lines, lambda found: found[1].startswith(">")):
        found = [line for line in group if line[1]]
        if quoted:
            fits = [each for each in entries if _quoted(each.quote) == [line[1] for line in found]]
            evidence += fits[-1:]
            end = found[-1].end(1)
        elif found:
            description, end = found[0][1], found[0].end(1)
            break
    return Addition(heading[1], tuple(evidence), description, source, extractor, date), (heading.start(), end)


def _candidates(
    data: bytes, file: MarkdownFile, path: str, block: tuple[int, int], addition: Addition
) -> Iterator[bytes]:  # fmt: skip
    """What the file may have been before its last addition: without the block, and without what it put into fields."""
    bom = data[: len(data) - len(file.text.encode())]
    newline = "\r\n" if "\r\n" in file.text else "\n"
    start, end = (file.body_start + at for at in block)
    above, below = file.text[:start], file.text[end:]
    # Above what closes a claim stands a blank line; at the end of a file none did.
    leading = (0, 1, 2) if below.strip() else (1, 2, 0)
    for blank, after in itertools.product(leading, (newline * 2, newline, "")):
        if above.endswith(newline * blank) and below.startswith(after):
            bare = above[: len(above) - len(newline) * blank] + below[len(after) :]
            for values in _fields_before(file, addition):
                with contextlib.suppress(RefusedFile):
                    yield markdown_file.set_fields(bom + bare.encode(), values, path)


def _fields_before(file: MarkdownFile, addition: Addition) -> Iterator[dict[str, Any]]:
    """What the fields may have been before an addition, likelier first."""
    known = [_numbered(entry) for entry in _as_list(file.fields.get("evidence"))]
    ours = [dataclasses.asdict(each) for each in addition.evidence]
    new = len(list(itertools.takewhile(lambda entry: entry in ours, reversed(known))))
    lists = [known[: len(known) - count] for count in range(new, -1, -1)]
    challengers = _as_list(file.fields.get("challenged_by"))
    rest = [each for each in challengers if each != f"[[{addition.source}]]"]
    for entries, others in itertools.product(lists, [rest, challengers] if rest != challengers else [challengers]):
        empties: tuple[list[Any] | None, ...] = (None, [])
        for empty in empties:
            values: dict[str, Any] = {"evidence": entries or empty}
            if addition.kind == "challenge":
                values["challenged_by"] = others or empty
            yield values


def _evidence_of(entry: Any) -> Evidence | None:
    try:
        return Evidence(**_numbered(entry))
    except TypeError:
        return None
