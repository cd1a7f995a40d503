"""Frontmatter is read with exact places and edited without touching anything else."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codex_kb.errors import RefusedFile
from codex_kb.text.markdown_file import MarkdownFile, format_field, new_file, parse, set_fields

CORPUS = Path(__file__).resolve().parent.parent.parent / "shared/corpora/teleo"
NULLS = ("", "~", "null", "Null", "NULL")
REFERENCE = re.compile(r"---[ \t]*\r?\n(?:.*?\r?\n)??---[ \t]*(?:\r?\n|$)", re.DOTALL)

quick = settings(max_examples=400, database=None, deadline=None, suppress_health_check=list(HealthCheck))

FRAGMENTS = (
    "a: ", "b:", "b: c\n", "status: x", "'q k': ", '"d": ', "- ", "  - y\n", "[", "]", "{", "}", ", ",
    '"', "'", "\n", "\n", "\n", "  ", "\t", "#", " # c", "|", ">", "|+\n", "&x ", "*x", "!!int ",
    "!u ", "---", "---\n", "...\n", "\r", "\r\n", "%YAML 1.1\n", "? ", ": ", "~", "null", "\u2028",
    "\x85", "\ufeff", "é", "😀", "\x01", "2026-02-00", "\\", "<<: ", "@", "`", "a: b # c\n",
    "b: [1, 'x']\n", "  \n", "c: |\n  x\n\n  y\n\n", "\0",
)  # fmt: skip
yamlish = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)
bodies = st.sampled_from(["", "body", "body\n", "\n# T\r\n\r\n---\r\nx: y\n---", "---\n", "\n"])
fences = st.sampled_from(["---\n", "---\n", "--- \t\r\n", "---"])
files = st.builds(
    lambda bom, first, inside, newline, last, body: (bom + first + inside + newline + last + body).encode(),
    st.sampled_from(["", "", "\ufeff"]), fences, yamlish, st.sampled_from(["\n", "\r\n", ""]), fences, bodies,
)  # fmt: skip
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | yamlish
scalars = texts | st.sampled_from(["yes", "1_000", "12:30", "0x1F", "1e5", "2026-01-02", "2026-02-00", "a: b", "a #b"])
jsons = st.recursive(
    scalars | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(scalars, inner, max_size=4),
    max_leaves=8,
)
values = scalars | st.lists(scalars, max_size=4) | jsons.filter(lambda value: value is not None)


def read(inside: str, body: str = "") -> MarkdownFile:
    return parse(f"---\n{inside}---\n{body}".encode(), "f.md")


def edit(text: str, **changes: Any) -> str:
    return set_fields(text.encode(), changes, "f.md").decode()


def attempt(data: bytes) -> MarkdownFile | None:
    try:
        return parse(data, "f.md")
    except RefusedFile:
        return None


def as_text(value: Any) -> Any:
    """A JSON value with its numbers and truth values as the text that stands in the file."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return value if value is None or isinstance(value, str) else json.dumps(value)


def nulled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: nulled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [nulled(item) for item in value]
    return None if value in NULLS else value


def plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(type(key) is str and plain(item) for key, item in value.items())
    return all(map(plain, value)) if isinstance(value, list) else value is None or type(value) is str


class TestProperties:
    @quick
    @given(st.binary(max_size=60) | files)
    def test_any_input_is_read_or_refused_and_its_body_is_the_references(self, data: bytes) -> None:
        file = attempt(data)
        if file is None:
            return
        text = data.decode().removeprefix("\ufeff")
        match = REFERENCE.match(text)
        assert file.text == text
        assert file.body == (text[match.end() :] if match else text)
        assert file.has_frontmatter == (match is not None)
        assert file.body_line == text[: file.body_start].count("\n") + 1
        assert file.body_sha256 == hashlib.sha256(file.body.encode()).hexdigest()
        assert list(file.lines) == list(file.fields)
        assert plain(file.fields)
        assert all(1 < place < file.body_line + 1 for place in (*file.lines.values(), *(f.line for f in file.faults)))

    @quick
    @given(yamlish)
    def test_sound_yaml_means_what_pyyaml_says_it_means(self, inside: str) -> None:
        try:
            expected = yaml.load(inside + "\n", Loader=yaml.CBaseLoader)
            file = read(inside + "\n")
        except (yaml.YAMLError, RefusedFile, RecursionError):
            return
        if isinstance(expected, dict) and "---" not in inside:
            assert nulled(file.fields) == nulled(expected)
            assert not [fault for fault in file.faults if fault.code == "yaml"]

    @quick
    @given(files, st.sampled_from(["a", "b", "status", "d", "q k"]), values | st.none())
    def test_setting_a_field_changes_its_lines_only_or_is_refused(self, data: bytes, key: str, value: Any) -> None:
        before = attempt(data)
        if before is None:
            return
        try:
            result = set_fields(data, {key: value}, "f.md")
        except RefusedFile:
            return
        after = parse(result, "f.md")
        assert set_fields(result, {key: value}, "f.md") == result
        assert (after.body, after.bom) == (before.body, before.bom)
        assert after.fields.get(key) == as_text(value)
        assert [(k, v) for k, v in after.fields.items() if k != key] == [
            (k, v) for k, v in before.fields.items() if k != key
        ]
        if before.has_frontmatter and not any(fault.code == "duplicate-key" for fault in before.faults):
            self.only_lines_of(key, before, after)

    @staticmethod
    def only_lines_of(key: str, before: MarkdownFile, after: MarkdownFile) -> None:
        old, new = before.text.split("\n"), after.text.split("\n")
        at = (before.lines.get(key) or after.lines.get(key) or 1) - 1
        gone = len(old) - len(new) + (key in after.fields)
        assert gone >= 0
        assert new[:at] == old[:at]
        assert new[at + (key in after.fields) :] == old[at + gone :]
        assert not [line for line in old[at : at + gone] if line.rstrip() == "---"]

    @quick
    @given(files)
    def test_setting_what_is_there_changes_no_byte(self, data: bytes) -> None:
        file = attempt(data)
        if file is not None:
            known = {key: value for key, value in file.fields.items() if value is not None}
            assert set_fields(data, known, "f.md") == data

    @quick
    @given(st.dictionaries(texts, values, max_size=4), texts)
    def test_a_new_file_reads_as_it_was_meant(self, fields: dict[str, Any], body: str) -> None:
        text = new_file(fields, body)
        if "\0" in text:
            return
        file = parse(text.encode(), "f.md")
        assert (file.fields, file.body, file.faults) == (as_text(fields), body, ())
        assert file.body_line == len(fields) + 3

    @quick
    @given(scalars, values)
    def test_one_line_reads_alike_for_every_reader(self, key: str, value: Any) -> None:
        line = format_field(key, value)
        assert len(line.splitlines()) == 1
        assert read(line + "\n").fields == {key: as_text(value)}
        ((safe_key, safe),) = yaml.safe_load(line).items()
        assert safe_key == key
        if isinstance(value, str):
            assert value == (safe.isoformat() if isinstance(safe, datetime.date) else safe)
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            assert safe == value
        if isinstance(value, str) and not line.endswith('"') and ": " not in key:  # a reader that knows no YAML
            assert line.split(": ", 1) == [line.partition(": ")[0], value]


class TestDecoding:
    @pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
    def test_other_unicode_encodings_are_named(self, encoding: str) -> None:
        with pytest.raises(RefusedFile, match="UTF-") as caught:
            parse("---\na: b\n---\n".encode(encoding), "f.md")
        assert "iconv -f UTF-" in caught.value.hint
        assert "-t UTF-8" in caught.value.hint

    def test_bytes_that_are_not_utf8_are_placed(self) -> None:
        with pytest.raises(RefusedFile, match="byte 13") as caught:
            parse(b"\xef\xbb\xbf---\na: b\n-\xe9-\n", "f.md")
        assert (caught.value.path, caught.value.line) == ("f.md", 3)

    def test_nul_means_binary(self) -> None:
        with pytest.raises(RefusedFile, match="binary") as caught:
            parse(b"one\ntwo \0\n", "f.md")
        assert caught.value.line == 2

    def test_a_byte_order_mark_is_kept_and_not_counted(self) -> None:
        data = b"\xef\xbb\xbf---\nstatus: a\n---\nbody"
        file = parse(data, "f.md")
        assert file.bom
        assert file.text.startswith("---")
        assert set_fields(data, {"status": "b"}, "f.md") == b"\xef\xbb\xbf---\nstatus: b\n---\nbody"
        assert set_fields(b"\xef\xbb\xbfbody", {"a": "b"}, "f.md") == b"\xef\xbb\xbf---\na: b\n---\nbody"


class TestFences:
    @pytest.mark.parametrize(
        ("text", "body"),
        [
            ("", ""),
            ("no fence", "no fence"),
            ("---\n---\nx", "x"),
            ("---\n---", ""),
            ("---\r\na: b\r\n---\r\n\r\nx\r\n", "\r\nx\r\n"),
            ("--- \t\na: b\n--- \t\nx", "x"),
            ("---\na: b\n---\n---\nx\n", "---\nx\n"),
            ("---\na: |\n  x\n ---\n---\nx", "x"),
            ("---\na: |\n---\nx\n---\n", "x\n---\n"),
            ("----\na: b\n---\n", "----\na: b\n---\n"),
            (" ---\na: b\n---\n", " ---\na: b\n---\n"),
            ("\n---\na: b\n---\n", "\n---\na: b\n---\n"),
            ("---\r", "---\r"),
            ("---\na: b\n---\r\n", ""),
        ],
    )
    def test_body(self, text: str, body: str) -> None:
        assert parse(text.encode(), "f.md").body == body

    @pytest.mark.parametrize("text", ["---", "---\n", "---\na: b\n", "---\na: b\n---\r", "---\na: b\n --- \n----\n"])
    def test_frontmatter_that_never_closes_is_refused(self, text: str) -> None:
        with pytest.raises(RefusedFile, match="never closed") as caught:
            parse(text.encode(), "f.md")
        assert caught.value.line == 1
        assert "`---`" in caught.value.hint


class TestValues:
    def test_plain_values_stay_text(self) -> None:
        words = ["2026-03-00", "2026-03", "1984", "007", "yes", "1_000", "12:30", "0x1F", "true", "=", "1e5"]
        file = read("".join(f"k{i}: {word}\n" for i, word in enumerate(words)))
        assert list(file.fields.values()) == words
        assert file.faults == ()

    def test_null_is_null_unless_quoted(self) -> None:
        file = read("a:\nb: ~\nc: null\nd: 'null'\ne: [null, '']\n")
        assert file.fields == {"a": None, "b": None, "c": None, "d": "null", "e": [None, ""]}

    def test_tags_are_never_executed(self) -> None:
        file = read("a: !!int 3\nb: !!python/object/apply:os.abort []\nc: !u {x: !!timestamp y}\nd: !!binary '='\n")
        assert file.fields == {"a": "3", "b": [], "c": {"x": "y"}, "d": "="}

    def test_a_tag_that_is_not_unicode_is_a_fault(self) -> None:
        assert read("a: b\nc: !%ED%A0%80 x\n").faults[0].line == 3

    @pytest.mark.parametrize(
        ("inside", "fields"),
        [
            ("", {}),
            ("# only a remark\n\n", {}),
            ("{a: b, c: [d]}\n", {"a": "b", "c": ["d"]}),
            ("\n# c\na: b # d\n\n'e f': g\n\"h\": i\n", {"a": "b", "e f": "g", "h": "i"}),
            ("a: |\n  x\n\n   y: z\nb: >-\n  p\n  q\n", {"a": "x\n\n y: z\n", "b": "p q"}),
            ("a: one\n  two\nb: 'one\n  two'\n", {"a": "one two", "b": "one two"}),
            ("a: &x [1]\nb: *x\n", {"a": ["1"], "b": ["1"]}),
            ("? a\n: b\n", {"a": "b"}),
            ("%YAML 1.1\n--- # x\na: b\n", {"a": "b"}),
            ("a: b\n...\n", {"a": "b"}),
            ("1: a\n~: b\ntrue: c\n<<: {d: e}\n", {"1": "a", "~": "b", "true": "c", "<<": {"d": "e"}}),
            ("a:\n- b\n-  - c\n   - d: e\n", {"a": ["b", ["c", {"d": "e"}]]}),
            ("  a: b\n  c: d\n", {"a": "b", "c": "d"}),
        ],
    )
    def test_odd_but_legal(self, inside: str, fields: dict[str, Any]) -> None:
        file = read(inside)
        assert file.fields == fields
        assert file.faults == ()

    def test_lines_count_in_the_file(self) -> None:
        file = read("\n# c\na: |\n  x\n  y\nb:\u2028 c\nd: e\n", "body")
        assert file.lines["a"] == 4
        assert file.lines["d"] == 8
        assert file.body_line == 10

    def test_a_mark_that_yaml_drops_is_counted(self) -> None:
        assert read("\ufeff\na: b\n").lines == {"a": 3}


class TestFaults:
    @pytest.mark.parametrize(
        ("inside", "value", "line", "hint"),
        [
            ("title: Foo: bar\n", "Foo: bar", 3, "double quotes"),
            ("title: Foo\n  and: bar\n\n# c\n", "Foo and: bar", 4, "double quotes"),
            ('title: "Foo\n', '"Foo', 3, "close the quote"),
            ('title: "Foo" bar\n', '"Foo" bar', 3, "double quotes"),
            ('title: "C:\\dir"\n', '"C:\\dir"', 3, "backslash"),
            ("title: [a, b\n", "[a, b", 3, "close the bracket"),
            ("title: *emphasis*\n", "*emphasis*", 3, "double quotes"),
            ("title: @handle\n", "@handle", 3, "double quotes"),
            ("title:\n\t- a\n\t- b\n", "- a - b", 4, "not tabs"),
            ("title: a\x01b\n", "a\x01b", 3, "control character"),
            ('title: "\\ud83d\\ude00"\n', '"\\ud83d\\ude00"', 3, "backslash"),
        ],
    )
    def test_a_faulty_value_is_its_text(self, inside: str, value: str, line: int, hint: str) -> None:
        file = read(f"a: [b]\n{inside}status: new\n")
        assert file.fields == {"a": ["b"], "title": value, "status": "new"}
        assert [(fault.line, fault.code) for fault in file.faults] == [(line, "yaml")]
        assert hint in file.faults[0].hint

    @pytest.mark.parametrize("stray", ["url:https://example.org", "what is this", "*x", '"q"'])
    def test_a_line_that_is_no_field_hides_no_value(self, stray: str) -> None:
        file = read(f"title: T\nstatus: new\n{stray}\nc: d\n")
        assert file.fields == {"title": "T", "status": "new", "c": "d"}
        assert [(fault.line, fault.code) for fault in file.faults] == [(4, "yaml")]

    def test_quoted_keys_are_recovered(self) -> None:
        file = read('"a\\tb": c: d\n\'e f\': g: h\n"\\z": i: j\n')
        assert file.fields == {"a\tb": "c: d", "e f": "g: h", "\\z": "i: j"}

    def test_text_before_the_first_field_is_reported(self) -> None:
        file = read("# fine\nwhat is this\na: b\n")
        assert file.fields == {"a": "b"}
        assert [fault.line for fault in file.faults] == [3]

    @pytest.mark.parametrize("inside", ["a: b\n...\nc: d\n", "a: b\n--- # two\nc: d\n"])
    def test_a_second_document_is_read_and_reported(self, inside: str) -> None:
        file = read(inside)
        assert file.fields == {"a": "b", "c": "d"}
        assert len(file.faults) == 1

    def test_the_last_of_duplicate_keys_wins(self) -> None:
        file = read("a: 1\nb: 2\na: 3\na: 4\nc: {d: 1, d: 2}\n")
        assert file.fields == {"a": "4", "b": "2", "c": {"d": "2"}}
        assert file.lines == {"a": 5, "b": 3, "c": 6}
        assert [(fault.line, fault.code) for fault in file.faults] == [
            (4, "duplicate-key"), (5, "duplicate-key"), (6, "duplicate-key"),
        ]  # fmt: skip

    def test_a_key_that_is_no_text_is_ignored(self) -> None:
        file = read("[a]: b\nc: {{x: y}: z, d: e}\n? {f: g}\n: h\n")
        assert file.fields == {"c": {"d": "e"}}
        assert {fault.code for fault in file.faults} == {"key"}

    @pytest.mark.parametrize(
        ("inside", "reason"),
        [("\n- a\n- b\n", "a list"), ("\njust text\n", "plain text"), ("{a: b\n", "no `key: value`"),
         ("\t\n\ta b\n[\n", "no `key: value`")],
    )  # fmt: skip
    def test_what_is_no_mapping_is_refused(self, inside: str, reason: str) -> None:
        with pytest.raises(RefusedFile, match=reason) as caught:
            read(inside)
        assert caught.value.line in (2, 3)
        assert caught.value.hint


class TestHostile:
    @pytest.mark.parametrize(
        ("inside", "reason"),
        [
            ("a: " + "[" * 100_000, "deeper"),
            ("a: " + "{a: " * 100_000, "deeper"),
            ("- " * 100_000, "deeper"),
            ("a:\n" + "? " * 100_000, "deeper"),
            ("z: a: b\na: " + "[" * 100_000, "deeper"),
            ("a: &a [*a]", "contains itself"),
            ("a: &a {b: {*a : c}}", "contains itself"),
            ("a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 100)), "without bound"),
            ("a: b\n...\n" + "".join(f"%TAG !a{i}! tag:x\n" for i in range(1000)), "directives"),
            ("a: b\n" * 20_000, "faults"),
            ("a: b: c\n" * 20_000, "more than 10,000 fields"),
        ],
    )
    def test_hostile_yaml_is_refused(self, inside: str, reason: str) -> None:
        with pytest.raises(RefusedFile, match=reason) as caught:
            read(inside + "\n")
        assert caught.value.line is not None

    def test_billion_laughs(self) -> None:
        laughs = ["a0: &a0 [" + ", ".join(["lol"] * 10) + "]"]
        laughs += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]" for i in range(1, 10)]
        with pytest.raises(RefusedFile, match="expands without bound") as caught:
            read("\n".join(laughs) + "\n")
        assert caught.value.line == 6

    def test_large_files_are_read(self) -> None:
        body = "text --- text\n---\n" * 600_000
        file = read("a: b\n", body)
        assert file.body == body
        assert parse(body.encode(), "f.md").body == body
        assert len(read("a: |\n" + "  x: [\n" * 150_000).fields["a"]) == 150_000 * 5
        assert len(read("".join(f"key{i}: {i}\n" for i in range(60_000))).fields) == 60_000


class TestSetFields:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("---\nstatus: a\nb: c\n---\nx", "---\nstatus: new\nb: c\n---\nx"),
            ("---\r\nstatus: a\r\nb: c\n---\r\nx", "---\r\nstatus: new\r\nb: c\n---\r\nx"),
            ("---\nstatus: a # todo\n---\n", "---\nstatus: new # todo\n---\n"),
            ("---\nstatus:   'a'\t#  todo\r\n---\n", "---\nstatus: new\t#  todo\r\n---\n"),
            ("---\nstatus: # todo\n---\n", "---\nstatus: new # todo\n---\n"),
            ("---\nstatus:\n---\n", "---\nstatus: new\n---\n"),
            ("---\n'status' : a \n---\n", "---\n'status' : new\n---\n"),
            ("---\nstatus:\n  - a # b\n  - c\n\n# d\nb: c\n---\n", "---\nstatus: new\n\n# d\nb: c\n---\n"),
            ("---\nstatus: |+\n  a\n  # b\n\n\nb: c\n---\n", "---\nstatus: new\n\n\nb: c\n---\n"),
            ("---\nstatus: [a,\n  b] # c\nb: c\n---\n", "---\nstatus: new\nb: c\n---\n"),
            ("---\nstatus: a\n  b\n---\n", "---\nstatus: new\n---\n"),
            ("---\nstatus: a: b\n\n# c\nb: c: d\n---\n", "---\nstatus: new\n\n# c\nb: c: d\n---\n"),
            ("---\nstatus: a\nb: c\nstatus: d\n---\n", "---\nstatus: new\nb: c\nstatus: new\n---\n"),
            ("---\n status: a\n b: c\n---\n", "---\n status: new\n b: c\n---\n"),
            ("---\nb: c\n# d\n---", "---\nb: c\n# d\nstatus: new\n---"),
            ("---\r\nb: c\r\n---\r\nx\n", "---\r\nb: c\r\nstatus: new\r\n---\r\nx\n"),
            ("---\nb: c\n...\n---\n", "---\nb: c\nstatus: new\n...\n---\n"),
            ("---\nb: |\n  c\n---\n", "---\nb: |\n  c\nstatus: new\n---\n"),
            ("---\n---\n", "---\nstatus: new\n---\n"),
            ("", "---\nstatus: new\n---\n"),
            ("# x", "---\nstatus: new\n---\n# x"),
            ("\r\nx\n", "---\r\nstatus: new\r\n---\r\n\r\nx\n"),
        ],
    )
    def test_only_the_fields_lines_change(self, before: str, after: str) -> None:
        assert edit(before, status="new") == after
        assert edit(after, status="new") == after

    def test_none_removes_all_lines_of_a_field(self) -> None:
        text = "---\na: 1 # one\nb:\n  - x\n  - y\n\nc:\na: 2\n---\nx"
        assert edit(text, a=None) == "---\nb:\n  - x\n  - y\n\nc:\n---\nx"
        assert edit(text, b=None) == "---\na: 1 # one\n\nc:\na: 2\n---\nx"
        assert edit(text, a=None, b=None, c=None) == "---\n\n---\nx"
        assert edit(text, missing=None) == text
        assert edit("body", missing=None) == "body"

    def test_several_changes_come_in_the_given_order(self) -> None:
        text = "---\nb: 1\nc: 2\n---\n"
        assert edit(text, z="1st", c="3rd", d=["a"], b=None) == '---\nc: 3rd\nz: 1st\nd: ["a"]\n---\n'

    @pytest.mark.parametrize(
        "text",
        [
            "---\nstatus: &x a\nb: *x\n---\n",
            "---\nstatus: &x a\nb: *x\nc: d: e\n---\n",
            "---\nc: d: e\nstatus: [&x a]\nb:\n  - *x\n---\n",
            "---\n{status: a, b: c}\n---\n",
            "---\n{status: a,\nb: c}\n---\n",
            "---\n? status\n: a\n---\n",
            "---\nb: c\rstatus: a\n---\n",
            "---\nstatus: a\rb: c\n---\n",
        ],
    )
    def test_what_cannot_be_proved_is_refused(self, text: str) -> None:
        with pytest.raises(RefusedFile, match="`status`") as caught:
            edit(text, status="new")
        assert caught.value.path == "f.md"

    @pytest.mark.parametrize(
        ("fields", "after"),
        [
            ("claims_extracted:\nurl:https://example.org\n", "claims_extracted: new\nurl:https://example.org\n"),
            ("claims_extracted: a\nnotes:b\nc: d: e\n", "claims_extracted: new\nnotes:b\nc: d: e\n"),
            ("claims_extracted: a: b\nurl: [c\n", "claims_extracted: new\nurl: [c\n"),
        ],
    )
    def test_a_line_that_is_no_field_stays(self, fields: str, after: str) -> None:
        assert edit(f"---\n{fields}title: T\n---\n", claims_extracted="new") == f"---\n{after}title: T\n---\n"

    @pytest.mark.parametrize("value", ['"never closed\nurl:https://x', "[a,\n  url: b", "a: b\n  url: c", "\n\turl: c"])
    def test_a_faulty_value_over_several_lines_is_not_overwritten(self, value: str) -> None:
        with pytest.raises(RefusedFile, match="on which line it ends") as caught:
            edit(f"---\ntitle: T\nstatus: {value}\ndate: x\n---\n", status="new")
        assert (caught.value.path, caught.value.line) == ("f.md", 3)
        assert "by hand" in caught.value.hint

    def test_a_new_field_in_braces_is_refused(self) -> None:
        with pytest.raises(RefusedFile, match="would change") as caught:
            edit("---\n{a: b}\n---\n", status="new")
        assert "by hand" in caught.value.hint

    def test_half_a_surrogate_pair_is_refused(self) -> None:
        with pytest.raises(RefusedFile, match="surrogate"):
            edit("---\na: b\n---\n", a="\ud800")


class TestFormat:
    @pytest.mark.parametrize(
        "text",
        ["unprocessed", "null-result", "2026-01-02", "2026-03", "https://a.b/c?d=e&f", "A title, with a dash",
         "Łódź (Poland)", "ai-alignment", "2026-03-04-a-slug.md", "v1.2.3", "50% of it"],
    )  # fmt: skip
    def test_plain(self, text: str) -> None:
        assert format_field("k", text) == f"k: {text}"

    @pytest.mark.parametrize(
        "text",
        ["", " a", "a ", "a: b", "a:b", "a #b", "a#b", "it's", 'a "b"', "yes", "No", "null", "~",
         "1984", "007", "1_000", "12:30", "1.5", "1e5", "0x1F", "0o17", "2026-02-00", "2026-1-2",
         "2026-01-02T03:04:05Z", "-a", "?a", "[a", "]a", "{a", "}a", "&a", "*a", "!a", "|", ">", "%a",
         "@a", "`a", "#a", "---", "...", "=", "<<", "a\tb", ".5", "y"],
    )  # fmt: skip
    def test_quoted(self, text: str) -> None:
        assert format_field("k", text) == f"k: {json.dumps(text)}"

    def test_escapes_are_those_of_yaml(self) -> None:
        assert format_field("k", 'a\nb\x00\x7f\x85\u2028\ufeff😀"\\') == (
            r'k: "a\nb\u0000\u007f\u0085\u2028\ufeff😀\"\\"'
        )

    def test_collections_are_json_on_one_line(self) -> None:
        assert format_field("k", []) == "k: []"
        assert format_field("k", ["a", "b: c"]) == 'k: ["a", "b: c"]'
        assert format_field("k", ("a",)) == 'k: ["a"]'
        line = format_field("k", [{"quote": "a\nb", "start": 1, "sure": True, "x": None}])
        assert line == r'k: [{"quote": "a\nb", "start": 1, "sure": true, "x": null}]'
        assert read(line + "\n").fields["k"] == [{"quote": "a\nb", "start": "1", "sure": "true", "x": None}]

    def test_what_json_has_no_word_for_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="surrogate"):
            format_field("k", ["\udc00"])
        with pytest.raises(ValueError, match="JSON"):
            format_field("k", float("nan"))
        with pytest.raises(TypeError):
            format_field("k", datetime.date(2026, 1, 2))

    @pytest.mark.parametrize("key", ["on", "", "a b:", "12", "a: b", "#", "null"])
    def test_odd_keys_are_quoted(self, key: str) -> None:
        assert format_field(key, "x") == f"{json.dumps(key)}: x"

    def test_new_file(self) -> None:
        assert new_file({"type": "claim", "tags": ["a"]}, "# T\n") == '---\ntype: claim\ntags: ["a"]\n---\n# T\n'


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the teleo corpus is not here")
class TestToml:
    TEXT = """+++
title = "Notes on towns"
date = 2026-03-01
draft = false
weight = 1.50
tags = ["a", 2]

[extra]
at = 2026-03-01T10:00:00
+++
body
"""

    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_fields_are_text(self, newline: str) -> None:
        file = parse(self.TEXT.replace("\n", newline).encode(), "f.md")
        assert file.fields == {
            "title": "Notes on towns", "date": "2026-03-01", "draft": "false", "weight": "1.50", "tags": ["a", "2"],
            "extra": {"at": "2026-03-01T10:00:00"},
        }  # fmt: skip
        assert file.lines == {"title": 2, "date": 3, "draft": 4, "weight": 5, "tags": 6, "extra": 8}
        assert (file.body, file.body_line) == (f"body{newline}", 11)

    def test_it_is_not_edited(self) -> None:
        with pytest.raises(RefusedFile, match="TOML") as caught:
            edit(self.TEXT, status="new")
        assert (caught.value.path, caught.value.line) == ("f.md", 1)
        assert "`---`" in caught.value.hint

    @pytest.mark.parametrize(
        ("inside", "line", "reason"),
        [
            ('a = 1\nb = "\n', 3, "not valid TOML"),
            (f"a = {'[' * 5000}\n", 2, "too deep"),
            (f"{'.'.join('a' * 90)} = 1\n", 2, "too deep"),
            (f"b = 1\n{'.'.join('a' * 40_000)} = 1\n", 3, "a key of more than 100 parts"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, inside: str, line: int, reason: str) -> None:
        with pytest.raises(RefusedFile, match=reason) as caught:
            parse(f"+++\n{inside}+++\n".encode(), "f.md")
        assert caught.value.line == line

    def test_a_fence_that_is_not_closed_is_refused(self) -> None:
        with pytest.raises(RefusedFile, match="never closed"):
            parse(b"+++\na = 1\n", "f.md")


def test_every_real_file_is_read_and_edited() -> None:
    paths = sorted(CORPUS.rglob("*.md"))
    assert paths
    for path in paths:
        data = path.read_bytes()
        file = parse(data, path.name)
        match = REFERENCE.match(file.text)
        assert file.body == (file.text[match.end() :] if match else file.text)
        known = {key: value for key, value in file.fields.items() if value is not None}
        assert set_fields(data, known, path.name) == data
        lines = data.split(b"\n")
        changed = set_fields(data, {"status": "proved-so"}, path.name).split(b"\n")
        if "status" in file.lines:
            at = file.lines["status"] - 1
            assert lines[at].startswith(b"status:")
            lines[at] = changed[at]
        else:
            lines.insert(changed.index(b"status: proved-so"), b"status: proved-so")
        assert changed == lines, path
