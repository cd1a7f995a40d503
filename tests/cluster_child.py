"""What workers do in the tests of a cluster; run, it has a cluster do the items that it is given, and prints JSON.

python cluster_child.py ENGINE PATIENCE ITEM...
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from codex_kb.errors import CodexError, ModelError
from codex_kb.run.cluster import Cluster


def make(shared: str, home: Callable[[str], str]) -> Callable[[str], str]:
    """A worker that was told something."""
    return partial(work, shared, home)


def work(shared: str, home: Callable[[str], str], item: str) -> str:
    """What the item asks for."""
    if item == "refuse":
        raise ModelError("truncated", "cut off", tokens=(3, 4))
    if item == "fault":
        raise ZeroDivisionError("by nothing")
    if item == "die":
        os._exit(1)
    if item == "hang":
        time.sleep(3600)
    return f"{shared} {home(item) if item.startswith('ask') else item}"


def at_home(question: str) -> str:
    """What the driver answers."""
    if question == "ask in vain":
        raise ZeroDivisionError("at home")
    return f"answer to {question}"


def send(item: str) -> str:
    """One item cannot be sent."""
    if item == "gone":
        raise CodexError("it is gone")
    return item


def main(engine: str, patience: str, *items: str) -> None:
    found: list[Any] = []
    with contextlib.closing(Cluster(engine, float(patience))) as cluster:
        for item, result in cluster.in_order(make, "told", items, send, at_home, 2):
            try:
                found.append([item, result()])
            except CodexError as error:
                found.append([item, type(error).__name__, error.message])
                if "nothing was finished" in error.message:
                    break
    print(json.dumps(found))


if __name__ == "__main__":
    from cluster_child import main as run  # workers find it by its name

    run(*sys.argv[1:])
