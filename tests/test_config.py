"""Settings: what may be said, and where a fault is found."""

from __future__ import annotations

import pytest

from codex_kb.config import Run, field_names, long_key, parse
from codex_kb.errors import UsageError
from conftest import grows_linearly


def fault(text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parse(text, "codex.toml")
    assert caught.value.path == "codex.toml"
    return caught.value


def test_an_empty_file_gives_the_defaults() -> None:
    settings = parse("")
    assert settings.kb.claims == ("codex",)
    assert settings.kb.sources == ("inbox",)
    assert settings.write_folder == "codex"
    assert settings.ingest.max_claims == 10
    assert not settings.fields


def test_everything_may_be_said() -> None:
    settings = parse("""
[kb]
claims = ["domains/", "core"]
sources = ["in/box"]
write = "core/new/"
[fields]
status = "codex_status"
[ingest]
max_bytes = 5
max_claims = 2
[propose]
model = "m"
[index]
model = "i"
[git]
branch = "extract/{source}"
subject = "s"
batch = 20
[git.trailers]
Signed = "me"
[run]
engine = "ray://[::1]:6379"
files = "s3://bucket/kb"
patience = 3
[check]
dead-link = "off"
no-type = "error"
""")
    assert settings.kb.claims == ("domains", "core")
    assert settings.write_folder == "core/new"
    assert dict(settings.fields) == {"status": "codex_status"}
    assert (settings.ingest.max_bytes, settings.ingest.max_claims) == (5, 2)
    assert (settings.git.branch, settings.git.batch) == ("extract/{source}", 20)
    assert settings.run == Run("ray://[::1]:6379", "s3://bucket/kb", 3)
    assert dict(settings.git.trailers) == {"Signed": "me"}
    assert dict(settings.check) == {"dead-link": "off", "no-type": "error"}


def test_new_claims_go_to_the_first_folder_unless_one_is_named() -> None:
    assert parse('[kb]\nclaims = ["domains", "core"]').write_folder == "domains"


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("[kb]\n\n[nonsense]\na = 1", 3, "nonsense"),
        ("kb = 1", None, "kb"),
        ('[ingest]\nmax_claims = 1\n\n[kb]\nclaim = ["x"]', 5, "claim"),
        ('[propose]\nmodel = "a"\n[index]\nmodels = "b"', 4, "models"),
        ('[fields]\nstatus = "a"\nstate = "b"', 3, "state"),
        ("[ingest]\nmax_bytes = \"big\"", 2, "max_bytes"),
        ("[ingest]\nmax_claims = true", 2, "max_claims"),
        ("[ingest]\nmax_claims = 1.5", 2, "max_claims"),
        ("[ingest]\nmax_claims = 0", 2, "max_claims"),
        ("[propose]\nmodel = 3", 2, "model"),
        ('[kb]\nclaims = "codex"', 2, "claims"),
        ("[kb]\nclaims = []", 2, "claims"),
        ("[kb]\nclaims = [1]", 2, "claims"),
        ('[kb]\nsources = [""]', 2, "sources"),
        ("[fields]\nstatus = 3", 2, "status"),
        ('[fields]\nstatus = " "', 2, "status"),
        ('[check]\ndead-link = "loud"', 2, "dead-link"),
        ("[check]\ndead-link = true", 2, "dead-link"),
        ("check = 3", None, "check"),
        ("[git]\ntrailers = 3", 2, "trailers"),
        ("[git.trailers]\nSigned = 3", None, "Signed"),
        ("[git]\nbatch = 0", 2, "batch"),
        ('[run]\nengine = "spark"', 2, "spark"),
        ('[run]\nengine = "ray://h:1/$(x)"', 2, "engine"),
        ('[run]\nfiles = "a\\nb"', 2, "files"),
        ("[run]\npatience = 0.5", 2, "patience"),
    ],
)  # fmt: skip
def test_a_fault_names_file_line_and_key(text: str, line: int | None, word: str) -> None:
    error = fault(text)
    assert word in error.message
    if line is not None:
        assert error.line == line


def test_what_is_no_toml_names_the_line() -> None:
    error = fault('[kb]\nclaims = ["codex"]\nwrite = codex\n')
    assert error.line == 3
    assert error.hint


@pytest.mark.parametrize("folder", ["/etc", "../other", "a/../../b", "."])
@pytest.mark.parametrize("key", ["claims", "sources", "write"])
def test_folders_stay_inside_the_root(folder: str, key: str) -> None:
    value = f'"{folder}"' if key == "write" else f'["{folder}"]'
    assert fault(f"[kb]\n{key} = {value}").line == 2


def test_an_unknown_key_says_which_are_known() -> None:
    assert "max_claims" in fault("[ingest]\nclaims = 1").hint
    assert all(name in fault('[fields]\nx = "y"').hint for name in field_names())


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        parse('[fields]\nstatus = "x"').fields["status"] = "y"  # type: ignore[index]


def test_agents_have_domains_models_and_instructions() -> None:
    settings = parse("""
[propose]
model = "openai:m"
jobs = 8
budget = 2
price = [0.25, 2]
[agents.mariner]
domains = ["ships", "harbours"]
model = "local:models/small.gguf"
instructions = "Prefer costs."
trying = "Leave out history."
[agents.other]
""")
    assert (settings.propose.jobs, settings.propose.budget, settings.propose.price) == (8, 2.0, (0.25, 2.0))
    assert settings.agents["mariner"].domains == ("ships", "harbours")
    assert settings.agents["mariner"].trying == "Leave out history."
    assert settings.agents["other"].model == settings.agents["other"].trying == ""


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("[propose]\njobs = 0", "jobs in [propose] must be above 0", 2),
        ("[propose]\n\nbudget = -1", "must be US dollars", 3),
        ("[review]\nblind = 2", "blind in [review] must be a part from 0 to 1", 2),
        ("[review]\nrepeat = true", "repeat in [review] must be a part from 0 to 1", 2),
        ("[review]\nalone = 0.5", "alone in [review] must be a whole number from 0", 2),
        ("[review]\nalone = -1", "alone in [review] must be a whole number from 0", 2),
        ('[propose]\nbudget = "2"', "must be US dollars", 2),
        ("[propose]\nprice = 2.5", "must be US dollars", 2),
        ("[propose]\nprice = [1, true]", "must be US dollars", 2),
        ("[propose]\nprice = [nan, 1]", "must be US dollars", 2),
        ('[agents."../x"]\ndomains = ["a"]', "is not an agent", None),
        ("[agents]\nmariner = 1", "is not an agent", 2),
        ('[agents.a]\ndomain = ["x"]', "unknown key domain", 2),
        ('[agents.a]\ndomains = "x"', "must be a list of texts", 2),
        ('[agents.a]\ndomains = ["x"]\n[agents.b]\ndomains = ["x"]', "the domain x has two agents", 4),
    ],
)
def test_faults_of_models_and_agents_are_named(text: str, message: str, line: int | None) -> None:
    error = fault(text)
    assert message in error.message
    assert error.line == line or line is None


@pytest.mark.parametrize(
    "folder", [".git", ".git/refs/heads", ".GIT/hooks", "sub/.git/x", ".codex-kb", "./.codex-kb/index", "codex/index",
               "codex/decisions/more", "Codex/Generations", "inbox/proposals"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["claims", "sources", "write"])
def test_folders_of_git_and_of_ours_are_nobody_elses(folder: str, key: str) -> None:
    value = f'"{folder}"' if key == "write" else f'["{folder}"]'
    error = fault(f"[kb]\n{key} = {value}")
    assert "is kept for git or for codex itself" in error.message
    assert error.line == 2


def test_a_folder_that_only_begins_like_one_of_ours_is_taken() -> None:
    assert parse('[kb]\nclaims = ["codex/index-funds", ".github"]').kb.claims == ("codex/index-funds", ".github")


@pytest.mark.parametrize(("key", "pattern"), [
    ("subject", "{agent:>2000000000}"), ("subject", "{agent.foo}"), ("subject", "{agent[0]}"), ("subject", "{n!r}"),
    ("subject", "{}"), ("subject", "{0}"), ("subject", "{claim}"), ("subject", "{agent"), ("subject", "a\\nb"),
    ("branch", "x/{source:{slug}}"), ("branch", "{n}"), ("branch", "x" * 501),
])  # fmt: skip
def test_a_pattern_names_what_is_known_and_nothing_more(key: str, pattern: str) -> None:
    error = fault(f'[git]\n\n{key} = "{pattern}"')
    assert error.message == f"{key} in [git] is no pattern"
    assert error.line == 3


def test_a_pattern_may_hold_braces_and_every_known_name() -> None:
    assert parse('[git]\nsubject = "{{x}} {source} {slug} {agent} {n}"').git.subject.startswith("{{x}}")


@pytest.mark.parametrize("text", [
    '[git]\n\ntrailers = { "Reviewed-by" = "Eve <eve@example.org>" }',
    '[git]\n[git.trailers]\nREVIEWED-BY = "Eve"',
    '[git]\n[git.trailers]\nsource = "Eve"',
    '[git]\n[git.trailers]\nX = "a\\nReviewed-by: Eve"',
    '[git]\n[git.trailers]\nX = "a\\u2028Reviewed-by: Eve"',
    '[git]\n[git.trailers]\n"a b" = "c"',
    f'[git]\n[git.trailers]\nX = "{"a" * 501}"',
    '[git]\n\ntrailers = { "X\\nReviewed-by" = "Eve" }',
])  # fmt: skip
def test_a_trailer_never_says_who_decided(text: str) -> None:
    error = fault(text)
    assert "trailer" in error.message
    assert error.line == 3


@pytest.mark.parametrize(("text", "line"), [
    ("{key} = 1", 3), ("[{key}]", 3), ("a = {{ {key} = 1 }}", 3), ('x = """\n\\""".\n"""\n{key} = 1', 6), ("{key}", 3),
])  # fmt: skip
@pytest.mark.parametrize("part", ["a", '"a"', "'.'", "a "])
def test_a_key_of_very_many_parts_is_named_by_its_line(text: str, line: int, part: str) -> None:
    error = fault("[kb]\n\n" + text.format(key=".".join([part] * 40_000)))
    assert (error.line, error.message) == (line, "a key of more than 100 parts")


def test_dots_in_texts_and_comments_are_no_parts_of_a_key() -> None:
    dots = ".a" * 200
    settings = parse(f"# {dots}\n[agents.a]\ninstructions = \"\"\"{dots}\n{dots}\"\"\"\nmodel = '{dots}'\n")
    assert settings.agents["a"].instructions == f"{dots}\n{dots}"


@pytest.mark.parametrize("text", ["a", "a.", '"', '"""', '\'\'\'', '"""\\', "'", "#", '"a\\'])
def test_keys_are_looked_for_in_linear_time(text: str) -> None:
    grows_linearly(lambda size: long_key(text * size), 20_000)


def test_tables_nested_without_end_are_no_settings() -> None:
    assert "nested too deep" in fault("a = " + "[" * 100_000).message


@pytest.mark.parametrize("folder", ["a\\u0000b", "a" * 300, "a/" * 400])
@pytest.mark.parametrize("key", ["claims", "sources", "write"])
def test_what_no_folder_can_be_called_is_refused(key: str, folder: str) -> None:
    value = f'"{folder}"' if key == "write" else f'["{folder}"]'
    found = fault(f"[kb]\n{key} = {value}\n")
    assert found.line == 2
    assert "cannot name a folder" in found.message


def test_a_number_of_more_digits_than_python_reads_is_refused() -> None:
    found = fault(f"[ingest]\nmax_claims = 3\nmax_bytes = {'9' * 5000}\n")
    assert found.line == 3
    assert "not valid TOML" in found.message
