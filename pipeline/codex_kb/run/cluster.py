"""Work on many things on the machines of a Ray cluster, results in the order of the things.

What a worker does is `make(shared, home)`: called once in each of its processes, it gives the function that is called
for each item. `home` calls back to this process, where a few threads answer, so that what they need (keys, a budget,
answers that are kept) never leaves it. A worker or machine that dies costs what it was at: Ray does that again.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import cached_property, lru_cache, partial
from typing import Any, TypeVar

from codex_kb.errors import CodexError, RefusedFile, ServiceError, UsageError
from codex_kb.run import mail

A = TypeVar("A")
B = TypeVar("B")

Home = Callable[[Any], Any]
#: What a worker is made by: from what is shared, and the way home.
Make = Callable[[Any, Home], Callable[[Any], Any]]

INSTALL = "pip install 'codex-kb[ray]'"
#: Items under way for each processor: the next is there when one is done, and what a killed driver loses is little.
_AHEAD = 4
#: So often an item is tried whose worker or machine died.
_TRIES = 4
#: Bytes of shared memory of a cluster of our own: sources are small, and what is larger goes to disk.
_MEMORY = 200_000_000
#: Seconds for a machine to answer at all.
_REACH = 20.0
#: Seconds between two looks at what was finished.
_LOOK = 2.0
#: What Ray reads when it is imported: nothing goes to its makers, a token is asked for, and what it says of workers
#: does not go to standard output, where results are.
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_DEDUP_LOGS_SKIP_REGEX": "."}
#: Rows that an error names.
_NAMED = 8


class Cluster:
    """A Ray cluster, begun or joined when there is work for it."""

    def __init__(self, engine: str, patience: float) -> None:
        """`ray` is a cluster of our own, `ray://HOST:PORT` one to join; `patience` is minutes without a result.

        Raises:
            UsageError: Ray is not installed.
        """
        if importlib.util.find_spec("ray") is None:
            raise UsageError("an engine needs more packages", hint=INSTALL)
        self._address = engine.partition("://")[2]
        self._patience = 60 * patience
        self._closing = contextlib.ExitStack()
        self._sent: tuple[Any, Any] | None = None

    @cached_property
    def _ray(self) -> Any:
        """Ray, connected. Raises ServiceError."""
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        own = None if self._address else _folder(self._closing)
        import ray  # noqa: PLC0415

        try:
            if ":" in self._address:
                _reach(self._address)
            with _environment(own):
                options = _options(own) if own else {"address": self._address}
                ray.init(**options, log_to_driver=False, logging_level="CRITICAL")
        except (OSError, OverflowError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            said = str(error).strip().splitlines()
            where = f"the Ray cluster at {self._address} cannot be joined" if self._address else "Ray does not start"
            raise ServiceError(f"{where}: {said[0] if said else type(error).__name__}",
                               hint="docs/cluster.md tells what it takes") from error  # fmt: skip
        self._closing.callback(ray.shutdown)
        return ray

    def close(self) -> None:
        """Leave the cluster; end one of our own, by the processes that were started."""
        self._closing.close()

    def in_order(
        self, make: Make, shared: Any, items: Iterable[A], send: Callable[[A], Any], home: Home | None = None,
        at_once: int = 1,
    ) -> Generator[tuple[A, Callable[[], Any]], None, None]:  # fmt: skip
        """Each item with a function that gives its result, or raises what its work raised; some items ahead.

        `send` gives what a worker gets of an item; what it raises is raised in place of the result. `home` answers
        `at_once` questions of workers at a time, in threads of this process.

        Raises (by the function):
            RefusedFile: its worker died time and again, or met a fault of ours.
            ServiceError: nothing was finished for too long, or the cluster is gone.
        """
        ray = self._ray
        with _answering(ray, home, at_once) as box:
            work = ray.remote(_work).options(max_retries=_TRIES - 1, num_cpus=1)
            given = (make, [self._put(shared)], box)
            waiting: deque[tuple[A, Callable[[], Any]]] = deque()
            begun: dict[A, Any] = {}
            try:
                for item in items:
                    waiting.append((item, self._begin(work, given, item, send, begun)))
                    if len(waiting) >= _AHEAD * max(_processors(ray), at_once):
                        yield _next(waiting, begun)
                while waiting:
                    yield _next(waiting, begun)
            finally:
                for ref in begun.values():
                    with contextlib.suppress(Exception):  # it is over, one way or the other
                        ray.cancel(ref, force=True)

    def _put(self, shared: Any) -> Any:
        """What is shared, sent once however often there is work: workers are made anew for another."""
        if self._sent is None or self._sent[0] is not shared:
            self._sent = shared, self._ray.put(shared)
        return self._sent[1]

    def _begin(
        self, work: Any, given: tuple[Any, ...], item: A, send: Callable[[A], Any], begun: dict[A, Any]
    ) -> Callable[[], Any]:  # fmt: skip
        """Have a worker do an item; what gives its result."""
        try:
            begun[item] = work.remote(*given, send(item))
        except CodexError as error:
            return partial(_raise, error)
        return partial(self._result, begun, item)

    def _result(self, begun: dict[A, Any], item: A) -> Any:
        """The result of an item, waited for as long as anything is finished."""
        ray = self._ray
        ref, finished, since = begun[item], 0, time.monotonic()
        while not ray.wait([ref], timeout=min(_LOOK, self._patience))[0]:
            now = len(ray.wait(list(begun.values()), num_returns=len(begun), timeout=0)[0])
            if now > finished:
                finished, since = now, time.monotonic()
            elif time.monotonic() - since >= self._patience:
                raise self._stalled(ref, begun)
        try:
            found, error = ray.get(ref)
        except ray.exceptions.RayTaskError as fault:
            raise RefusedFile(f"a fault of ours in a worker: {fault.cause!r}", hint="please report it") from fault
        except _died(ray) as died:
            raise RefusedFile(f"its worker died {_TRIES} times: {type(died).__name__}",
                              hint="it may take more memory than there is: run it in process") from died  # fmt: skip
        except ray.exceptions.RayError as lost:
            raise ServiceError(f"the cluster is gone: {type(lost).__name__}",
                               hint="run the same again: what is done stays done") from lost  # fmt: skip
        if error is not None:
            raise error
        return found

    def _stalled(self, ref: Any, begun: dict[A, Any]) -> ServiceError:
        """Nothing was finished for too long: what is in flight, and where."""
        ray = self._ray
        done = set(ray.wait(list(begun.values()), num_returns=len(begun), timeout=0)[0])
        rows = [str(item) for item, each in begun.items() if each not in done]
        more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
        free = int(ray.available_resources().get("CPU", 0))
        nodes = ", ".join(map(_node, ray.nodes()))
        return ServiceError(
            f"nothing was finished for {self._patience / 60:g} min; in flight: {', '.join(rows[:_NAMED])}{more}; "
            f"nodes: {nodes}; {free} processors are free",
            hint="[run] patience waits longer; run the same again: what is done stays done",
        )


def _reach(address: str) -> None:
    """Stop where nobody listens: Ray itself would try for two minutes. Raises OSError, OverflowError, ValueError."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), _REACH).close()


def _died(ray: Any) -> tuple[type[Exception], ...]:
    """What Ray raises where a worker or its machine died."""
    found = ray.exceptions
    return found.WorkerCrashedError, found.NodeDiedError, found.OutOfMemoryError


def _node(node: dict[str, Any]) -> str:
    """A machine of the cluster, for a person."""
    state = f"{int(node['Resources'].get('CPU', 0))} processors" if node["Alive"] else "dead"
    return f"{node['NodeManagerAddress']} ({state})"


def _folder(closing: contextlib.ExitStack) -> str:
    """The folder of a cluster of our own, which goes with it. Only this process and its children know its token."""
    short = "/tmp" if os.path.isdir("/tmp") else None  # the paths of sockets have at most 107 bytes
    folder = tempfile.mkdtemp(prefix="codex-ray-", dir=short)
    closing.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    return folder


@contextlib.contextmanager
def _environment(folder: str | None) -> Iterator[None]:
    """Processes that are begun in here have their temporary files in the folder: Ray ends them before they tidy up."""
    before = os.environ.get("TMPDIR")
    if folder:
        os.environ["TMPDIR"] = folder
    try:
        yield
    finally:
        os.environ.pop("TMPDIR", None)
        os.environ.update({} if before is None else {"TMPDIR": before})


def _options(folder: str) -> dict[str, Any]:
    """How a cluster of our own begins."""
    return {"address": "local", "include_dashboard": False, "object_store_memory": _MEMORY, "_temp_dir": folder,
            "_node_ip_address": "127.0.0.1"}  # fmt: skip


def _processors(ray: Any) -> int:
    """Processors of the cluster as it is now."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _next(waiting: deque[tuple[A, Callable[[], Any]]], begun: dict[A, Any]) -> tuple[A, Callable[[], Any]]:
    """The first that waits, whose result is let go once it is taken."""
    item, result = waiting.popleft()

    def take() -> Any:
        try:
            return result()
        finally:
            begun.pop(item, None)

    return item, take


def _raise(error: CodexError) -> None:
    raise error


@contextlib.contextmanager
def _answering(ray: Any, home: Home | None, at_once: int) -> Iterator[Any]:
    """Answers questions of workers in here; gives the box that they ask through."""
    if home is None:
        yield None
        return
    # On the node of this process: where that is lost, so is the run.
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    box = ray.remote(mail.Box).options(num_cpus=0, max_concurrency=10_000, scheduling_strategy=here).remote()
    threads = [threading.Thread(target=_answer, args=(ray, box, home), daemon=True) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    try:
        yield box
    finally:
        with contextlib.suppress(Exception):  # it is over, one way or the other
            ray.kill(box)
        for thread in threads:
            thread.join()


def _answer(ray: Any, box: Any, home: Home) -> None:
    """Answer one question after the other, until the box is gone."""
    with contextlib.suppress(ray.exceptions.RayError):
        while True:
            number, question = ray.get(box.next.remote())
            try:
                answer = _tried(home, question)
            except Exception as error:  # a worker waits for it
                answer = None, CodexError(f"a fault of ours: {error!r}")
            ray.get(box.tell.remote(number, answer))


def _tried(work: Callable[[Any], Any], item: Any) -> tuple[Any, CodexError | None]:
    """The result, or the error that is data: what else is raised is a fault."""
    try:
        return work(item), None
    except CodexError as error:
        return None, error


# -- in a worker ------------------------------------------------------------------------------------


def _work(make: Make, shared: list[Any], box: Any, item: Any) -> tuple[Any, CodexError | None]:
    """One item's result, or what its work raised."""
    return _tried(_made(make, shared[0], box), item)


@lru_cache(maxsize=1)
def _made(make: Make, shared: Any, box: Any) -> Callable[[Any], Any]:
    """What this process does, made once."""
    import ray  # noqa: PLC0415

    def home(question: Any) -> Any:
        found, error = ray.get(box.ask.remote(question))
        if error is not None:
            raise error
        return found

    return make(ray.get(shared), home)
