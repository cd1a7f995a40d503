"""`codex distill --suggest`: what the reasons of rejections say to agents, and how instructions on trial are doing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codex_kb import language
from codex_kb.apply import log
from codex_kb.config import FILE_NAME, Agent
from codex_kb.disk import gate
from codex_kb.errors import NotFound, RefusedFile
from codex_kb.kb import KnowledgeBase
from codex_kb.learn import halves, reasons
from codex_kb.learn.examples import specialty
from codex_kb.learn.halves import Compared
from codex_kb.learn.reasons import Group
from codex_kb.records import Decision
from codex_kb.review.standing import standing
from codex_kb.text import toml_edit
from codex_kb.text.fields import NULL_RESULT, text


@dataclass(frozen=True)
class Advised:
    """What is said to one agent; an empty name stands for what belongs to none.

    `decisions` are those that were looked at, `reasons` those with a reason. `sentences` are new, and are to become a
    part of `setting`. `compared` are both halves where new instructions are on trial.
    """

    agent: str
    decisions: int
    reasons: int
    groups: tuple[Group, ...]
    sentences: tuple[str, ...] = ()
    setting: str = ""
    compared: Compared | None = None


@dataclass(frozen=True)
class Suggestions:
    """What is suggested: agent by agent; as a diff of codex.toml; as lines to paste where that cannot be edited."""

    agents: tuple[Advised, ...]
    reasons: int
    diff: str = ""
    paste: str = ""


def suggest(kb: KnowledgeBase) -> Suggestions:
    """Group the reasons that stand, and compare the halves of what is tried. Asks no model, writes nothing."""
    stand = list(standing(log.everything(kb)).values())
    of: dict[str, list[Decision]] = {name: [] for name in (*sorted(kb.settings.agents), "")}
    for each in stand:
        if reasons.counts(each):
            of[_agent(kb, each)].append(each)
    advised = tuple(_advised(kb, name, some, stand) for name, some in of.items() if name or some)
    diff, paste = _written(kb, advised)
    return Suggestions(advised, sum(each.reasons for each in advised), diff, paste)


def _agent(kb: KnowledgeBase, decision: Decision) -> str:
    """The agent that proposed it, else the one that would now; empty where none has its domain."""
    if decision.proposer in kb.settings.agents:
        return decision.proposer
    name = specialty(str(decision.proposal.get("domain") or ""), kb.settings.agent_of)
    return name if name in kb.settings.agents else ""


def _advised(kb: KnowledgeBase, name: str, some: Sequence[Decision], stand: Sequence[Decision]) -> Advised:
    agent = kb.settings.agents.get(name, Agent())
    model = agent.model or kb.settings.propose.model
    # What a language model proposed says more of what it needs to be told than what anybody proposed.
    told = [each for each in some if language.knows(model if each.proposer == name else each.proposer)]
    some = told if sum(bool(reasons.given(each)) for each in told) >= reasons.LEAST else some
    found = tuple(reasons.groups(some))
    count = sum(group.count for group in found)
    if agent.trying:
        return Advised(name, len(some), count, found, compared=_compared(kb, name, agent, stand))
    new = tuple(group.sentence for group in found if group.enough and group.sentence not in agent.instructions)
    tried = any(each.proposer == name for each in told)
    setting = ("trying" if tried else "instructions") if name else ""
    return Advised(name, len(some), count, found, new, setting)


def _compared(kb: KnowledgeBase, name: str, agent: Agent, stand: Sequence[Decision]) -> Compared:
    trial = halves.name_of(agent.instructions, agent.trying)
    own = [each for each in stand if each.shown.get("tried") == trial]
    waiting = {packet.source for packet in kb.store.readable_packets()[0]}
    return halves.compared(own, trial, _empty(kb, name, own, stand), waiting)


def _empty(kb: KnowledgeBase, name: str, own: Sequence[Decision], stand: Sequence[Decision]) -> set[str]:
    """Sources from which the agent proposed nothing, since the trial began: no decision tells of them."""
    if not own:
        return set()
    began = min(each.time for each in own)[:10]
    decided = {each.source for each in stand}
    found = set()
    for path in kb.store.source_paths():
        with contextlib.suppress(NotFound, RefusedFile):
            source = kb.store.source(path) if path not in decided else None
            if source and source.status == NULL_RESULT and text(source.fields.get("processed_by")) == name:
                found |= {path} if text(source.fields.get("processed_date")) >= began else set()
    return found


def _written(kb: KnowledgeBase, advised: Sequence[Advised]) -> tuple[str, str]:
    """The changes of the settings as a diff, and those that a person must make as lines."""
    data = gate.read_if_there(kb.layout.root, FILE_NAME) or b""
    before = now = data.decode()
    paste = []
    for name, values in _changes(kb, advised):
        table = ("agents", name)
        after = None if kb.layout.path(FILE_NAME).is_symlink() else toml_edit.with_texts(now, table, values)
        if after is None:
            paste.append(toml_edit.lines(table, values))
        now = now if after is None else after
    return toml_edit.difference(before, now, FILE_NAME), "\n".join(paste)


def _changes(kb: KnowledgeBase, advised: Sequence[Advised]) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Of each agent the settings that change, None for one that goes."""
    for each in advised:
        agent = kb.settings.agents.get(each.agent)
        advice = each.compared.advice if each.compared else ""
        if agent and each.sentences:
            yield each.agent, {each.setting: reasons.with_sentences(agent.instructions, each.sentences)}
        elif agent and advice == "take over":
            yield each.agent, {"instructions": agent.trying, "trying": None}
        elif agent and advice == "keep":
            yield each.agent, {"trying": None}
