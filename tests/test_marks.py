"""What is said once of Markdown's lines, and that all who read them agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_kb.disk.store import heading
from codex_kb.text import marks, parts, sentences, snippet
from codex_kb.text.passages import passages, prose
from codex_kb.text.wikilinks import links_in
from conftest import grows_linearly

KINDS = {"c": "code", "!": "comment", " ": ""}
CASES = [
    (name, [(KINDS[line[0]], line[2:]) for line in lines])
    for name, *lines in (
        case.rstrip("\n").split("\n")
        for case in (Path(__file__).parent / "cases/blocks.txt").read_text().removeprefix("= ").split("\n= ")
    )
]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("name", "wanted"), CASES, ids=[name for name, _ in CASES])
def test_code_and_comments_are_those_of_commonmark(name: str, wanted: list[tuple[str, str]], newline: str) -> None:
    body = newline.join(text for _, text in wanted)
    assert [(line.inside, line.text) for line in marks.lines(body)] == wanted


@given(st.text(st.sampled_from("a`~>-<! \t\r\n1.")))
def test_lines_are_all_of_the_body(body: str) -> None:
    ends = [line.start + len(line.text) for line in marks.lines(body)]
    assert all(body[line.start : end] == line.text for line, end in zip(marks.lines(body), ends, strict=True))
    assert "".join(line.text for line in marks.lines(body)) == body.replace("\r", "").replace("\n", "")


@pytest.mark.parametrize(
    "code",
    ["```\n{}\n~~~\n{}\n```", "~~~ a`b\n{}\n~~~", "- ```\n  {}\n\n- ~~~\n  {}\n  ~~~", "> ```\n> {}\n\nx",
     "````\n```\n{}\n````"],
)  # fmt: skip
def test_all_agree_on_what_is_code(code: str) -> None:
    body = code.replace("{}", "# No [[no]] it is") + "\n\n# Yes [[yes]] it is\n"
    place = body.index("# Yes")
    assert heading(body) == "Yes [[yes]] it is"
    assert list(links_in(body)) == [(1 + body.count("\n", 0, place), "yes")]
    assert parts.split(body, place)[1].heading == "Yes [[yes]] it is"
    assert sentences.split(body)[-1].text == "Yes [[yes]] it is"
    assert not any("No" in sentence.text for sentence in sentences.split(body))
    topics = body.replace("# No [[no]] it is", "Topics:")
    assert marks.closing(topics) == len(topics)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Boats float. They sink!  \"So?\" So…\nYes", ["Boats float.", "They sink!", "\"So?", "So…", "Yes"]),
        ("Boats, e.g. wide ones, float vs. sink.", ["Boats, e.g. wide ones, float vs. sink."]),
        ("Tar is “dear.” Étienne knows.", ["Tar is “dear.”", "Étienne knows."]),
        ("潮が満ちる。「船が浮く。」港は深い", ["潮が満ちる。", "「船が浮く。」", "港は深い"]),
        ("- Tar\n- Boats float\n  on water\n\nThe end", ["- Tar", "- Boats float on water", "The end"]),
        ("", []),
    ],
)  # fmt: skip
def test_where_sentences_end_at_a_glance(text: str, wanted: list[str]) -> None:
    assert list(marks.plain_sentences(text)) == wanted
    assert passages(text) == ([" ".join(wanted)] if wanted else [])
    for sentence in wanted:
        assert snippet.best(text, {"boat": 1.0})[0] in ("", *wanted), sentence


@pytest.mark.parametrize(
    "text",
    ["a\tb\r\n c", "a\x0bb\x0cc", " a\u200b b\u2028c\ufeff ", "a\x00 b\x1b c\u202e", "a b\ud800 c\U000e0041"],
)
def test_one_line_has_nothing_that_no_reader_sees(text: str) -> None:
    assert marks.one_line(text) == "a b c"


@given(st.text())
def test_one_line_stays_one_line(text: str) -> None:
    line = marks.one_line(text)
    assert marks.one_line(line) == line
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    "end",
    ["Relevant Notes:\n- [[a]]\n\nTopics:\n- b\n", "Topics:\n\nRelevant Notes:\n", "## Related claims\n",
     "**Related Notes:**\n", "---\n\nTopics:\n", "-----\nrelated\n", ""],
)  # fmt: skip
def test_what_closes_a_claim_is_no_argument(end: str) -> None:
    body = "# Boats float\n\n---\n\nThey do, by these topics:\n\n> Topics:\n\n"
    assert marks.closing(body + end) == len(body)
    assert prose(body + end) == "They do, by these topics:\n\n> Topics:"


@pytest.mark.parametrize(
    "unit", ["```\n", "> ", "- ", "> \n", "- \n", "```\n~~~\n", "<!--\n", "\t", "---\n", "``` ` ", ". ", ".\")", "。"]
)
@pytest.mark.parametrize("head", ["", "```\n", "- " * 40 + "\n"])
def test_time_is_linear(head: str, unit: str) -> None:
    def read(size: int) -> None:
        body = head + unit * (size // len(unit)) + "\n<!--"
        marks.closing(body)
        list(marks.plain_sentences(body))

    grows_linearly(read, 50_000)
