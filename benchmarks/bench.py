"""Every measurement: `make bench`, `make bench PARTS="cold warm" SIZES="460 10000"`; see README.md."""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import cold, distill, embed, facts, ingest, knowledge_base, peers, plot, ranking, warm

HERE = Path(__file__).resolve().parent
#: Parts that are measured at every size, and those that have one of their own.
SIZED = ("cold", "memory", "warm", "distill", "approximate")
OTHER = ("embed", "ranking", "ingest")
SIZES = (460, 10_000)


def main() -> None:
    """Measure what is asked for, print it, and keep it in the results."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parts", nargs="+", choices=SIZED + OTHER, default=SIZED + OTHER)
    options.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    options.add_argument("--rounds", type=int, default=15, help="rounds of cold and distill (15)")
    options.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "bench",
                         help="where knowledge bases are kept from run to run")  # fmt: skip
    options.add_argument("--results", type=Path, default=HERE / "results.json")
    args = options.parse_args()
    facts.installed()
    args.scratch.mkdir(parents=True, exist_ok=True)
    results = _read(args.results)
    print(f"{results['machine']['processor']}, {results['machine']['cores']} cores, "
          f"Python {results['machine']['python']}")  # fmt: skip
    print("median (quartiles); files are in the page cache; codex is an installed wheel with bytecode")
    for name, why in results["missing"].items():
        print(f"not measured: {name}: {why}")
    for size in args.sizes if set(args.parts) & set(SIZED) else ():
        root = knowledge_base.ready(args.scratch, size)
        made = json.loads((args.scratch / f"{root.name}.json").read_text())
        _keep(args.results, results, "knowledge_base", str(size), made)
        for part in (part for part in SIZED if part in args.parts):
            print(f"{part}, {size} claims", flush=True)
            _keep(args.results, results, part, str(size), _sized(part, root, args.scratch, args.rounds, results))
    for part in (part for part in OTHER if part in args.parts):
        print(part, flush=True)
        found = {"embed": lambda: embed.measure(args.scratch, 7), "ranking": ranking.measure,
                 "ingest": lambda: ingest.measure(knowledge_base.ROOT, 100_000)}[part]()  # fmt: skip
        _keep(args.results, results, part, "", found)


def _sized(part: str, root: Path, scratch: Path, rounds: int, results: dict[str, Any]) -> dict[str, Any] | None:
    size = root.name.removeprefix("k")
    match part:
        case "cold":
            return cold.measure(root, peers.ready(scratch, root), rounds)
        case "memory":
            return cold.memory(root, peers.ready(scratch, root))
        case "warm":
            return warm.measure(root, peers.ready(scratch, root))
        case "distill":
            return distill.measure(root, rounds, 5)
        case _:
            return warm.approximate(root, results["parts"].get("warm", {}).get(size, {}).get("found"))


def _read(path: Path) -> dict[str, Any]:
    """The results so far, where they are of this machine and these versions."""
    machine = facts.machine()
    fresh = {"machine": machine, "missing": peers.missing(), "parts": {}}
    if not path.exists():
        return fresh
    before = json.loads(path.read_text())
    if before["machine"] != machine:
        print(f"{path}: of another machine or other versions, begun anew")
        return fresh
    return {**before, "missing": peers.missing()}


def _keep(path: Path, results: dict[str, Any], part: str, size: str, found: dict[str, Any] | None) -> None:
    """Put what was found among the results, and draw the plot anew."""
    if found is None:
        return
    value = {"date": datetime.date.today().isoformat(), "commit": facts.commit(), "found": found}
    if size:
        results["parts"].setdefault(part, {})[size] = value
    else:
        results["parts"][part] = value
    path.write_text(json.dumps(results, indent=1) + "\n")
    if part == "cold":
        drawn = {size: value["found"] for size, value in results["parts"]["cold"].items()}
        path.with_name("cold.svg").write_text(plot.svg(drawn))


if __name__ == "__main__":
    main()
