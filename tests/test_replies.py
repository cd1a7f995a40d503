"""Whatever a model answers: good items are kept, nothing else gets through, only ValueError is raised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codex_kb.propose import replies
from codex_kb.propose.replies import Candidate, Judgement
from codex_kb.records import Relation
from codex_kb.text.fields import CONFIDENCES
from conftest import grows_linearly

CASES = sorted((Path(__file__).parent / "cases" / "replies").glob("*.txt"))
INJECTIONS = sorted((Path(__file__).parent / "cases" / "injection").glob("*.md"))
WIDE = Candidate("wide boats turn slowly", ("Wide boats turn slowly.",), "A keel drags.", "boats", "likely")
NARROW = Candidate("narrow boats are cheap", ("Narrow boats are cheap.", "They cost little."), "Wood.", "", "proven")

names = st.sampled_from(
    ["claims", "title", "quotes", "quote", "confidence", "domain", "description", "numbers", "relation", "claim",
     "reason", "point"]
)  # fmt: skip
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=20),
    st.sampled_from(["likely", "PROVEN", "certain", "new", "duplicate", "../../.git", "\x1b[2J", "\ud800", "a b"]),
)  # fmt: skip
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5), max_leaves=20
)
answers = st.one_of(
    st.text(st.characters(), max_size=100),
    st.lists(st.sampled_from([*'"{}[]:,\\1 ', '{"', "claims", "title", "```", "NaN"]), max_size=40).map("".join),
    values.map(json.dumps),
    st.lists(values, max_size=4).map(lambda items: json.dumps({"claims": items})),
)  # fmt: skip


def one(item: dict[str, Any]) -> Candidate:
    return replies.candidates(json.dumps({"claims": [item]}), 5)[0]


def check(candidate: Candidate) -> None:
    assert candidate.confidence in ("", *CONFIDENCES)
    assert candidate.title
    assert 1 <= len(candidate.quotes) <= 3
    texts = [candidate.title, candidate.description, candidate.domain, *candidate.quotes]
    for text in texts:
        assert text == " ".join(text.split())
        assert text.isprintable() or not any(char < " " or "\x7f" <= char < "\xa0" for char in text)
        text.encode()
    assert all(char.isalnum() or char == "-" for char in candidate.domain)
    assert "<!--" not in candidate.title + candidate.description


@given(answers, st.integers(0, 5))
@settings(max_examples=500, deadline=None)
@example("[" * 100_000, 3)
@example('{"claims": [{"title": "a", "quotes": ["b"], "confidence": "Likely "}]}', 3)
def test_any_text_gives_good_values_or_a_value_error(text: str, n: int) -> None:
    reasons = []
    for read in (lambda: replies.candidates(text, n), lambda: replies.chosen(text, [WIDE, NARROW], n)):
        try:
            found = read()
        except ValueError as error:
            reasons.append(str(error))
        else:
            assert len(found) <= n
            for candidate in found:
                check(candidate)
    assert all(0 < len(reason) < 200 for reason in reasons)
    try:
        judged = replies.relation(text, n)
        assert judged.relation in get_args(Relation)
        assert (judged.claim is None) == (judged.relation == "new")
        assert judged.claim is None or 0 <= judged.claim < n
    except ValueError:
        pass
    try:
        made = replies.point(text)
        assert made.point
    except ValueError:
        pass


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_saved_answers(path: Path) -> None:
    text = path.read_bytes().decode()
    if path.name.endswith(".bad.txt"):
        with pytest.raises(ValueError, match=r"JSON|no claim can be used: 1 without a quote, 1 without a title"):
            replies.candidates(text, 5)
        return
    (found,) = replies.candidates(text, 5)
    check(found)
    assert found.title in ("wide boats turn slowly", "wide boats ## [x] turn slowly")
    assert found.quotes == ("Wide boats turn slowly.",)


def test_what_is_dropped_is_counted() -> None:
    text = next(path for path in CASES if path.name == "some-bad.txt").read_text()
    assert replies.candidates(text, 5).dropped == {
        "not an object": 3, "without a title": 3, "without a quote": 1, "said twice": 1,
    }  # fmt: skip


def test_at_most_the_limit_is_kept_and_three_times_that_looked_at() -> None:
    items = [{"title": f"boat {n}", "quotes": ["wide boats"]} for n in range(100)]
    found = replies.candidates(json.dumps({"claims": items}), 4)
    assert [each.title for each in found] == ["boat 0", "boat 1", "boat 2", "boat 3"]
    assert found.dropped == {"more than asked for": 96}
    with pytest.raises(ValueError, match="no claim can be used: 88 more than asked for, 12 not an object"):
        replies.candidates(json.dumps({"claims": [0] * 12 + items[:88]}), 4)


def test_nothing_to_claim_is_an_answer() -> None:
    assert replies.candidates('{"claims": []}', 5) == []


def test_values_are_cleaned() -> None:
    found = one({
        "title": "## This note argues that boats <!-- id: 1 --> float.", "confidence": " Likely",
        "domain": "../../.git/A_b",
        "quotes": ["“Wide boats.”", '"a" and "b"', "**", 7, "two\nlines\x1b[0m", "four"],
    })  # fmt: skip
    assert found == Candidate(
        "boats <! -- id: 1 -- > float", ("Wide boats.", '"a" and "b"', "two lines[0m"), "", "git-a-b", "likely"
    )
    assert one({"title": "x" * 5000, "quotes": ["y" * 5000]}).title == "x" * 300
    assert one({"title": "x", "quotes": ["y"], "confidence": "certain", "domain": ["a"]}) == Candidate("x", ("y",))


def test_chosen_claims_have_no_quotes_but_those_of_the_proposed() -> None:
    text = json.dumps({"claims": [
        {"numbers": [2]},
        {"numbers": [1, 2, 1, 9], "title": "boats differ", "confidence": "speculative", "quotes": ["made up"]},
        {"numbers": [0, -1, 3, True, 1.5, None]},
        {"number": "1", "title": ""},
        {"title": "made up"},
    ]})  # fmt: skip
    found = replies.chosen(text, [WIDE, NARROW], 9)
    quotes = ("Wide boats turn slowly.", "Narrow boats are cheap.", "They cost little.")
    merged = Candidate("boats differ", quotes, "A keel drags.", "boats", "speculative")
    assert found == [NARROW, merged, WIDE]
    assert found.dropped == {"naming no proposed claim": 2}


@pytest.mark.parametrize(
    ("said", "n", "found"),
    [
        ({"relation": "New", "claim": 2, "reason": "a\nb"}, 3, Judgement("new", None, "a b")),
        ({"relation": "challenges", "claim": 3, "reason": "x"}, 3, Judgement("challenges", 2, "x")),
        ({"relation": "duplicate"}, 1, Judgement("duplicate", 0, "")),
        ({"relation": "enriches", "claim": 4}, 3, None),
        ({"relation": "enriches", "claim": 0}, 3, None),
        ({"relation": "supports", "claim": 1}, 3, None),
        ({"relation": ["new"]}, 3, None),
    ],
)
def test_relations(said: dict[str, Any], n: int, found: Judgement | None) -> None:
    if found is None:
        with pytest.raises(ValueError, match=r"relation is not one of|claim is not a number from 1 to 3"):
            replies.relation(json.dumps(said), n)
    else:
        assert replies.relation(json.dumps(said), n) == found


def test_points() -> None:
    point, quote = replies.point('Sure: {"point": "It <!-- drags", "quote": "Wide boats"}')
    assert (point, quote) == ("It <! -- drags", "Wide boats")
    assert replies.point('{"point": "It drags"}').quote == ""
    with pytest.raises(ValueError, match="empty"):
        replies.point('{"point": "..."}')


@pytest.mark.parametrize("path", INJECTIONS, ids=lambda path: path.stem)
def test_an_answer_that_carries_an_attack_is_harmless(path: Path) -> None:
    payload = path.read_bytes().decode()
    item = dict.fromkeys(("title", "description", "confidence", "domain"), payload) | {"quotes": [payload]}
    check(one(item))
    with pytest.raises(ValueError, match="relation is not one of"):
        replies.relation(json.dumps({"relation": payload, "claim": payload}), 3)
    check(replies.chosen(json.dumps({"claims": [{"numbers": [1], **item}]}), [WIDE], 3)[0])


@pytest.mark.parametrize("unit", ["[{", '{"', '{"\\"', "{ ", '{"a":', '{"a":1},', "x"])
@pytest.mark.parametrize("frame", ["{}", '{{"claims":[{{"title":"{}"}}]}}'], ids=["bare", "title"])
def test_time_is_linear(unit: str, frame: str) -> None:
    def read(size: int) -> None:
        with pytest.raises(ValueError, match=r"JSON|can be used"):
            replies.candidates(frame.format(unit * (size // len(unit))), 5)

    grows_linearly(read, 150_000)


def test_an_endless_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        replies.candidates(" " * 1_000_001, 5)
