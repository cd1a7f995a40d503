"""Packets and decisions as they are kept: a record of JSON a packet, a line of JSON a decision."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from codex_kb.records import Decision, Evidence, Hit, Packet, Proposal, Turn
from codex_kb.text import json_of_others
from codex_kb.text.json_of_others import items, numbers, record, texts


def packet_to_json(packet: Packet) -> bytes:
    """A packet's record, indented so that git shows what changed."""
    value = dataclasses.asdict(packet)
    del value["name"]
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def packet_from_json(data: bytes, name: str) -> Packet:
    """The packet behind a record. Raises ValueError, KeyError."""
    value = json_of_others.read(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    proposals = tuple(_proposal(entry) for entry in items(value["proposals"]))
    held = tuple((title, reason) for title, reason in map(texts, items(value["held"])))
    report = texts(value.get("report", []))
    later = tuple(_proposal(entry) for entry in items(value.get("later", [])))
    return record(Packet, value, name=name, proposals=proposals, held=held, report=report, later=later)


def _proposal(value: Any) -> Proposal:
    if not isinstance(value, dict):
        raise ValueError("a proposal that is not an object")
    return record(
        Proposal, value,
        evidence=tuple(record(Evidence, entry) for entry in items(value["evidence"])),
        nearest=tuple(record(Hit, entry) for entry in items(value["nearest"])),
        notes=texts(value["notes"]),
        unlocated=texts(value.get("unlocated", [])),
        debate=tuple(map(_turn, items(value.get("debate", [])))),
        features=numbers(value.get("features", {})),
    )  # fmt: skip


def _turn(value: Any) -> Turn:
    side = value.get("side") if isinstance(value, dict) else None
    if side not in ("for", "against"):
        raise ValueError("a turn of a debate that takes no side")
    return record(Turn, value, side=side)


_KNOWN = frozenset(field.name for field in dataclasses.fields(Decision))
_WHERE_KNOWN = ("features", "seconds", "missed")
_TEXTS = ("id", "time", "reviewer", "verdict", "reason", "title", "source", "source_sha256", "proposer")


def decision_from(line: bytes) -> Decision:
    """The decision of one line; fields of a newer version are kept in the file and ignored here.

    Raises:
        ValueError, TypeError: it is none.
    """
    value = json_of_others.read(line)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    known = {name: each for name, each in value.items() if name in _KNOWN}
    if wrong := [name for name in _TEXTS if not isinstance(known.get(name), str)]:
        raise TypeError(f"{wrong[0]} is missing or no text")
    claim, generation = known.get("claim"), known.get("generation")
    if not isinstance(known.get("proposal"), dict) or not (claim is None or isinstance(claim, str)):
        raise TypeError("proposal or claim is not what it should be")
    if not isinstance(generation, int) or not isinstance(known.get("shown", {}), dict):
        raise TypeError("generation or shown is not what it should be")
    if not isinstance(known.get("seconds"), int | float | None) or not isinstance(known.get("missed", False), bool):
        raise TypeError("seconds or missed is not what it should be")
    known["features"] = numbers(known.get("features", {}))
    return Decision(**known)


def decision_lines(decisions: Sequence[Decision]) -> bytes:
    """Decisions as they are appended, one JSON object a line."""
    return b"".join(json.dumps(_line(each), ensure_ascii=False).encode() + b"\n" for each in decisions)


def _line(decision: Decision) -> dict[str, Any]:
    """What a line says; what is not known is left out."""
    value = dataclasses.asdict(decision)
    return {name: each for name, each in value.items() if name not in _WHERE_KNOWN or each}
