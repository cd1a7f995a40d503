"""Specialists beside the general order: the audit says what they are worth, on what they were not trained on."""

from __future__ import annotations

import re

import numpy as np
import pytest

import test_generations
from codex_kb.learn import orders
from codex_kb.learn.generation import Generation
from codex_kb.learn.ranker import Ranker
from codex_kb.records import Decision
from conftest import Base, FakeEncoder
from test_audit import decision


def judged(source: str, domain: str, wanted: float) -> list[Decision]:
    """A source of six, of which those are approved whose feature is `wanted`."""
    return [
        decision(6 * int(source) + at, at % 2 == wanted, source, features={"score": 0.0, "digit": at % 2},
                 proposal={"title": f"Town {source} {at}", "domain": domain})
        for at in range(6)
    ]  # fmt: skip


def test_a_specialist_is_judged_in_its_own_sources_beside_the_general_order() -> None:
    general, law, clio = (Ranker(np.array([weight]), np.zeros(2), 1, 1) for weight in (0.0, 2.0, 2.0))
    made = Generation(1, "1-00000000", (), (), (), 1, "e", ("digit",), general, {"law": law, "Clio": clio, "sea": law})
    given = [each for n in range(12) for each in judged(str(n), ("Law", "history")[n % 2], 1 - n % 2)]
    given += judged("12", "ports", 1) + [decision(900 + n, True, "13", features={"score": 0.0}) for n in range(3)]
    vectors = {str(each.proposal["title"]): np.ones(2) for each in given}
    found = orders.beside_general(made, given, vectors, {"history": "Clio"})
    assert [(name, each.own.value, each.general.value, each.gain.of) for name, each in found.items()] == [
        ("law", 1.0, 0.5, 6), ("Clio", 0.0, 0.5, 6), ("sea", None, None, 0),
    ]  # fmt: skip
    assert (found["law"].gain.value, found["Clio"].gain.value, found["law"].gain.low) == (0.5, -0.5, None)
    given += [each for n in range(20, 40) for each in judged(str(n), "law", n % 4 != 0)]
    vectors |= {str(each.proposal["title"]): np.ones(2) for each in given}
    gain = orders.beside_general(made, given, vectors, {})["law"].gain
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low < (gain.value or 0) < gain.high < 0.5


def test_the_audit_shows_them_on_decisions_that_they_were_not_trained_on(kb: Base, encoder: type[FakeEncoder]) -> None:
    kb.write("codex.toml", "[learn]\nevery = 1000\n[agents.Clio]\ndomains = ['history', 'archives']\n"
                           "[review]\nblind = 0.0\nexplore = 0.0\nrepeat = 0.0\n")  # fmt: skip
    kb.commit_all()
    test_generations.review_domains(kb, 0, 24)
    assert kb.run("distill", "--now").code == 0
    untaught, taught = kb.run("audit", "--json").json["generations"]
    nothing = dict.fromkeys(("value", "low", "high")) | {"of": 0}
    assert (untaught["specialists"], sorted(taught["specialists"])) == ({}, ["Clio", "law"])
    assert taught["specialists"]["law"] == {"auc": nothing, "general": nothing, "gain": nothing}

    test_generations.review_domains(kb, 24, 12)
    before = kb.snapshot()
    found = kb.run("audit", "--json").json["generations"][1]["specialists"]
    assert {name: each["gain"]["of"] for name, each in found.items()} == {"Clio": 8, "law": 4}
    for each in found.values():
        assert each["gain"]["value"] == pytest.approx(each["auc"]["value"] - each["general"]["value"], abs=1e-5)
        assert each["gain"]["value"] > 0
    assert found["law"]["gain"]["low"] is None
    said = kb.run("audit").out
    assert re.search(r"specialist law, AUC +\d\.\d\d, of the general order \d\.\d\d, gain \d\.\d\d, of 4 sources", said)
    assert kb.snapshot() == before
    encoder.texts.clear()
    assert kb.run("audit", "--html", "audit.html").code == 0
    assert len(encoder.texts) == len(set(encoder.texts)) > 0
    page = kb.read("audit.html")
    assert 'id="specialists-' in page
    plain = re.sub(r"</?span[^>]*>", "", page)
    assert re.search(r"<td>Clio</td><td>\d\.\d\d", plain)
