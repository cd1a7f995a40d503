"""Settings: codex.toml as a typed, frozen table. Unknown keys and wrong types name file, line and key."""

from __future__ import annotations

import dataclasses
import json
import re
import string
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

from codex_kb import layout
from codex_kb.errors import UsageError

FILE_NAME = "codex.toml"

#: What `[check]` may say of a rule.
Level = Literal["off", "note", "error"]

#: Who may do bulk work, and how a person is told.
LOCAL_ENGINE = "local"
ENGINE = re.compile(r"local|ray(://[A-Za-z0-9.:\[\]_-]{1,253})?")
ENGINES = "local, ray for a Ray cluster of this machine's own, or ray://HOST:PORT"

_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_MOST_DOLLARS = 1e9
#: What patterns of `[git]` may name.
_PATTERNS = {"branch": ("source", "slug"), "subject": ("source", "slug", "agent", "n")}
_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
#: Trailers that say who decided what: the program's alone.
_OUR_TRAILERS = ("source", "proposed-by", "reviewed-by", "generation")
#: Characters of a pattern or a trailer.
_MOST_CHARACTERS = 500
#: Bytes of a folder's name.
_LONGEST = 255
#: Folders that are git's or the program's, and hold nobody's claims and sources.
_NOT_FOLDERS = (".git", layout.LOCAL, *layout.NOT_CLAIMS, layout.PACKETS)
#: Bytes of codex.toml.
_LIMIT = 1_000_000
#: Parts of a dotted key: the time to read one grows with their square.
MOST_PARTS = 100
#: A string or a comment of TOML, closed or not.
STRING = re.compile(r'''"""(?:[^\\]|\\.|\\\Z)*?(?:"""|\Z)|\'{3}.*?(?:\'{3}|\Z)'''
                     r'''|"(?:[^"\\\n]|\\[^\n])*+"?|'[^'\n]*+'?|\#[^\n]*+''', re.DOTALL)  # fmt: skip
#: What stands in no dotted key.
_BETWEEN = re.compile(r"[^\w.\- \t]")


def _no_names() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Kb:
    """`[kb]`: which folders hold what, relative to the root."""

    claims: tuple[str, ...] = ("codex",)
    sources: tuple[str, ...] = ("inbox",)
    write: str = ""


@dataclass(frozen=True, slots=True)
class Ingest:
    """`[ingest]`: limits of one run."""

    max_bytes: int = 10_000_000
    max_claims: int = 10


@dataclass(frozen=True, slots=True)
class Propose:
    """`[propose]`: which proposer drafts claims, and within what limits.

    `budget` is US dollars a run (0: none), `price` US dollars for a million tokens asked and answered.
    """

    model: str = "extractive"
    jobs: int = 4
    budget: float = 0.0
    price: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """`[agents.NAME]`: who proposes from the sources of some domains, with which model and instructions.

    `trying` are new instructions, which half of the sources get in place of the others.
    """

    domains: tuple[str, ...] = ()
    model: str = ""
    instructions: str = ""
    trying: str = ""


def _no_levels() -> Mapping[str, Level]:
    return MappingProxyType({})


def _no_agents() -> Mapping[str, Agent]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Index:
    """`[index]`: which sentence-transformers model embeds claims; empty is the embedded default."""

    model: str = ""


@dataclass(frozen=True, slots=True)
class Git:
    """`[git]`: where commits go and what they say. `{source}`, `{agent}` and `{n}` are filled in.

    `batch` sources of one run of ingest are one commit; 0 is 1 in this process and 50 with an engine.
    """

    branch: str = ""
    subject: str = ""
    batch: int = 0
    trailers: Mapping[str, str] = field(default_factory=_no_names)


@dataclass(frozen=True, slots=True)
class Run:
    """`[run]`: who does bulk work: `local` is this process, `ray` and `ray://HOST:PORT` a Ray cluster.

    `files` is the folder or the fsspec URL where workers find the knowledge base's tree themselves; empty has sources
    sent to them. After `patience` minutes without a finished source a run on a cluster stops.
    """

    engine: str = LOCAL_ENGINE
    files: str = ""
    patience: int = 10


@dataclass(frozen=True, slots=True)
class Learn:
    """`[learn]`: after how many new decisions a distillation closes a generation."""

    every: int = 30


@dataclass(frozen=True, slots=True)
class Review:
    """`[review]`: the parts of what is shown that measure the proposer, once a generation was closed; 0 is none.

    `blind` is the part of the proposals that are shown without hints, `explore` the part that is mixed in of what was
    not chosen, `repeat` the part that is asked again of what was decided before. `alone`
    is how many sources a generation are read without proposals first.
    """

    blind: float = 0.1
    explore: float = 0.1
    repeat: float = 0.03
    alone: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that codex.toml may say."""

    kb: Kb = field(default_factory=Kb)
    fields: Mapping[str, str] = field(default_factory=_no_names)
    ingest: Ingest = field(default_factory=Ingest)
    propose: Propose = field(default_factory=Propose)
    index: Index = field(default_factory=Index)
    git: Git = field(default_factory=Git)
    agents: Mapping[str, Agent] = field(default_factory=_no_agents)
    check: Mapping[str, Level] = field(default_factory=_no_levels)
    learn: Learn = field(default_factory=Learn)
    review: Review = field(default_factory=Review)
    run: Run = field(default_factory=Run)

    @property
    def write_folder(self) -> str:
        """The folder that new claims go to."""
        return self.kb.write or self.kb.claims[0]

    @property
    def agent_of(self) -> dict[str, str]:
        """The name of the agent that has a domain, by the domain in small letters."""
        return {each.strip().casefold(): name for name, agent in self.agents.items() for each in agent.domains}


def field_names() -> tuple[str, ...]:
    """Our names of a source's frontmatter fields, which `[fields]` may map to others: those of its schema."""
    schema = resources.files("codex_kb").joinpath("schemas/source.schema.json").read_text(encoding="utf-8")
    return tuple(json.loads(schema)["properties"])


def parse(text: str, path: str = FILE_NAME, rules: Callable[[], tuple[str, ...]] | None = None) -> Settings:
    """Settings from the text of a codex.toml; `rules` gives the ids that `[check]` may name, None allows any.

    Raises:
        UsageError: the text is not TOML, a key is unknown or a value has the wrong type.
    """
    table = _table(text, path)
    reader = _Reader(text, path)
    sections: dict[str, Any] = {}
    known = {f.name: f for f in dataclasses.fields(Settings)}
    for name, value in table.items():
        if name not in known:
            raise reader.error(f"unknown section [{name}]", name, f"known sections: {', '.join(known)}")
        if not isinstance(value, dict):
            raise reader.error(f"{name} must be a section: [{name}]", name, "")
        if name == "fields":
            sections[name] = reader.names(name, value, field_names())
        elif name == "check":
            sections[name] = reader.levels(value, rules() if rules else None)
        elif name == "agents":
            sections[name] = reader.agents(value)
        else:
            sections[name] = reader.section(name, value)
    return Settings(**sections)


def read(root: Path, rules: Callable[[], tuple[str, ...]]) -> Settings:
    """The settings of the knowledge base at a root; `rules` gives the ids that `[check]` may name.

    Raises:
        UsageError: codex.toml cannot be read, or says what it may not.
    """
    path = root / FILE_NAME
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            raise UsageError("a link that leaves the knowledge base", path=FILE_NAME,
                             hint="copy the file to this place")  # fmt: skip
        if path.stat().st_size > _LIMIT:
            raise UsageError(f"larger than {_LIMIT:,} bytes", path=FILE_NAME, hint="settings are short")
        return parse(path.read_text(encoding="utf-8"), FILE_NAME, rules)
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 at byte {error.start}", path=FILE_NAME, hint="save it as UTF-8") from error
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", path=FILE_NAME, hint="mend its permissions") from error


def _table(text: str, path: str) -> dict[str, Any]:
    """The text of a codex.toml as a table. Raises UsageError where it is not TOML."""
    if line := long_key(text):
        raise UsageError(f"a key of more than {MOST_PARTS} parts", path=path, line=line,
                         hint="mend the line; see README, Settings")  # fmt: skip
    try:
        return tomllib.loads(text)
    except ValueError as error:  # not TOML, or a number of more digits than Python reads
        found = re.search(r"at line (\d+)", str(error))
        line = int(found.group(1)) if found else _line_of_digits(text)
        raise UsageError(
            f"not valid TOML: {error}", path=path, line=line, hint="mend the line; see README, Settings"
        ) from error
    except RecursionError as error:
        raise UsageError("not valid TOML: nested too deep", path=path, hint="see README, Settings") from error


def long_key(text: str) -> int | None:
    """The line of the first key in a TOML text that has more than MOST_PARTS dotted parts. Linear in the text."""
    plain = STRING.sub(lambda found: "a" + "\n" * found[0].count("\n"), text)
    lines = enumerate(plain.split("\n"), 1)
    return next((n for n, line in lines for run in _BETWEEN.split(line) if run.count(".") >= MOST_PARTS), None)


def _line_of_digits(text: str) -> int | None:
    """The line of a number that is too long to read."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if re.search(r"\d{4300}", line)), None)


class _Reader:
    """Checks one file's tables; knows the text, to name the line of a fault."""

    _TYPES: Mapping[str, type[Any]] = MappingProxyType(
        {"kb": Kb, "ingest": Ingest, "propose": Propose, "index": Index, "git": Git, "learn": Learn, "review": Review,
         "run": Run}
    )  # fmt: skip

    def __init__(self, text: str, path: str) -> None:
        self.lines = text.splitlines()
        self.path = path

    def error(self, message: str, key: str, hint: str, section: str = "") -> UsageError:
        return UsageError(message, path=self.path, line=self._line(section, key), hint=hint)

    def _line(self, section: str, key: str) -> int | None:
        """First line in the section that opens with the key, as far as a plain search finds it."""
        current = ""
        for number, line in enumerate(self.lines, 1):
            header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
            if header:
                current = header.group(1)
                if not section and current.split(".")[0] == key:
                    return number
            elif section in (current, current.split(".")[0]) and re.match(
                rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line
            ):
                return number
        return None

    def agents(self, table: dict[str, Any]) -> Mapping[str, Agent]:
        """The agents by name; no domain has two."""
        found: dict[str, Agent] = {}
        for name, value in table.items():
            if not isinstance(value, dict) or not _AGENT.fullmatch(name):
                raise self.error(
                    f"{name!r} is not an agent", name, "[agents.NAME], letters, digits and hyphens", "agents"
                )
            found[name] = cast(Agent, self.section(f"agents.{name}", value, Agent))
            taken = {domain: other for other in found if other != name for domain in found[other].domains}
            if both := set(found[name].domains) & taken.keys():
                raise self.error(f"the domain {min(both)} has two agents", "domains", "", f"agents.{name}")
        return MappingProxyType(found)

    def levels(self, table: dict[str, Any], known: tuple[str, ...] | None) -> Mapping[str, Level]:
        """What is to become of what each rule finds."""
        for key, value in self.names("check", table, known).items():
            if value not in get_args(Level):
                raise self.error(f"{key} in [check] must be off, note or error", key, "", "check")
        return MappingProxyType(dict(table))

    def section(self, section: str, table: dict[str, Any], cls: type[Any] | None = None) -> Any:
        """One section's settings; the defaults where it says nothing."""
        cls = cls or self._TYPES[section]
        defaults = cls()
        values: dict[str, Any] = {}
        for key, value in table.items():
            if key not in cls.__dataclass_fields__:
                known = ", ".join(cls.__dataclass_fields__)
                raise self.error(f"unknown key {key} in [{section}]", key, f"known keys: {known}", section)
            values[key] = self._value(section, key, value, getattr(defaults, key))
        return cls(**values)

    def _value(self, section: str, key: str, value: Any, default: Any) -> Any:
        if isinstance(default, Mapping) and isinstance(value, dict):
            return self._trailers(value)
        if key in ("price", "budget"):
            return self._amount(section, key, value)
        if section == "review":
            return self._count(key, value) if key == "alone" else self._part(key, value)
        if isinstance(default, tuple):
            return self._names(section, key, value) if key == "domains" else self._folders(section, key, value)
        if type(value) is not type(default):
            wanted = {int: "a whole number", str: "a text"}.get(type(default), "a table")
            raise self.error(f"{key} in [{section}] must be {wanted}", key, "", section)
        if isinstance(value, int) and value <= 0:
            raise self.error(f"{key} in [{section}] must be above 0", key, "", section)
        if (section, key) == ("kb", "write"):
            return self._folders(section, key, [value])[0]
        if section == "run" and key == "engine" and not ENGINE.fullmatch(value):
            raise self.error(f"there is no engine {value!r}", key, ENGINES, section)
        if key in ("model", "files") and not (value.isprintable() and len(value) <= _MOST_CHARACTERS):
            raise self.error(f"{key} in [{section}] must be one line of text", key, "", section)
        if section == "git" and key in _PATTERNS:
            self._pattern(key, value)
        return value

    def _pattern(self, key: str, value: str) -> None:
        """A text with known names in braces, and nothing more: no formats, no attributes."""
        known = _PATTERNS[key]
        try:
            parts = list(string.Formatter().parse(value))
        except ValueError:
            parts = [("", None, "!", None)]
        plain = all(not form and not convert and (name is None or name in known) for _, name, form, convert in parts)
        if not plain or len(value) > _MOST_CHARACTERS or len(value.splitlines()) > 1:
            names = ", ".join("{" + name + "}" for name in known)
            raise self.error(f"{key} in [git] is no pattern", key, f"one line of text with {names}", "git")

    def _amount(self, section: str, key: str, value: Any) -> Any:
        """US dollars: one number, or for a price two."""
        numbers = value if key == "price" and isinstance(value, list) else [value]
        wanted = {"price": 2}.get(key, 1)
        if len(numbers) != wanted or not all(type(n) in (int, float) and 0 <= n < _MOST_DOLLARS for n in numbers):
            hint = "price = [0.25, 2.0]" if key == "price" else "budget = 2.50"
            raise self.error(f"{key} in [{section}] must be US dollars", key, f"for example {hint}", section)
        return tuple(map(float, numbers)) if key == "price" else float(value)

    def _part(self, key: str, value: Any) -> float:
        """A part of a whole; 0 is none."""
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise self.error(f"{key} in [review] must be a part from 0 to 1", key, "for example 0.1", "review")
        return float(value)

    def _count(self, key: str, value: Any) -> int:
        """So many, or none."""
        if type(value) is not int or value < 0:
            raise self.error(f"{key} in [review] must be a whole number from 0", key, "for example 3", "review")
        return value

    def _names(self, section: str, key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(x, str) and x.strip() for x in value):
            raise self.error(f"{key} in [{section}] must be a list of texts", key, 'for example ["economics"]', section)
        return tuple(cast(list[str], value))

    def _folders(self, section: str, key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or not all(isinstance(x, str) and x for x in value):
            raise self.error(f"{key} in [{section}] must be a list of folders", key, 'for example ["codex"]', section)
        for folder in cast(list[str], value):
            parts = PurePosixPath(folder).parts
            if PurePosixPath(folder).is_absolute() or ".." in parts or not parts:
                raise self.error(f"{key} in [{section}]: {folder!r} leaves the knowledge base", key,
                                 "name folders relative to the root", section)  # fmt: skip
            if "\0" in folder or max(len(part.encode()) for part in parts) > _LONGEST or len(folder) > _MOST_CHARACTERS:
                raise self.error(f"{key} in [{section}]: {folder[:40]!r} cannot name a folder", key,
                                 "name another folder", section)  # fmt: skip
            if _kept(parts):
                raise self.error(f"{key} in [{section}]: {folder!r} is kept for git or for codex itself", key,
                                 "name another folder", section)  # fmt: skip
        return tuple(PurePosixPath(x).as_posix() for x in value)

    def _trailers(self, table: dict[str, Any]) -> Mapping[str, str]:
        """What every commit's text ends with; none that says who decided."""
        for key, value in table.items():
            line = self._line("git.trailers", key) or self._line("git", key) or self._line("git", "trailers")
            fault = ""
            if not _TRAILER.fullmatch(key):
                fault = f"{key!r} in [git] trailers is no trailer"
            elif key.lower() in _OUR_TRAILERS:
                fault = f"{key} in [git] trailers is written by codex alone"
            elif not (isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= _MOST_CHARACTERS):
                fault = f"{key} in [git] trailers must be one line of text"
            if fault:
                raise UsageError(fault, path=self.path, line=line, hint='for example "Signed-off-by" = "Name <email>"')
        return MappingProxyType(dict(table))

    def names(self, section: str, table: dict[str, Any], known: tuple[str, ...] | None) -> Mapping[str, str]:
        """A table of texts as it stands; `known` are the only keys it may have, None for any."""
        for key, value in table.items():
            if known is not None and key not in known:
                raise self.error(f"unknown key {key} in [{section}]", key, f"known keys: {', '.join(known)}", section)
            if not isinstance(value, str) or not value.strip():
                raise self.error(f"{key} in [{section}] must be a text", key, "", section)
        return MappingProxyType(dict(table))


def _kept(parts: tuple[str, ...]) -> bool:
    """Is this folder git's or one of ours, or below such a one? Some file systems know no case."""
    folder = "/".join(parts).casefold()
    return ".git" in folder.split("/") or any(f"{folder}/".startswith(f"{each}/") for each in _NOT_FOLDERS)
