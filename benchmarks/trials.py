"""Does the trial of a learner let good ones through and harmful ones not? Histories of a real corpus in random orders.

    python -m benchmarks.trials [--orders 20]

Reads the sources of ../shared/corpora with known answers; a claim is wanted where its title has cosine >= 0.6 with one
that people accepted ("real"), or by a planted taste ("planted"), or by a coin ("null"). Every 30 decisions a learner is
trained; until it is relied on (`learn.trial`) packets are filled by turns. Harmful learners: `noise` ranks by chance,
`worse` ranks what is wanted down, `junk` ranks well what the untaught order shows and pulls up what it does not,
`vectors` is a logistic regression on the titles' vectors alone.
Prints for each the share of generations in which it was in force, how often it was by 300 decisions, what it gained.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from codex_kb.encoders import model
from codex_kb.learn import ranker
from codex_kb.learn.examples import SCORE, TAUGHT
from codex_kb.learn.trial import record
from codex_kb.propose.choice import Floats, by_turns, most_relevant
from codex_kb.propose.kinds.extractive import ExtractiveProposer
from codex_kb.records import Decision, Source
from codex_kb.text import markdown_file

CORPORA = Path(__file__).resolve().parents[2] / "shared/corpora"
EVERY, MOST, WANTED = 30, 10, 0.6


@dataclass
class Candidates:
    """All candidates of one source: untaught scores, plain features, vectors, places, and what people accepted."""

    path: str
    scores: Floats
    plain: Floats
    vectors: np.ndarray
    places: list[tuple[int, int]]
    accepted: np.ndarray
    titles: list[str]


def read(encoder: Any) -> list[Candidates]:
    """The sources with known answers."""
    gold = json.loads((CORPORA / "teleo-answers.json").read_text())["gold"]
    found = []
    for path, titles in sorted(gold.items()):
        file = markdown_file.parse((CORPORA / "teleo" / path).read_bytes(), path)
        source = Source(path, {}, file.body, "", "", "", "", "", "", "")
        drafts = ExtractiveProposer(encoder).propose(source, 10_000)
        every = [*drafts.drafts, *drafts.left]
        if not every:
            continue
        names = sorted({name for draft in every for name in draft.features} - {SCORE})
        vectors = encoder.encode([draft.title for draft in every])
        found.append((path, every, names, vectors, (vectors @ encoder.encode(titles).T).max(axis=1) >= WANTED))
    names = sorted({name for _, _, some, _, _ in found for name in some})
    return [
        Candidates(
            path, np.array([d.features[SCORE] for d in every]),
            np.array([[d.features.get(name, 0.0) for name in names] for d in every]), vectors,
            [d.spans[0] for d in every], wanted, [d.title for d in every],
        )
        for path, every, _, vectors, wanted in found
    ]  # fmt: skip


Scores = Callable[[Candidates, Any, np.random.Generator], Floats]


def taught(each: Candidates, learned: ranker.Ranker | None, _: np.random.Generator) -> Floats:
    """What the program's own learner says."""
    if learned is None:
        return each.scores
    more = learned.score(np.zeros(len(each.scores)), each.plain, each.vectors.astype(np.float64))
    return each.scores + more - more.mean()


def vectors(each: Candidates, learned: LogisticRegression | None, _: np.random.Generator) -> Floats:
    """What a regression on titles alone says; the untaught score has no say."""
    return each.scores if learned is None else np.asarray(learned.decision_function(each.vectors))


def regression(groups: list[ranker.Group]) -> LogisticRegression | None:
    """Fit to every decision by itself, whatever its source."""
    approved = np.concatenate([group.approved for group in groups])
    rows = np.concatenate([group.vectors for group in groups])
    return LogisticRegression().fit(rows, approved) if 0 < approved.sum() < len(approved) else None


#: What a learner is made by; those that are not named know what they say without.
FITTED: dict[Scores, Callable[[list[ranker.Group]], Any]] = {taught: ranker.fit, vectors: regression}


def noise(each: Candidates, _: Any, rng: np.random.Generator) -> Floats:
    """Chance."""
    return each.scores + 3 * rng.normal(size=len(each.scores))


def worse(each: Candidates, _: Any, rng: np.random.Generator) -> Floats:
    """What is wanted ranks lower."""
    return each.scores + 0.3 * rng.normal(size=len(each.scores)) - 1.3 * each.accepted


def junk(each: Candidates, _: Any, rng: np.random.Generator) -> Floats:
    """Good on what the untaught order shows, and full of what nobody wants beyond."""
    shown = np.isin(np.arange(len(each.scores)), most_relevant(each.vectors, each.scores, MOST, each.places))
    pulled = ~shown & ~each.accepted & (rng.random(len(each.scores)) < 0.25)
    return each.scores + 0.8 * (each.accepted & shown) + 3 * pulled


def history(sources: list[Candidates], scored: Scores, want: str, seed: int) -> tuple[float, int | None, float]:
    """One order: the share of packets with it in force, when it came into force, its gain a packet."""
    rng = np.random.default_rng(seed)
    groups: list[ranker.Group] = []
    decisions: list[Decision] = []
    learned, begun, in_force, decided, since = None, False, False, 0, 0
    forced, gains, when = [], [], None
    for each in (sources[at] for at in rng.permutation(len(sources))):
        wanted = {"real": each.accepted, "planted": planted(each), "null": rng.random(len(each.scores)) < 0.2}[want]
        now = scored(each, learned, rng) if begun else each.scores
        first = most_relevant(each.vectors, each.scores, MOST, each.places)
        second = most_relevant(each.vectors, now, MOST, each.places)
        turns = begun and not in_force
        shown = by_turns(each.vectors, each.scores, now, MOST, each.places, f"{each.path}{seed}") if turns else (
            second if in_force else first
        )
        forced.append(in_force)
        gains.append(int(wanted[second].sum() - wanted[first].sum()) if in_force else 0)
        for row in shown if turns else ():
            features = {SCORE: float(each.scores[row]), TAUGHT: float(now[row])}
            decisions.append(decision(each, bool(wanted[row]), features))
        groups.append(ranker.Group(each.path, each.scores[shown], each.plain[shown],
                                   each.vectors[shown].astype(np.float64), wanted[shown]))  # fmt: skip
        decided, since = decided + len(shown), since + len(shown)
        if since >= EVERY:
            since, begun = 0, True
            learned = FITTED[scored](groups) if scored in FITTED else None
            in_force = in_force or record(decisions).relied_on
            when = decided if in_force and when is None else when
    return float(np.mean(forced)), when, float(np.mean(gains))


def planted(each: Candidates) -> np.ndarray:
    """A taste: figures, and about 18 words."""
    words = np.array([len(title.split()) for title in each.titles])
    digits = np.array([any(char.isdigit() for char in title) for title in each.titles])
    return np.asarray(1.2 * digits - 0.8 * np.abs(np.log(words / 18)) > 0.8)


def decision(each: Candidates, wanted: bool, features: dict[str, float]) -> Decision:
    """One line of a trial."""
    return Decision("", "", "", "approved" if wanted else "rejected", "", "", {}, None, each.path, "", "", 0,
                    {"trial": "1-00000000"}, features)  # fmt: skip


def main() -> None:
    """Print what each learner came to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--orders", type=int, default=20)
    orders = options.parse_args().orders
    with TemporaryDirectory() as local:
        sources = read(model.load("", Path(local), lambda _: None))
    for name, scored, want in (
        ("junk", junk, "real"), ("worse", worse, "real"), ("noise", noise, "real"), ("vectors", vectors, "real"),
        ("learner", taught, "planted"), ("learner", taught, "real"), ("learner", taught, "null"),
    ):  # fmt: skip
        found = [history(sources, scored, want, seed) for seed in range(orders)]
        by = sum(when is not None and when <= 300 for _, when, _ in found)
        print(f"{name}, {want} reviewer: in force in {np.mean([share for share, _, _ in found]):.3f} of generations, "
              f"by 300 decisions in {by} of {orders}, gain {np.mean([gain for *_, gain in found]):+.3f} a packet",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
