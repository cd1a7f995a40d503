"""A million sources, ten million texts and a thousand reviewers, simulated from what was measured on one machine.

    .venv/bin/python -m benchmarks.scale [--constants]

Nothing is timed here. Speeds, bytes and git's seconds come from `results.json`, where `make bench` and
`benchmarks.git_limits` put them; what nobody measured is an assumption, and `--constants` lists both. docs/scale.md
holds what this prints, and a test compares them.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_RESULTS = Path(__file__).with_name("results.json")
_SEED = 1810
_HOUR = 3600.0

SOURCES, TEXTS, REVIEWERS = 1_000_000, 10_000_000, 1_000
CORES = (2, 16, 64, 256, 1024)
#: Sources that one commit holds (`[git] batch`), and git's index.
_WAYS = ((50, "plain"), (1000, "plain"), (1000, "sparse"))


class Constant(NamedTuple):
    """A number with its unit, and the command that measured it; `assumed` where nobody did."""

    value: float
    unit: str
    where: str


def constants(results: Mapping[str, Any]) -> dict[str, Constant]:
    """Everything that the simulation depends on, but for git's seconds."""
    parts = results["parts"]
    cores = results["machine"]["cores"]
    claims = parts["embed"]["found"]["claims"]["tools"]["codex"]["texts_a_second"]
    ingest = parts["ingest"]["found"]
    whole = ingest["seconds"] / ingest["sources"]
    profiled = ingest["profiled_parts_s"]
    drivers = sum(profiled[part] for part in _DRIVERS) / ingest["profiled_s"]
    embedding = profiled["embedding"] / ingest["profiled_s"]
    bench = "make bench PARTS={}"
    corpus = "mean of the corpus"
    return {
        "embedding": Constant(claims / cores, "texts a second and core, of 82 words", bench.format("embed")),
        "proposing": Constant(whole * (1 - drivers + embedding * (cores - 1)), "core seconds a source",
                              bench.format("ingest")),
        "writing": Constant(whole * drivers, "seconds of the one who writes, a source", bench.format("ingest")),
        "batched": Constant(0.3, "of these seconds that stay where one commit has many sources", "assumed"),
        "source": Constant(6.1, "KB", corpus),
        "claim": Constant(4.2, "KB", corpus),
        "packet": Constant(24.0, "KB a source while it waits", "this repository's first packets"),
        "decision": Constant(1.5, "KB", "this repository's codex/decisions"),
        "entry": Constant(2.2, "KB a claim in the committed index", "README, Figures"),
        "copy": Constant(6.0, "KB a claim in the local copy", "a million made-up claims, README"),
        "proposals": Constant(10, "a source", "the default of [ingest] max_claims"),
        "approved": Constant(0.3, "of the proposals", "assumed"),
        "deciding": Constant(20, "seconds a proposal", "assumed; codex audit --effort tells yours"),
        "day": Constant(6, "hours of reviewing a day", "assumed"),
        "network": Constant(0.3, "seconds for a fetch or a push to travel", "assumed"),
        "calls": Constant(3, "questions to a language model a source", "assumed; --dry-run tells yours"),
        "answer": Constant(15, "seconds a question", "assumed"),
        "at_once": Constant(64, "questions at a time that a service allows", "assumed"),
        "tokens_in": Constant(8000, "tokens a question", "assumed; --dry-run tells yours"),
        "tokens_out": Constant(1500, "tokens an answer", "assumed"),
        "price_in": Constant(0.25, "dollars a million tokens asked", "assumed"),
        "price_out": Constant(2.00, "dollars a million tokens answered", "assumed"),
        "core_hour": Constant(0.04, "dollars a core and hour", "assumed"),
    }


#: Parts of an ingest that the one who writes cannot leave to others.
_DRIVERS = ("git", "git, looking for changes", "writing files")


class Git:
    """Seconds and bytes of git by the number of its files, between and beyond the sizes measured (log-log)."""

    def __init__(self, measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
        self._measured = sorted((int(size), found) for size, found in measured.items())

    def of(self, name: str, layout: str, files: float) -> float:
        """The measured quantity `name` of a layout at so many files."""
        known = [(math.log(size), math.log(max(found[layout][name], 1e-3))) for size, found in self._measured]
        at = math.log(max(files, 1.0))
        low = max(0, min(len(known) - 2, sum(size <= at for size, _ in known) - 1))
        (x0, y0), (x1, y1) = known[low], known[low + 1]
        return math.exp(y0 + (y1 - y0) * (max(at, known[0][0]) - x0) / (x1 - x0))


# -- ingest ----------------------------------------------------------------------------------------


class Run(NamedTuple):
    """What a run over all sources took: hours, and the shares of them that its two sides were busy."""

    hours: float
    workers_busy: float
    writer_busy: float


def ingest(known: Mapping[str, Constant], git: Git, cores: int, batch: int, index: str) -> Run:
    """Workers propose, one process writes in the sources' order and commits each batch; two batches a core wait.

    `index` is git's own, `plain` or `sparse`.

    A batch is the unit: its seconds vary as a sum of so many sources does whose lengths are lognormal (sigma 0.8).
    """
    rng = random.Random(_SEED)
    count = SOURCES // batch
    spread = math.sqrt(math.expm1(0.8**2) / batch)
    free = [0.0] * cores
    written: list[float] = []
    work = busy = writer = 0.0
    for number in range(count):
        ready = written[number - 2 * cores] if number >= 2 * cores else 0.0
        start = max(heapq.heappop(free), ready)
        seconds = batch * known["proposing"].value * max(0.1, rng.gauss(1, spread))
        heapq.heappush(free, start + seconds)
        work += seconds
        files = SOURCES + 3 * batch * (number + 1)
        takes = batch * known["writing"].value * known["batched"].value + git.of(f"commit_s_{index}", "sharded", files)
        writer = max(writer, start + seconds) + takes
        busy += takes
        written.append(writer)
    return Run(writer / _HOUR, work / cores / writer, busy / writer)


# -- reviewers -------------------------------------------------------------------------------------


class Pushed(NamedTuple):
    """A day of pushes: how many a second landed, tries each, median seconds from the first try to the last."""

    landed: float
    tries: float
    median_s: float


def pushes(
    known: Mapping[str, Constant], reviewers: int, sources_a_push: int, attempt: float, branches: int = 1
) -> Pushed:
    """Everyone fetches, merges and pushes; a push is refused where another landed since the fetch, and is tried again.

    `attempt` is seconds from a fetch to the end of its push; from one try to the next a random pause is made, longer
    each time (exponential backoff, at most 64 attempts). Reviewers are spread evenly over `branches`.
    """
    rng = random.Random(_SEED)
    here = max(1, reviewers // branches)
    reading = sources_a_push * known["proposals"].value * known["deciding"].value
    end = known["day"].value * _HOUR
    events = [(rng.uniform(0, reading), number, 0.0, 0, -1) for number in range(here)]
    heapq.heapify(events)
    tip, waits, tried = 0, [], 0
    while events:
        now, who, first, tries, seen = heapq.heappop(events)
        if seen < 0:  # fetch, and try
            if tries or now <= end:
                took = attempt * rng.uniform(0.9, 1.1)
                heapq.heappush(events, (now + took, who, first if tries else now, tries + 1, tip))
        elif seen != tip:
            heapq.heappush(events, (now + attempt * rng.uniform(0, min(2**tries, 64)), who, first, tries, -1))
        else:
            tip += 1
            waits.append(now - first)
            tried += tries
            heapq.heappush(events, (now + reading * rng.lognormvariate(-0.08, 0.4), who, 0.0, 0, -1))
    landed = len(waits)
    waits.sort()
    return Pushed(landed * branches / end, tried / max(1, landed), waits[landed // 2] if waits else math.inf)


# -- what is printed -------------------------------------------------------------------------------


def report(results: Mapping[str, Any]) -> str:
    """All tables, as Markdown."""
    known = constants(results)
    git = Git(results["parts"]["git_limits"]["found"])
    tables = (_bulk(known, git), _language(known), _reviewing(known, git), _stored(known, git), _layouts(git))
    return "\n\n".join(tables)


def listed(results: Mapping[str, Any]) -> str:
    """The constants as a Markdown table."""
    rows = [(name, f"{each.value:.4g}", each.unit, each.where) for name, each in constants(results).items()]
    return _table(("constant", "value", "unit", "where"), rows)


def _bulk(known: Mapping[str, Constant], git: Git) -> str:
    rows = []
    for cores in CORES:
        embedding = TEXTS / (known["embedding"].value * cores) / _HOUR
        runs = [ingest(known, git, cores, batch, index) for batch, index in _WAYS]
        cost = (embedding + min(run.hours for run in runs)) * cores * known["core_hour"].value
        told = [f"{_hours(run.hours)} ({run.workers_busy:.0%}, {run.writer_busy:.0%})" for run in runs]
        rows.append((f"{cores:,}", _hours(embedding), *told, f"${cost:,.0f}"))
    ways = [f"a million sources, commits of {batch}, {index} index" for batch, index in _WAYS]
    return (
        "Bulk work. In brackets: how much of the time workers and writer are busy; the last column is the price of "
        "both, with the quickest commits.\n\n" + _table(("cores", "10 million texts embedded", *ways, "machines"), rows)
    )


def _language(known: Mapping[str, Constant]) -> str:
    questions = SOURCES * known["calls"].value
    hours = questions * known["answer"].value / known["at_once"].value / _HOUR
    asked = questions * known["tokens_in"].value / 1e6 * known["price_in"].value
    answered = questions * known["tokens_out"].value / 1e6 * known["price_out"].value
    head = ("questions to a language model", "hours at the service's limit", "cost")
    return "Were a language model to propose:\n\n" + _table(
        head, [(f"{questions:,.0f}", f"{hours:,.0f}", f"${asked + answered:,.0f}")]
    )


def _reviewing(known: Mapping[str, Constant], git: Git) -> str:
    own = sum(git.of(f"{name}_s_sparse", "sharded", 3 * SOURCES) for name in ("commit", "push"))
    attempt = 2 * known["network"].value + own
    rows = []
    for reviewers, sources, branches in (
        (10, 1, 1), (100, 1, 1), (REVIEWERS, 1, 1), (REVIEWERS, 10, 1), (REVIEWERS, 1, 20), (REVIEWERS, 10, 20)
    ):  # fmt: skip
        day = pushes(known, reviewers, sources, attempt, branches)
        wanted = reviewers / (sources * known["proposals"].value * known["deciding"].value)
        rows.append((f"{reviewers:,}", str(sources), str(branches), f"{wanted:.2f}", f"{day.landed:.2f}",
                     f"{day.tries:.1f}", f"{day.median_s:,.0f} s"))  # fmt: skip
    days = SOURCES * known["proposals"].value * known["deciding"].value / _HOUR / known["day"].value / REVIEWERS
    head = ("reviewers", "sources a push", "branches", "pushes a second, did none wait", "landed", "tries each",
            "median wait")  # fmt: skip
    return "Reviewers who push what they decided:\n\n" + _table(head, rows) + (
        f"\n\nAll ten million proposals take {REVIEWERS:,} reviewers {days:,.0f} days; an attempt to push takes "
        f"{attempt:.1f} s."
    )


def _stored(known: Mapping[str, Constant], git: Git) -> str:
    claims = SOURCES * known["proposals"].value * known["approved"].value
    proposals = SOURCES * known["proposals"].value
    rows = [
        ("sources", f"{SOURCES:,}", _gigabytes(SOURCES * known["source"].value)),
        ("packets, were all to wait at once", f"{2 * SOURCES:,}", _gigabytes(SOURCES * known["packet"].value)),
        ("decisions", f"{SOURCES:,}", _gigabytes(proposals * known["decision"].value)),
        ("claims", f"{claims:,.0f}", _gigabytes(claims * known["claim"].value)),
        ("committed index", f"{claims:,.0f}", _gigabytes(claims * known["entry"].value)),
        ("local copy of the index (not in git)", "", _gigabytes(claims * known["copy"].value)),
    ]
    files = 2 * SOURCES + 2 * claims
    return "What is stored:\n\n" + _table(("what", "files", "GB"), rows) + (
        f"\n\nWith nothing waiting that is {files:,.0f} files: git's own index of them would be "
        f"{git.of('index_mb_plain', 'sharded', files):,.0f} MB, which every commit reads and writes."
    )


def _layouts(git: Git) -> str:
    rows = []
    for files in (100_000, 1_000_000, 8_000_000):
        for layout in ("flat", "sharded"):
            folders = "one folder" if layout == "flat" else "256 folders"
            told = [_two_digits(git.of(name, layout, files), unit) for name, unit in TOLD.items()]
            rows.append((f"{files:,}", folders, *told))
    head = ("files", "in", "a commit", "with a sparse index", "its objects", "a push", "a clone", "a partial clone")
    return (
        "What git takes to commit and push one changed file (`its objects` are what that adds), and the size of a "
        "clone; eight million files are carried on from a million.\n\n" + _table(head, rows)
    )


#: What is told of a layout, and its unit.
TOLD = {
    "commit_s_plain": "s",
    "commit_s_sparse": "s",
    "commit_kb_sparse": "KB",
    "push_s_sparse": "s",
    "clone_whole_mb": "MB",
    "clone_partial_mb": "MB",
}


def _two_digits(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 10 else f"{value:.2g} {unit}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _hours(hours: float) -> str:
    if hours < 1:
        return f"{60 * hours:,.1f} min"
    return f"{hours:,.1f} h" if hours < 48 else f"{hours / 24:,.1f} days"


def _gigabytes(kilobytes: float) -> str:
    return f"{kilobytes / 1e6:,.1f}"


def main() -> None:
    """Print the tables, or what they rest on."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--constants", action="store_true", help="what was measured where, and what is assumed")
    results = json.loads(_RESULTS.read_text())
    print(listed(results) if options.parse_args().constants else report(results))


if __name__ == "__main__":
    main()
