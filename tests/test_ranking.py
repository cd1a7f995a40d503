"""The parts of a ranking: fusion, likeness and links, snippets, passages, and what links name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_kb.index import likeness, ranking
from codex_kb.text import snippet, wikilinks
from codex_kb.text.passages import passages, prose


def test_meaning_and_words_are_fused_by_their_shares() -> None:
    scores = ranking.fuse({1: 0.5, 2: 0.9, 3: -0.2}, {1: 1.0, 4: 0.3, 3: 0.0}, "hybrid")
    assert {row: round(score.total, 6) for row, score in scores.items()} == {1: 0.75, 2: 0.45, 4: 0.15}
    assert (scores[4].meaning, scores[4].words) == (0.0, 0.3)
    assert ranking.fuse({1: 0.5}, {2: 0.5}, "dense").keys() == {1}
    assert ranking.fuse({1: 0.5}, {2: 0.5}, "lexical").keys() == {2}


def test_equal_scores_are_in_the_order_of_paths() -> None:
    scores = ranking.fuse({1: 0.5, 2: 0.5 + 1e-8, 3: 0.6}, {}, "dense")
    assert ranking.best(scores, {1: "a.md", 2: "b.md", 3: "z.md"}) == [3, 1, 2]


def test_what_the_nearest_claims_link_to_is_followed() -> None:
    alike = {1: 0.9, 2: 0.8, 3: 0.1}
    given_ = likeness.follow(alike, {1: {7: 0.0}, 2: {7: 0.0, 8: 0.0}, 3: {9: 0.0}})
    assert 1 > given_[7] > given_[8] > given_[9] > 0
    assert likeness.follow(alike, {}) == {}
    assert likeness.voters(alike, {2, 3, 4}) == [2, 3]
    assert likeness.score(0.5, 0.5, 0.5, 0, younger=True).total < likeness.score(0.5, 0.5, 0.5, 0, younger=False).total


def test_a_link_counts_more_where_its_sentence_is_about_the_same() -> None:
    given_ = likeness.follow({1: 0.9}, {1: {7: 0.1, 8: 0.6}})
    assert 1 > given_[8] > given_[7] > 0


def test_common_and_lonely_terms_are_not_asked_for() -> None:
    assert likeness.terms_to_ask({1: 1, 2: 2, 3: 100, 4: 20}, 100) == [2, 4]
    assert likeness.share([1, 2, 1], {1: 0}, {1: 9.0, 2: 3.0}) == 0.75
    assert likeness.share([2], {2: 0}, {2: 2.0}) == 0.25


TEXT = "Rents differ. Dense towns let firms share pools of workers! 漁船は港に帰る。 Taxes too."


def test_the_sentence_that_shares_most_is_shown_with_its_matches() -> None:
    text, places = snippet.best(TEXT, {"worker": 2.0, "firm": 1.0, "rent": 2.5})
    assert text == "Dense towns let firms share pools of workers!"
    assert [text[start:end] for start, end in places] == ["firms", "workers"]
    assert snippet.best(TEXT, {"zebra": 1.0}) == ("", ())
    assert snippet.best("", {}) == ("", ())


def test_a_snippet_of_a_quote_has_no_quote_marks() -> None:
    quoted = "He says:\n\n> Wide boats turn\n> slowly in > 2 knots.\n>\n>> Tar is dear.\n"
    assert snippet.best(quoted, {"boat": 1.0})[0] == "Wide boats turn slowly in > 2 knots."
    assert snippet.best(quoted, {"tar": 1.0})[0] == "Tar is dear."
    assert snippet.best("> Tar is dear.\n\n\u2014 [Ann Boatman, Notes (2026)]\n", {"boatman": 1.0}) == ("", ())


@given(st.text(alphabet="ab .\n", max_size=1500))
def test_a_snippet_is_short_and_its_places_hold_what_was_asked(text: str) -> None:
    found, places = snippet.best(text, {"ab": 1.0})
    assert len(found) <= 242
    assert all(found[start:end] == "ab" for start, end in places)


def test_frontmatter_is_no_text() -> None:
    assert snippet.body_of("---\na: b\n---\nText") == "Text"
    assert snippet.body_of("\ufeff---\r\na: b\r\n---\r\nText") == "Text"
    assert snippet.body_of("No head\n---\n") == "No head\n---\n"


BODY = """# Title

First *sentence* with a [link](https://example.org/x) and [[a-claim|another claim]].

---

Relevant Notes:
- [[hidden]] — not argument
"""


def test_prose_has_neither_headings_nor_marks_nor_the_links_below() -> None:
    assert prose(BODY) == "First sentence with a [link] and another claim."


@given(st.lists(st.integers(1, 60), max_size=60))
def test_passages_hold_every_word_once_and_are_at_most_eight(sizes: list[int]) -> None:
    body = " ".join(" ".join(["Word"] + ["word"] * (size - 1)) + "." for size in sizes)
    found = passages(body)
    assert " ".join(found) == body
    assert len(found) <= 8
    assert all(passage.endswith(".") for passage in found)


@pytest.mark.parametrize(
    ("link", "key"),
    [
        ("A-Claim", "a claim"),
        ("a_claim.md", "a claim"),
        ("a claim|shown so", "a claim"),
        ("a claim#part", "a claim"),
        ("Domains/X/A-Claim.md", "domains/x/a-claim"),
        ("a%20claim", "a claim"),
    ],
)
def test_a_link_names_a_claim_by_stem_title_or_path(link: str, key: str) -> None:
    assert wikilinks.target(link) == key
    assert key in wikilinks.names_of("domains/x/a-claim.md", "A claim")


def test_a_link_stands_in_sentences_that_say_what_it_is_for() -> None:
    body = "Boats turn, since [[tar]] is dear. Other words.\n\n---\n- [[Tar]] — the price of it\n`[[oak]]` is code."
    said = wikilinks.said(body)
    assert {name: [" ".join(each.split()) for each in sentences] for name, sentences in said.items()} == {
        "tar": ["Boats turn, since is dear.", "- — the price of it"]
    }
    assert wikilinks.said("[[a]] [[b]] [[c]] [[d]] [[e]] [[f]] are many") == {}


def test_links_in_code_and_quotes_are_not_made() -> None:
    body = "[[one]] `[[two]]`\n> [[three]]\n```\n[[four]]\n```\n![[five]] [[]] [[six\n]]"
    assert list(wikilinks.links_in(body, 10)) == [(10, "one"), (15, "five")]
    fields = {"depends_on": ["[[seven]]", "eight", 9], "challenged_by": "[[ten]]", "tags": ["[[no]]"]}
    assert wikilinks.targets(fields, body) == {"one", "five", "seven", "eight", "ten"}
