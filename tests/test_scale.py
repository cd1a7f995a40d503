"""The simulation of docs/scale.md: what must hold of it whatever the figures, and that the page has today's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from benchmarks import git_limits, scale
from benchmarks.scale import Constant, Git

ROOT = Path(__file__).parent.parent

MEASURED = {
    "1000": {"sharded": {"commit_s_plain": 0.1, "commit_s_sparse": 0.05}},
    "100000": {"sharded": {"commit_s_plain": 1.0, "commit_s_sparse": 0.05}},
}


def known(**values: float) -> dict[str, Constant]:
    usual = {"proposing": 1.0, "writing": 0.01, "batched": 1.0, "proposals": 10.0, "deciding": 20.0, "day": 6.0}
    return {name: Constant(value, "", "") for name, value in {**usual, **values}.items()}


def test_a_figure_of_git_between_two_sizes_lies_on_the_line_through_them() -> None:
    git = Git(MEASURED)
    assert git.of("commit_s_plain", "sharded", 1000) == pytest.approx(0.1)
    assert git.of("commit_s_plain", "sharded", 10_000) == pytest.approx(10**-0.5)
    assert git.of("commit_s_plain", "sharded", 10_000_000) == pytest.approx(10.0)


def test_more_cores_take_no_longer_and_the_writer_sets_the_limit() -> None:
    runs = [scale.ingest(known(), Git(MEASURED), cores, 50, "sparse") for cores in (16, 64, 1024)]
    assert runs[0].hours > runs[1].hours > runs[2].hours
    assert runs[0].workers_busy > 0.95
    assert runs[2].writer_busy > 0.95
    alone = scale.SOURCES * known()["writing"].value / 3600
    assert runs[2].hours > alone


def test_one_reviewer_is_never_refused_and_a_crowd_waits() -> None:
    one = scale.pushes(known(), 1, 1, 1.0)
    assert one.tries == 1.0
    assert one.median_s < 1.2
    crowd = scale.pushes(known(), 1000, 1, 1.0)
    assert crowd.landed <= 1 / 0.9  # one push lands in the time of one attempt
    assert crowd.tries > 5
    assert crowd.median_s > 10
    apart = scale.pushes(known(), 1000, 1, 1.0, branches=100)
    assert apart.median_s < crowd.median_s / 10


def test_what_is_measured_of_git_has_every_figure_that_is_told() -> None:
    found = {layout: git_limits.measure(600, layout == "sharded", 1) for layout in ("flat", "sharded")}
    told: Mapping[str, str] = scale.TOLD
    assert all(found[layout][name] > 0 for layout in found for name in (*told, "index_mb_plain"))
    assert found["flat"]["commit_kb_sparse"] > found["sharded"]["commit_kb_sparse"]


def test_the_page_has_the_tables_of_today() -> None:
    page = (ROOT / "docs/scale.md").read_text()
    results = json.loads((ROOT / "benchmarks/results.json").read_text())
    kept = page.partition("<!-- benchmarks.scale -->\n\n")[2].partition("\n\n<!-- end -->")[0]
    assert scale.report(results) == kept, "python -m benchmarks.scale"
    listed = page.partition("<!-- benchmarks.scale --constants -->\n\n")[2].partition("\n\n<!-- end -->")[0]
    assert scale.listed(results) == listed, "python -m benchmarks.scale --constants"
