"""What is known of each claim without opening its file: the only place that knows SQLite.

A local copy, made from the claims and the committed index, and made again whenever it is in doubt.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from codex_kb.disk.stat_cache import Folder, Stat

VERSION = 4
_WAIT_SECONDS = 30.0
_MOST_VARIABLES = 500
_TABLES = """
create table meta(name text primary key, value) without rowid;
create table folders(path text primary key, digest blob, newest integer, looked integer) without rowid;
create table files(
    folder text, name text, size integer, modified integer, changed integer, inode integer, looked integer,
    sha256 blob, problem text, primary key(folder, name)
) without rowid;
create index files_problem on files(problem) where problem is not null;
create table claims(
    id integer primary key, path text unique, key text, title text, domain text, confidence text,
    description text, status text, challenged integer, created text, terms blob
);
create index claims_key on claims(key);
create index claims_domain on claims(domain collate nocase);
create index claims_confidence on claims(confidence);
create index claims_retired on claims(id) where status = 'retired';
create table terms(term text primary key, id integer) without rowid;
create table names(name text, claim integer, primary key(name, claim)) without rowid;
create index names_claim on names(claim);
create table links(claim integer, target text, said text, primary key(claim, target)) without rowid;
create index links_target on links(target);
create table facets(name text, value text, claim integer, primary key(name, value, claim)) without rowid;
create index facets_claim on facets(claim);
create table gone(id integer primary key, terms blob);
create table dead(id integer primary key);
create table touched(key text primary key) without rowid;
"""


class Card(NamedTuple):
    """A claim as hits show it; `id` is its row in every array of the index."""

    id: int
    path: str
    key: str
    title: str
    domain: str
    confidence: str
    description: str
    status: str
    challenged: bool
    created: str


class Filters(NamedTuple):
    """What a search is limited to; empty is no limit. Retired claims are left out unless asked for.

    `domain` and `confidence` are equal, `since` and `until` dates between which a claim was created (a year or month
    stands for all of it); of `facets` (see `text.facets`) the values contain what is asked for.
    """

    domain: str = ""
    confidence: str = ""
    retired: bool = False
    since: str = ""
    until: str = ""
    facets: tuple[tuple[str, str], ...] = ()


_WANTED = "exists(select 1 from claims c where c.key = touched.key)"
_STORED = (
    "exists(select 1 from files f where f.folder = ? || '/' || substr(touched.key, 1, 2) "
    "and f.name = substr(touched.key, 3) || '.jsonl' and f.problem is null)"
)
_CARD = ", ".join(Card._fields)


class Catalog:
    """One SQLite file. Reading sees one moment; writing is one transaction, `with catalog:` around it."""

    def __init__(self, path: str, write: bool = False) -> None:
        """Open the file; with `write` it is made where it is not there.

        Raises:
            sqlite3.DatabaseError: it is not ours, or damaged.
        """
        mode = "rwc" if write else "ro"
        quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        # SQLite itself keeps threads apart that ask at once (its serialized mode, which Python builds use).
        self._db = sqlite3.connect(f"file:{quoted}?mode={mode}", uri=True, timeout=_WAIT_SECONDS, isolation_level=None,
                                   check_same_thread=False)  # fmt: skip
        if write:
            self._db.execute("pragma synchronous = normal")
            self._db.execute("begin immediate")
            if not self._db.execute("select 1 from sqlite_master limit 1").fetchone():
                for statement in _TABLES.split(";"):
                    self._db.execute(statement)
        else:
            self._db.execute("begin")

    def release(self) -> None:
        """End the moment that is read, so that nobody waits for it; what is read later may be newer."""
        self._db.execute("commit")

    def close(self, keep: bool = True) -> None:
        """End the transaction, kept or undone, and close the file."""
        try:
            if self._db.in_transaction:
                self._db.execute("commit" if keep else "rollback")
        finally:
            self._db.close()

    # -- settings ----------------------------------------------------------------------------------

    def meta(self) -> dict[str, Any]:
        """All settings."""
        return dict(self._db.execute("select name, value from meta"))

    def set_meta(self, values: Mapping[str, Any]) -> None:
        """Set some."""
        self._db.executemany("insert or replace into meta values (?, ?)", values.items())

    # -- files -------------------------------------------------------------------------------------

    def folders(self) -> dict[str, tuple[bytes, int]]:
        """For each folder the digest of its last look and that look's time."""
        return {path: (digest, looked) for path, digest, looked in
                self._db.execute("select path, digest, looked from folders")}  # fmt: skip

    def set_folders(self, folders: Iterable[Folder], looked: int) -> None:
        """Note how folders were found."""
        self._db.executemany("insert or replace into folders values (?, ?, ?, ?)",
                             ((f.path, f.digest, f.newest, looked) for f in folders))  # fmt: skip

    def drop_folder(self, path: str) -> None:
        """Forget a folder and its files."""
        self._db.execute("delete from folders where path = ?", (path,))
        self._db.execute("delete from files where folder = ?", (path,))

    def files(self, folder: str) -> dict[str, tuple[Stat, int, bytes | None]]:
        """For each file of a folder its stat, the time of that look, and its content's SHA-256 (None: unread)."""
        rows = self._db.execute(
            "select name, size, modified, changed, inode, looked, sha256 from files where folder = ?", (folder,)
        )
        return {name: (Stat(size, modified, changed, inode), looked, sha256)
                for name, size, modified, changed, inode, looked, sha256 in rows}  # fmt: skip

    def file(self, path: str) -> Stat | None:
        """The stat of one file at its last look."""
        folder, _, name = path.rpartition("/")
        statement = "select size, modified, changed, inode from files where folder = ? and name = ?"
        found = self._db.execute(statement, (folder, name)).fetchone()
        return Stat(*found) if found else None

    def set_files(self, rows: Iterable[tuple[str, str, Stat, int, bytes | None, str | None]]) -> None:
        """Note files: (folder, name, stat, looked, SHA-256, problem as text)."""
        self._db.executemany("insert or replace into files values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                             ((folder, name, *stat, looked, sha256, problem)
                              for folder, name, stat, looked, sha256, problem in rows))  # fmt: skip

    def drop_files(self, folder: str, names: Iterable[str]) -> None:
        """Forget files."""
        self._db.executemany("delete from files where folder = ? and name = ?", ((folder, name) for name in names))

    def problems(self) -> list[str]:
        """What was wrong with files that could not be read, in the order of their paths."""
        # Asked to put them in order, SQLite would go through all files in theirs.
        rows = self._db.execute("select folder, name, problem from files where problem is not null")
        return [problem for _, _, problem in sorted(rows)]

    # -- claims ------------------------------------------------------------------------------------

    def add(
        self, rows: Iterable[tuple[Card, bytes, Collection[str], Mapping[str, str], Collection[tuple[str, str]]]]
    ) -> None:
        """Add claims: card, packed terms, names it goes by, names it links to, facets (name, value).

        A name that is linked to has the terms of each sentence that links to it, a line each.
        """
        for card, terms, names, links, facets in rows:
            self._db.execute("insert into claims values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*card, terms))
            self._db.execute("insert or ignore into touched values (?)", (card.key,))
            self._db.executemany("insert or ignore into names values (?, ?)", [(name, card.id) for name in names])
            self._db.executemany("insert or ignore into links values (?, ?, ?)",
                                 [(card.id, name, said) for name, said in links.items()])  # fmt: skip
            self._db.executemany("insert or ignore into facets values (?, ?, ?)", [(*each, card.id) for each in facets])

    def remove(self, ids: Iterable[int]) -> None:
        """Take claims out; their terms are kept until the postings are made again."""
        for number in ids:
            self._db.execute("insert into gone select id, terms from claims where id = ?", (number,))
            self._db.execute("insert into dead values (?)", (number,))
            self._db.execute("insert or ignore into touched select key from claims where id = ?", (number,))
            for table, column in (("claims", "id"), ("names", "claim"), ("links", "claim"), ("facets", "claim")):
                self._db.execute(f"delete from {table} where {column} = ?", (number,))

    # -- keys: which claims and which committed entries stand for each other -----------------------

    def touch(self, keys: Iterable[str]) -> None:
        """Something happened to the claims or the entries of these keys."""
        self._db.executemany("insert or ignore into touched values (?)", ((key,) for key in keys))

    def touched(self, folder: str) -> Iterator[tuple[str, int, bool]]:
        """(key, claims that have it, does a readable entry below `folder` have it) of the keys that were touched."""
        claims = "(select count(*) from claims c where c.key = touched.key)"
        rows = self._db.execute(f"select key, {claims}, {_STORED} from touched order by key", (folder,))
        return ((key, int(wanted), bool(stored)) for key, wanted, stored in rows)

    def settle(self, folder: str) -> bool:
        """Forget the touched keys whose claims and entries agree; whether none is left."""
        self._db.execute(f"delete from touched where {_WANTED} = {_STORED}", (folder,))
        return self._db.execute("select 1 from touched limit 1").fetchone() is None

    def settled(self) -> bool:
        """Do all claims and entries agree?"""
        return self._db.execute("select 1 from touched limit 1").fetchone() is None

    def with_key(self, key: str) -> Card | None:
        """A claim whose entry has this key."""
        found = self._db.execute(f"select {_CARD} from claims where key = ? limit 1", (key,)).fetchone()
        return Card._make(found) if found else None

    def count(self) -> int:
        """How many claims there are."""
        return int(self._db.execute("select count(*) from claims").fetchone()[0])

    def cards(self, ids: Sequence[int]) -> dict[int, Card]:
        """Cards by id."""
        return {card.id: card for card in self._many(f"select {_CARD} from claims where id in (#)", ids, Card._make)}

    def by_path(self, paths: Sequence[str]) -> dict[str, Card]:
        """Cards by path."""
        rows = self._many(f"select {_CARD} from claims where path in (#)", paths, Card._make)
        return {card.path: card for card in rows}

    def packed_terms(self, row: int) -> bytes:
        """A claim's terms, packed."""
        return bytes(self._db.execute("select terms from claims where id = ?", (row,)).fetchone()[0])

    def all_cards(self) -> Iterator[Card]:
        """Every card in the order of paths."""
        return map(Card._make, self._db.execute(f"select {_CARD} from claims order by path"))

    def keys(self) -> set[str]:
        """The keys of all claims' entries in the index."""
        return {key for (key,) in self._db.execute("select distinct key from claims")}

    def limited(self, filters: Filters) -> tuple[str, list[int]]:
        """('only' or 'not', ids): what a search is limited to; the shorter way to say it."""
        tests = [
            ("domain = ? collate nocase", (filters.domain,)),
            ("confidence = ?", (filters.confidence,)),
            ("created >= ?", (filters.since,)),
            ("created <> '' and substr(created, 1, length(?)) <= ?", (filters.until, filters.until)),
            *(("id in (select claim from facets where name = ? and instr(value, ?))", (name, value.casefold()))
              for name, value in filters.facets),
        ]  # fmt: skip
        asked = [(test, values) for test, values in tests if all(values)]
        if asked:
            shown = [*(test for test, _ in asked), *["status <> 'retired'"] * (not filters.retired)]
            rows = self._db.execute(f"select id from claims where {' and '.join(shown)}",
                                    [value for _, values in asked for value in values])  # fmt: skip
            return "only", [number for (number,) in rows]
        if filters.retired:
            return "not", []
        return "not", [number for (number,) in self._db.execute("select id from claims where status = 'retired'")]

    def values(self, field: str) -> list[str]:
        """The values that the claims have in `domain` or `confidence`, in order."""
        column = {"domain": "domain", "confidence": "confidence"}[field]
        return [value for (value,) in self._db.execute(f"select distinct {column} from claims order by 1") if value]

    def gone(self) -> list[tuple[int, bytes]]:
        """(id, packed terms) of the claims that were taken out since the postings were made."""
        return self._db.execute("select id, terms from gone").fetchall()

    def dead_rows(self) -> list[int]:
        """Rows that no claim has."""
        return [number for (number,) in self._db.execute("select id from dead")]

    def since(self, first: int) -> list[tuple[int, bytes]]:
        """(id, packed terms) of the claims from an id on."""
        return self._db.execute("select id, terms from claims where id >= ?", (first,)).fetchall()

    def forget_gone(self) -> None:
        """The postings know what is gone."""
        self._db.execute("delete from gone")

    # -- terms, names, links -----------------------------------------------------------------------

    def term_ids(self, terms: Collection[str]) -> dict[str, int]:
        """The numbers of the terms that are known."""
        return dict(self._many("select term, id from terms where term in (#)", list(terms), tuple))

    def all_terms(self) -> dict[str, int]:
        """Every term's number."""
        return dict(self._db.execute("select term, id from terms"))

    def add_terms(self, terms: Iterable[tuple[str, int]]) -> None:
        """Number new terms."""
        self._db.executemany("insert into terms values (?, ?)", terms)

    def named(self, names: Collection[str]) -> list[tuple[str, int]]:
        """(name, claim id) of the claims that go by these names, case folded."""
        return list(self._many("select name, claim from names where name in (#)", list(names), tuple))

    def links_from(self, ids: Sequence[int]) -> list[tuple[int, int]]:
        """(linking claim, linked claim) for all links out of these claims."""
        statement = "select l.claim, n.claim from links l join names n on n.name = l.target where l.claim in (#)"
        return sorted(set(self._many(statement, ids, tuple)))

    def said(self, ids: Sequence[int]) -> Iterator[tuple[int, int, str]]:
        """(linking claim, linked claim, terms of each sentence that links, a line each) for the links out of claims."""
        statement = (
            "select l.claim, n.claim, l.said from links l join names n on n.name = l.target where l.claim in (#)"
        )
        return self._many(statement, ids, tuple)

    def links_to(self, ids: Sequence[int]) -> list[tuple[int, int]]:
        """(linking claim, linked claim) for all links into these claims."""
        statement = "select l.claim, n.claim from names n join links l on l.target = n.name where n.claim in (#)"
        return sorted(set(self._many(statement, ids, tuple)))

    def _many(self, statement: str, values: Sequence[Any], make: Any) -> Iterator[Any]:
        for start in range(0, len(values), _MOST_VARIABLES):
            part = values[start : start + _MOST_VARIABLES]
            marks = ", ".join("?" * len(part))
            yield from map(make, self._db.execute(statement.replace("#", marks), part))
