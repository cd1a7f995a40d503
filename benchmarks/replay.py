"""What decisions would have been worth on a real corpus: approvals among the first ten beyond the untaught order.

    python -m benchmarks.replay [--rounds 3]

Reads the sources of ../shared/corpora with known answers; a claim is wanted where its title has cosine >= 0.6 with one
that people accepted ("real"), where it has a planted taste ("planted"), or where it has one that differs between
domains ("split"). The first ten of each source are decided. `by date`: each source is proposed from after those before
it were decided, a generation every 30 decisions. `folds`: five folds over sources, `--rounds` times shuffled. Prints
the mean gain a source of one general order, of specialists (partial pooling), and of domains each for itself, with 95 %
intervals (bootstrap by source). No trial keeps anything out here: see `trials`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.trials import CORPORA, EVERY, MOST, Candidates, planted, read, taught
from codex_kb.encoders import model
from codex_kb.learn import ranker, specialists
from codex_kb.learn.ranker import Group, Ranker
from codex_kb.propose.choice import most_relevant
from codex_kb.text import markdown_file

FOLDS = 5
Wants = Callable[[Candidates], np.ndarray]
#: The order for a source of a domain.
Orders = Callable[[str], Ranker | None]


def group(each: Candidates, wanted: np.ndarray, domain: str) -> Group:
    """What the first ten of a source, decided, teach."""
    shown = most_relevant(each.vectors, each.scores, MOST, each.places)
    vectors = each.vectors[shown].astype(np.float64)
    return Group(each.path, each.scores[shown], each.plain[shown], vectors, wanted[shown], domain)


def gain(each: Candidates, order: Ranker | None, wanted: np.ndarray) -> int:
    """Approvals among the first ten beyond the untaught order's."""
    now = most_relevant(each.vectors, taught(each, order, np.random.default_rng()), MOST, each.places)
    before = most_relevant(each.vectors, each.scores, MOST, each.places)
    return int(wanted[now].sum() - wanted[before].sum())


def general(groups: Sequence[Group]) -> Orders:
    """One order for all."""
    found = ranker.fit(groups)
    return lambda domain: found


def pooled(groups: Sequence[Group]) -> Orders:
    """Specialists where the evidence is for them."""
    found = specialists.fit(groups)
    return lambda domain: found.of(domain) if found else None


def separate(groups: Sequence[Group]) -> Orders:
    """Each domain for itself."""
    found = {name: ranker.fit([g for g in groups if g.specialty == name]) for name in {g.specialty for g in groups}}
    return found.get


LEARNERS = {"general": general, "specialists": pooled, "separate": separate}


def by_date(sources: Sequence[Candidates], domains: dict[str, str], wants: Wants) -> list[tuple[str, list[int]]]:
    """The gains of each source, by learner, in order of date: a path begins with its date."""
    groups: list[Group] = []
    found, since = [], 0
    orders = [learner([]) for learner in LEARNERS.values()]
    for each in sorted(sources, key=lambda one: Path(one.path).name):
        wanted, domain = wants(each), domains[each.path]
        found.append((each.path, [gain(each, order(domain), wanted) for order in orders]))
        groups.append(group(each, wanted, domain))
        since += MOST
        if since >= EVERY:
            since, orders = 0, [learner(groups) for learner in LEARNERS.values()]
    return found


def by_folds(
    sources: Sequence[Candidates], domains: dict[str, str], wants: Wants, rounds: int
) -> list[tuple[str, list[int]]]:
    """The gains of each source, by learner, from the decisions of the other folds."""
    found = []
    for turn in range(rounds):
        shuffled = np.random.default_rng(turn).permutation(len(sources))
        for fold in range(FOLDS):
            groups = [group(sources[at], wants(sources[at]), domains[sources[at].path])
                      for place, at in enumerate(shuffled) if place % FOLDS != fold]  # fmt: skip
            orders = [learner(groups) for learner in LEARNERS.values()]
            for each in (sources[at] for at in shuffled[fold::FOLDS]):
                gains = [gain(each, order(domains[each.path]), wants(each)) for order in orders]
                found.append((each.path, gains))
    return found


def interval(found: Sequence[tuple[str, list[int]]]) -> list[tuple[float, float, float]]:
    """Of each learner the mean gain a source, and its 95 % interval by sources."""
    of: dict[str, list[list[int]]] = {}
    for path, gains in found:
        of.setdefault(path, []).append(gains)
    means = np.array([np.mean(gains, axis=0) for gains in of.values()])
    rng = np.random.default_rng(0)
    drawn = np.array([means[rng.integers(len(means), size=len(means))].mean(axis=0) for _ in range(2000)])
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return list(zip(means.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True))


def main() -> None:
    """Print the gains."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    with TemporaryDirectory() as local:
        sources = read(model.load("", Path(local), lambda _: None))
    domains = {each.path: domain(each.path) for each in sources}
    names = sorted(set(domains.values()))

    def split(each: Candidates) -> np.ndarray:
        """Figures in every other domain, and in the others none."""
        figures = planted(each)
        return figures if names.index(domains[each.path]) % 2 else ~figures & (each.scores > np.median(each.scores))

    wants: dict[str, Wants] = {"real": lambda each: each.accepted, "planted": planted, "split": split}
    for name, want in wants.items():
        for how, found in (("by date", by_date(sources, domains, want)),
                           ("folds", by_folds(sources, domains, want, rounds))):  # fmt: skip
            for learner, (mean, low, high) in zip(LEARNERS, interval(found), strict=True):
                print(f"{name:8} {how:8} {learner:12} {mean:+.2f} ({low:+.2f}, {high:+.2f})", flush=True)


def domain(path: str) -> str:
    """What the source's frontmatter says."""
    fields = markdown_file.parse((CORPORA / "teleo" / path).read_bytes(), path).fields
    return str(fields.get("domain", ""))


if __name__ == "__main__":
    main()
