"""What the verbs return, as the JSON that every door gives: dicts, lists, texts and numbers, made in one place.

Nothing is loaded for it: `codex search` passes through here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from codex_kb.review.blind import as_shown

if TYPE_CHECKING:
    from codex_kb.errors import CodexError
    from codex_kb.index.catalog import Card
    from codex_kb.learn.audit import Estimate, Figures
    from codex_kb.learn.drift import Drift
    from codex_kb.learn.effort import Effort
    from codex_kb.learn.guarantee import Certified, Guarantee
    from codex_kb.learn.halves import Compared, Difference, Half
    from codex_kb.learn.orders import BesideGeneral
    from codex_kb.learn.reviewers import Pair, Reviewer
    from codex_kb.learn.stand import Stand
    from codex_kb.learn.trial import Record
    from codex_kb.records import Problem, Proposal
    from codex_kb.workflow.audit import Account, Audit, Drifted
    from codex_kb.workflow.debate import Debated
    from codex_kb.workflow.distill import Distilled
    from codex_kb.workflow.ingest import Ingested
    from codex_kb.workflow.related import Suggested
    from codex_kb.workflow.search import Found
    from codex_kb.workflow.show import Shown, Status
    from codex_kb.workflow.suggest import Advised, Suggestions
    from codex_kb.workflow.trust import Trust
    from codex_kb.workflow.undo import Undone

Value = dict[str, Any]

_DIGITS = 6
#: What would tell a reviewer what the proposer thinks, or why a proposal is among the others.
_UNSAID = ("features", "trial", "explored", "chance", "repeat_of", "place", "missed", "alone", "instructions",
           "tried")  # fmt: skip


def ingested(done: Ingested) -> Value:
    """Every file with what became of it, and what models took or, in a dry run, would take, where one is asked."""
    value = {"sources": [dataclasses.asdict(row) for row in done.rows], "proposals": done.proposals}
    if done.plan and done.plan.calls:
        value["plan"] = dataclasses.asdict(done.plan)
    elif done.spent.asked + done.spent.known:
        value["spent"] = dataclasses.asdict(done.spent)
    return value


def proposals(waiting: Iterable[Proposal]) -> list[Value]:
    """What waits for review, in the order given."""
    return [_proposal(each) for each in waiting]


def _proposal(proposal: Proposal) -> Value:
    value = dataclasses.asdict(as_shown(proposal))
    for name in _UNSAID:
        del value[name]
    value["evidence"] = [{name: e[name] for name in ("quote", "start", "end")} for e in value["evidence"]]
    return value


def undone(done: Undone) -> Value:
    """What was taken back, and what became of claims."""
    return {
        "undone": [
            {"id": each.id, "verdict": each.verdict, "title": each.title, "claim": each.claim, "source": each.source}
            for each in done.decisions
        ],
        "already": done.already, "removed": done.removed, "changed": done.changed, "look_again": done.look_again,
    }  # fmt: skip


def debated(done: Debated) -> list[Value]:
    """What both sides said of each proposal."""
    return [{"id": each.id, "debate": [dataclasses.asdict(turn) for turn in each.debate]} for each in done.argued]


def distilled(done: Distilled) -> Value:
    """What a run of distill did, in claims; then how the generations stand."""
    learned = done.learned
    return {
        "embedded": done.embedded, "removed": done.removed, "unchanged": done.unchanged, "claims": done.claims,
        "generation": learned.number, "in_force": learned.in_force, "trained_on": learned.lessons,
        "waiting": learned.waiting,
        "gate": _gate(learned),
    }  # fmt: skip


def suggestions(found: Suggestions) -> Value:
    """Reasons of rejections by agent, how instructions on trial are doing, and what changes the settings."""
    return {"agents": [_advised(each) for each in found.agents], "diff": found.diff, "paste": found.paste}


def _advised(each: Advised) -> Value:
    return {
        "agent": each.agent, "decisions": each.decisions, "reasons": each.reasons,
        "groups": [dataclasses.asdict(group) | {"titles": list(group.titles)} for group in each.groups],
        "sentences": list(each.sentences), "setting": each.setting,
        "trial": _compared(each.compared) if each.compared else None,
    }  # fmt: skip


def _compared(found: Compared) -> Value:
    return {"old": _half(found.old), "new": _half(found.new), "a_source": _difference(found.a_source),
            "share": _difference(found.share), "advice": found.advice, "needed": found.needed}  # fmt: skip


def _half(half: Half) -> Value:
    return {"sources": half.sources, "approvals": half.approvals, "decisions": half.decided,
            "a_source": _rounded(half.a_source), "share": _rounded(half.share)}  # fmt: skip


def _difference(found: Difference) -> Value:
    low, high = found.between or (None, None)
    return {"value": _rounded(found.value), "low": _rounded(low), "high": _rounded(high)}


def _gate(record: Record | Stand) -> Value:
    return {"packets": record.packets, "gain": _rounded(record.gain), "low": _rounded(record.low)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else _round(value)


def audit(now: Audit) -> Value:
    """What generations miss, the guarantee, and what is on record about people; what is not known is null."""
    return {
        "generation": now.generation, "in_force": now.in_force, "on_trial": now.on_trial,
        "decisions": now.decisions, "gate": _gate(now.gate),
        "generations": [_account(each) for each in now.accounts],
        "guarantee": _guarantee(now.guarantee),
        "reviewers": [_reviewer(each) for each in now.people.reviewers],
        "pairs": [_pair(each) for each in now.people.pairs],
        "turned": [{"domain": domain, "text": said} for domain, said in now.people.turned],
        "triage": {"allowed": now.triage.allowed, "needed": now.triage.needed, "approvals": now.triage.approvals,
                   "why": now.triage.why},
        "effort": _effort(now.effort) if now.effort.read else None,
    }  # fmt: skip


def _effort(found: Effort) -> Value:
    return {
        "text": found.text, "read": found.read, "sources": found.sources, "needed": found.needed,
        "generations": list(found.generations), "alone": _estimate(found.alone),
        "proposals": _estimate(found.proposals), "both": _estimate(found.both), "gain": _estimate(found.gain),
        "seconds_alone": _estimate(found.seconds_alone), "seconds_proposals": _estimate(found.seconds_proposed),
    }  # fmt: skip


def _account(account: Account) -> Value:
    return {
        "n": account.number, "name": account.name, "parents": list(account.parents),
        "trained_on": account.trained_on, **_figures(account.figures),
        "domains": {name: _figures(each) for name, each in account.domains.items()},
        "certified": _certified(account.certified),
        "gate": _gate(account.gate), "beside_parent": _estimate(account.beside) | {"parent": account.before},
        "drift": _drift(account.drift),
        "specialists": {name: _specialist(each) for name, each in account.specialists.items()},
    }  # fmt: skip


def _specialist(found: BesideGeneral) -> Value:
    return {"auc": _estimate(found.own), "general": _estimate(found.general), "gain": _estimate(found.gain)}


def _figures(found: Figures) -> Value:
    beside = found.beside
    return {
        "decisions": found.decisions, "approvals": found.approvals,
        "missed": _estimate(found.missed) | {"blind": found.blind}, "precision": _estimate(found.precision),
        "decisions_per_claim": _estimate(found.effort), "place": _estimate(found.place), "added": found.added,
        "brier": _rounded(beside.brier if beside else None),
        "base_brier": _rounded(beside.of_rate if beside else None),
        "chances_shown": bool(beside and beside.shown),
    }  # fmt: skip


def _estimate(figure: Estimate) -> Value:
    return {"value": _rounded(figure.value), "low": _rounded(figure.low), "high": _rounded(figure.high),
            "of": figure.of}  # fmt: skip


def _drift(found: Drifted | None) -> Value:
    value: Value = {"answers": _rounded(found.answers if found else None)}
    for name in ("proposals", "approvals"):
        between: Drift | None = getattr(found, name, None)
        value[name] = _rounded(between.distance if between else None)
        value[f"{name}_p"] = _rounded(between.p if between else None)
    return value


def _guarantee(found: Guarantee) -> Value:
    both = found.compounded
    return {
        "text": found.text, "confidence": _round(found.confidence), **_certified(found.proposed),
        "blind": found.blind, "approvals": found.proposed.counted,
        "of_sources": _certified(found.sources) | {"explored": found.explored, "sources": found.sources.counted},
        "compounded": {"generations": both.generations, "product": _round(both.product), "union": _round(both.union)}
        if both else None,
    }  # fmt: skip


def _certified(found: Certified) -> Value:
    return {"missed_at_most": _rounded(found.limit), "look": found.look, "hits": found.hits, "of": found.of,
            "needed": found.needed}  # fmt: skip


def _reviewer(each: Reviewer) -> Value:
    agreement, error = each.repeats.agreement_between, each.repeats.error_between
    asked = bool(each.repeats.asked)
    return {
        "name": each.name, "decisions": each.decisions, "repeats": each.repeats.asked,
        "self_agreement": _between(each.repeats.agreement, agreement if asked else None),
        "error": _between(each.repeats.error, error if asked else None), "flags": list(each.flags),
    }  # fmt: skip


def _between(value: float | None, between: tuple[float, float] | None) -> Value:
    low, high = between or (None, None)
    return {"value": _rounded(value), "low": _rounded(low), "high": _rounded(high)}


def _pair(each: Pair) -> Value:
    return {
        "reviewers": list(each.names), "met": each.between.asked,
        "kappa": _between(each.between.kappa, each.between.between),
        "disagree": [{"id": proposal, "title": title} for proposal, title in each.disagree],
    }  # fmt: skip


def hits(found: Iterable[Found], explain: bool = False) -> list[Value]:
    """Hits of a search, best first; with `explain` the parts of each score."""
    return [_hit(rank, each, explain) for rank, each in enumerate(found, 1)]


def _hit(rank: int, hit: Found, explain: bool) -> Value:
    value = {"rank": rank, "score": _round(hit.score.total), **_card(hit.card), "line": hit.line,
             "snippet": hit.snippet}  # fmt: skip
    if hit.card.status:
        value["status"] = hit.card.status
    if hit.card.challenged:
        value["challenged"] = True
    return value | (_explained(hit.score._asdict()) if explain else {})


def related(answers: Mapping[str, Iterable[Suggested]], explain: bool = False) -> list[Value]:
    """For each claim as it was named what it should link to, best first; with `explain` the parts of each score."""
    return [
        {"claim": claim, "rank": rank, **_suggested(each, explain)}
        for claim, found in answers.items() for rank, each in enumerate(found, 1)
    ]  # fmt: skip


def _suggested(each: Suggested, explain: bool) -> Value:
    value = {"score": _round(each.score.total), **_card(each.card)}
    return value | (_explained(each.score._asdict()) if explain else {})


def answer(asked: object, found: Iterable[Found | Suggested]) -> Value:
    """One line of a batch: the question's id and what was found."""
    return {"id": asked, "hits": [{"path": each.card.path, "score": _round(each.score.total)} for each in found]}


def no_answer(asked: object, failed: CodexError) -> Value:
    """One line of a batch that has no answer, and why."""
    return {"id": asked, "hits": [], "error": str(failed)}


def shown(found: Shown) -> Value:
    """A proposal, a claim or a source, with everything behind it."""
    value = dataclasses.asdict(found)
    if value["packet"]:
        del value["packet"]["later"]
    waiting = [value["proposal"], *(value["packet"]["proposals"] if value["packet"] else ())]
    for proposal in filter(None, waiting):
        for name in _UNSAID:
            del proposal[name]
    return value


def status(now: Status) -> Value:
    """Counts of everything, and whether the index agrees with the claims."""
    return {
        "sources": now.sources, "proposals": now.proposals, "claims": now.claims, "problems": now.problems,
        "index": {"fresh": now.fresh, "claims": now.indexed}, "generation": now.generation,
        "newest": now.newest, "on_trial": now.on_trial, "pinned": now.pinned, "set_aside": now.set_aside,
        "wants": list(now.wants), "oldest": now.oldest or None, "untaught": now.untaught,
    }  # fmt: skip


def trust(now: Trust) -> Value:
    """What a clone's settings want, and what of it is granted."""
    wants = [{"want": want, "granted": want in now.granted} for want in now.wants]
    return {"root": str(now.root), "wants": wants, "granted": now.whole}


def problems(found: Iterable[Problem]) -> list[Value]:
    """What is wrong, each with its place and hint; a note says that it is one."""
    return [dataclasses.asdict(each) for each in found]


def error(failed: CodexError) -> Value:
    """What failed, where, and what to do next."""
    value: Value = {
        "code": failed.code, "message": failed.message, "path": failed.path, "line": failed.line, "hint": failed.hint,
    }  # fmt: skip
    if difference := getattr(failed, "difference", ""):
        value["difference"] = difference
    return {"error": value}


def _card(card: Card) -> Value:
    return {
        "path": card.path, "title": card.title, "domain": card.domain, "confidence": card.confidence,
        "description": card.description,
    }  # fmt: skip


def _explained(parts: Mapping[str, float]) -> Value:
    return {"explain": {name: _round(value) for name, value in parts.items() if name != "total"}}


def _round(score: float) -> float:
    return round(score, _DIGITS)
