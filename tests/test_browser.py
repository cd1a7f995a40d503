"""The page in a real browser: by keys alone, with marks that are never lost, and nothing that axe finds fault with.

Needs Debian's chromium and the Python packages playwright and axe-playwright-python; skipped where they are absent.
"""

from __future__ import annotations

import contextlib
import http.server
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conftest import SENTENCES, Base
from served import Program, Served

CHROMIUM = "/usr/bin/chromium"
playwright = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

PACKET = "inbox/proposals/notes.md"
SAVED = "All saved"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests."""
    try:
        with playwright.sync_playwright() as started:
            browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            yield browser
            browser.close()
    except playwright.Error as error:
        pytest.skip(f"no chromium that starts at {CHROMIUM}: {str(error).splitlines()[0]}")


def blocked(said: str) -> bool:
    """Did the page's policy keep the page itself from something?"""
    return "Content Security Policy" in said and not said.startswith("Framing")


@pytest.fixture
def tabs(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens tabs of one browser window; an error in a page's own script fails the test."""
    contexts: list[Any] = []
    faults: list[str] = []

    def tab(**options: Any) -> Any:
        if options or not contexts:
            contexts.append(chromium.new_context(**{"viewport": {"width": 1366, "height": 820}, **options}))
        page = contexts[-1].new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if blocked(said.text) else None)
        return page

    yield tab
    for each in contexts:
        each.close()
    assert faults == []


@pytest.fixture
def server(kb: Base, chromium: Any) -> Iterator[Served]:
    """A packet with three proposals, served; nobody has opened it yet."""
    kb.ingest()
    with Served(kb.root) as running:
        yield running


def opened(tab: Any, url: str) -> Any:
    """The first source of the queue."""
    tab.goto(url)
    tab.click("#first")
    tab.wait_for_selector("html[data-ready] #card")
    return tab


def until(page: Any, holds: Callable[[], bool]) -> None:
    """Wait for it; the page's own policy forbids playwright to look by itself."""
    end = time.monotonic() + 8
    while not holds() and time.monotonic() < end:
        page.wait_for_timeout(10)
    assert holds()


def press(page: Any, *keys: str) -> None:
    """Keys, each once the page shows what the one before it led to."""
    for key in keys:
        page.keyboard.press(key)
        until(page, lambda: page.evaluate("document.querySelector('#card').dataset.id === "
                                          "document.querySelector('[aria-current=step]').dataset.id"))  # fmt: skip


def wait_text(page: Any, selector: str, text: str) -> None:
    until(page, lambda: text in (page.text_content(selector) or ""))


def marks(kb: Base) -> list[str]:
    return re.findall(r"^## \[(.)\]", kb.read(PACKET), re.MULTILINE)


def settled(page: Any, kb: Base, *wanted: str) -> None:
    """The packet has these marks, and the page says that all is saved."""
    with contextlib.suppress(AssertionError):
        until(page, lambda: marks(kb) == [*wanted])
    assert marks(kb) == [*wanted]
    wait_text(page, "#saved", SAVED)


def test_a_source_is_reviewed_and_applied_by_keys_alone(server: Served, kb: Base, tabs: Callable[..., Any]) -> None:
    page = opened(tabs(), server.url)
    assert "token" not in page.url
    assert page.inner_text("#body mark.here") == page.inner_text("#card blockquote strong")
    press(page, "y", "n", "v", "t")
    settled(page, kb, "x", "-", "-")
    assert "reason: vague" in kb.read(PACKET)
    press(page, "b", "u")
    settled(page, kb, "x", "-", " ")
    press(page, "n", "o")
    page.keyboard.type("known since 1990")
    page.keyboard.press("Enter")
    settled(page, kb, "x", "-", "-")
    assert "reason: known since 1990" in kb.read(PACKET)
    page.keyboard.press("a")
    page.wait_for_selector("#apply:focus")
    assert "notes: 1 approved, 2 rejected, 0 wait" in page.inner_text("main")
    page.keyboard.press("Enter")
    page.wait_for_url("**/decided**")
    assert len(kb.claims()) == 1
    page.click("[data-withdraw]")
    page.fill("#why-text", "too fast")
    page.keyboard.press("Enter")
    page.wait_for_selector(".badge.withdrawn")
    assert {each["reason"] for each in kb.decisions()} >= {"too fast"}


def test_fields_are_edited_in_place_and_keys_do_nothing_there(
    server: Served, kb: Base, tabs: Callable[..., Any]
) -> None:
    page = opened(tabs(), server.url)
    page.keyboard.press("e")
    page.keyboard.type("Ny title that y n t are keys of")
    page.fill("[name=domain]", "markets")
    page.select_option("[name=confidence]", "proven")
    page.focus("[name=description]")
    page.keyboard.type(" yes")
    page.keyboard.press("Control+Enter")
    settled(page, kb, "x", " ", " ")
    section = kb.read(PACKET).partition("## [ ]")[0]
    assert "## [x] Ny title that y n t are keys of" in section
    assert "- domain: markets" in section
    assert "- confidence: proven" in section
    assert re.search(r"- description: .* yes|- description: yes", section)
    press(page, "b")
    assert page.input_value("[name=title]") == "Ny title that y n t are keys of"


def test_what_is_typed_is_saved_while_it_is_typed(server: Served, kb: Base, tabs: Callable[..., Any]) -> None:
    page = opened(tabs(), server.url)
    page.keyboard.press("e")
    page.keyboard.type("Typed and left")
    assert page.inner_text("#saved") != SAVED
    until(page, lambda: "## [ ] Typed and left" in kb.read(PACKET))
    wait_text(page, "#saved", SAVED)
    page.route("**/api/mark", lambda route: route.abort())
    page.focus("[name=description]")
    page.keyboard.type("At once gone")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert "At once gone" in page.input_value("[name=description]")
    page.unroute("**/api/mark")
    until(page, lambda: "At once gone" in kb.read(PACKET))
    assert page.input_value("[name=title]") == "Typed and left"
    settled(page, kb, " ", " ", " ")


def test_keys_can_be_switched_off_and_stay_so(server: Served, kb: Base, tabs: Callable[..., Any]) -> None:
    page = opened(tabs(), server.url)
    page.uncheck("#keys")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert not page.is_checked("#keys")
    page.keyboard.press("y")
    page.click("[data-reason=vague]")
    settled(page, kb, "-", " ", " ")


def test_what_is_left_is_rejected_at_once_after_a_question(
    server: Served, kb: Base, tabs: Callable[..., Any]
) -> None:
    page = opened(tabs(), server.url)
    press(page, "y", "d")
    page.keyboard.press("Escape")
    settled(page, kb, "x", " ", " ")
    page.keyboard.press("d")
    page.keyboard.press("Enter")  # the safe button has the focus
    settled(page, kb, "x", " ", " ")
    page.keyboard.press("d")
    page.keyboard.press("y")
    settled(page, kb, "x", "-", "-")
    page.keyboard.press("u")
    settled(page, kb, "x", " ", " ")


def test_one_is_rejected_without_a_reason_and_q_shows_the_preview_as_in_the_terminal(
    server: Served, kb: Base, tabs: Callable[..., Any]
) -> None:
    page = opened(tabs(), server.url)
    press(page, "n", "Enter", "N")
    settled(page, kb, "-", "-", " ")
    assert not re.search(r"^- reason: \S", kb.read(PACKET), re.MULTILINE)
    page.keyboard.press("q")
    page.wait_for_selector("#apply:focus")
    page.keyboard.press("b")
    page.wait_for_selector("html[data-ready] #card")
    press(page, "n")
    page.click("[data-reason=vague]")
    page.keyboard.press("n")  # is no answer to what the click has answered
    page.wait_for_selector("#reasons.asked")
    settled(page, kb, "-", "-", "-")


def test_evidence_is_added_to_the_nearest_claim(kb: Base, chromium: Any, tabs: Callable[..., Any]) -> None:
    kb.ingest()
    kb.claim("near", SENTENCES[0])
    kb.commit_all()
    with Served(kb.root) as server:
        page = opened(tabs(), server.url)
        items = [server.room.desk.item(*each) for each in server.room.desk.queue()]
        [near] = [number for number, each in enumerate(items) if each.adds_to]
        page.click(f"#items a >> nth={near}")
        page.wait_for_selector(f'#card[data-id="{items[near].id}"]')
        assert page.locator(".pair").count()
        press(page, "+", "h")
        until(page, lambda: marks(kb)[near] == "+")
    assert "- adds to: [[near]]" in kb.read(PACKET)
    assert "- as: challenge" in kb.read(PACKET)


def test_where_no_claim_is_near_enough_the_person_names_one(kb: Base, chromium: Any, tabs: Callable[..., Any]) -> None:
    kb.claim("far", "Boats float in towns")
    kb.commit_all()
    kb.ingest()
    with Served(kb.root) as server:
        assert server.room.desk.item(*server.room.desk.queue()[0]).adds_to is None
        page = opened(tabs(), server.url)
        page.keyboard.press("+")
        assert "No claim is near enough" in page.inner_text("#other")
        page.keyboard.type("far")
        page.keyboard.press("Enter")
        wait_text(page, "#prompt", "Add to [[far]]")
        press(page, "c")
        settled(page, kb, "+", " ", " ")
    assert "- adds to: [[far]]" in kb.read(PACKET)
    assert "- as: confirm" in kb.read(PACKET)


def test_selected_text_becomes_a_missed_claim(server: Served, kb: Base, tabs: Callable[..., Any]) -> None:
    page = opened(tabs(), server.url)
    page.evaluate("getSelection().selectAllChildren(document.querySelectorAll('#body p')[1])")
    page.keyboard.press("m")
    assert page.input_value("#missed-quote") == SENTENCES[1]
    page.fill("#missed-claim", "Cities teach")
    page.fill("#missed-quote", "Nobody said this.")
    page.click("#missed-form .yes")
    wait_text(page, "#missed-error", "word for word")
    page.fill("#missed-quote", SENTENCES[1])
    page.click("#missed-form .yes")
    page.wait_for_selector("#missed", state="hidden")
    assert "## Missed claim: Cities teach" in kb.read(PACKET)
    assert page.inner_text("#added li") == "Cities teach"


def test_a_missed_claim_that_is_left_is_there_again(kb: Base, chromium: Any, tabs: Callable[..., Any]) -> None:
    marked = f"- **Large** [cities](<../a(b).md>) raise `it`, as [[x|towns]] do. {SENTENCES[2]}"
    kb.ingest(sentences=[SENTENCES[0], marked])
    with Served(kb.root) as server:
        page = opened(tabs(), server.url)
        select = "document.querySelector('#body').lastElementChild"
        page.evaluate(f"getSelection().selectAllChildren({select})")
        selected = page.evaluate("getSelection().toString()")
        page.keyboard.press("m")
        title = f"Large cities raise it, as towns do. {SENTENCES[2]}"
        assert page.input_value("#missed-claim").endswith(title)
        assert "*" not in page.input_value("#missed-claim")
        page.keyboard.type("Cities teach")
        assert page.input_value("#missed-claim") == "Cities teach"
        page.keyboard.press("Escape")
        until(page, lambda: page.evaluate("getSelection().toString()") == selected)
        page.keyboard.press("m")
        assert page.input_value("#missed-claim") == "Cities teach"
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#missed", state="hidden")
        assert page.inner_text("#added li") == "Cities teach"
    assert "## Missed claim: Cities teach" in kb.read(PACKET)


def test_two_tabs_do_each_other_no_harm(server: Served, kb: Base, tabs: Callable[..., Any]) -> None:
    one = opened(tabs(), server.url)
    two = opened(tabs(), server.address)
    press(one, "y")
    settled(one, kb, "x", " ", " ")
    press(two, "t")
    wait_text(two, "#notices", "changed meanwhile")
    settled(two, kb, "x", " ", " ")
    until(two, lambda: two.get_attribute("#card", "data-mark") == "approve")
    press(two, "t")
    settled(two, kb, "-", " ", " ")
    assert two.inner_text("#notices") == ""
    one.keyboard.press("u")
    wait_text(one, "#notices", "another tab")
    assert marks(kb) == ["-", " ", " "]


def test_a_mark_is_kept_while_the_program_is_killed_and_started_again(
    kb: Base, chromium: Any, tabs: Callable[..., Any]
) -> None:
    kb.ingest()
    program = Program(kb.root, "--no-browser")
    page = opened(tabs(), program.url)
    page.wait_for_load_state("networkidle")
    program.ended(signal.SIGKILL)
    press(page, "y", "t")
    wait_text(page, "#saved", "Not saved yet: 2 (the program does not answer)")
    assert marks(kb) == [" ", " ", " "]
    again = Program(kb.root, "--no-browser")
    wait_text(page, "#saved", "Not saved yet: 2 (the session has ended)")
    page.goto(again.url)
    settled(page, kb, "x", "-", " ")
    again.ended()


def test_a_reload_in_the_middle_loses_nothing(server: Served, kb: Base, tabs: Callable[..., Any]) -> None:
    page = opened(tabs(), server.url)
    page.route("**/api/mark", lambda route: route.abort())
    press(page, "y", "v")
    wait_text(page, "#saved", "Not saved yet: 2")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    wait_text(page, "#saved", "Not saved yet: 2")
    assert page.get_attribute("#items a >> nth=2", "aria-current") == "step"
    page.unroute("**/api/mark")
    settled(page, kb, "x", "-", " ")
    press(page, "u")
    settled(page, kb, "x", " ", " ")


def test_an_undone_mark_that_was_not_sent_is_never_sent(server: Served, kb: Base, tabs: Callable[..., Any]) -> None:
    page = opened(tabs(), server.url)
    tried: list[str] = []
    page.route("**/api/mark", lambda route: (tried.append(route.request.url), route.abort()))
    press(page, "y")
    until(page, lambda: len(tried) >= 3)  # the next try is seconds away: none is under way
    wait_text(page, "#saved", "Not saved yet: 1")
    press(page, "u")
    wait_text(page, "#saved", SAVED)
    page.unroute("**/api/mark")
    press(page, "s", "y")
    settled(page, kb, " ", "x", " ")


def test_what_a_source_contains_runs_nothing(kb: Base, chromium: Any, tabs: Callable[..., Any]) -> None:
    script = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"
    kb.ingest(sentences=[f"Towns {script} grow faster than all the towns around them did.", *SENTENCES])
    with Served(kb.root) as server:
        page = opened(tabs(), server.url)
        for _ in range(4):
            press(page, "s")
        assert page.title() == "notes · codex"
        assert page.locator("#body img, #card img, main script").count() == 0
        assert script in page.inner_text("#body")


def test_on_a_phone_everything_is_in_reach_and_the_bar_is_small(
    server: Served, kb: Base, tabs: Callable[..., Any]
) -> None:
    page = opened(tabs(viewport={"width": 390, "height": 800}, has_touch=True), server.url)
    bar = page.locator(".bar")
    assert bar.bounding_box()["height"] <= 110
    for text in ("Approve", "Reject", "Add", "Later", "Back", "Undo", "Preview and apply"):
        found = page.locator(".bar").get_by_text(text, exact=False).first.bounding_box()
        assert 0 <= found["x"] <= 390 - found["width"], text
        assert 0 <= found["y"] <= 800 - found["height"], text
    page.tap("[data-do=reject]")
    for each in page.locator("#reasons button").all():
        found = each.bounding_box()
        assert found["x"] + found["width"] <= 390
        assert found["y"] + found["height"] <= 800
    page.tap("[data-reason='']")
    settled(page, kb, "-", " ", " ")
    until(page, lambda: not page.is_visible("#reasons"))
    page.tap("#preview")
    page.wait_for_selector("#apply")


class Strange(http.server.BaseHTTPRequestHandler):
    """A page of another user of this machine."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_page_of_another_port_or_name_reads_nothing(server: Served, tabs: Callable[..., Any]) -> None:
    page = tabs()
    page.goto(server.url)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Strange) as strange:
        threading.Thread(target=strange.serve_forever).start()
        page.goto(f"http://127.0.0.1:{strange.server_port}/")
        read = "(url) => fetch(url, {credentials: 'include'}).then((a) => a.status, () => 0)"
        run = """(url) => new Promise((done) => {
            const script = document.createElement("script");
            script.src = url; script.onload = () => done("ran"); script.onerror = () => done("refused");
            document.body.append(script);
        })"""
        frame = "(url) => { const f = document.createElement('iframe'); f.src = url; document.body.append(f); }"
        assert page.evaluate(read, f"{server.address}/review/notes") == 0
        assert page.evaluate(run, f"{server.address}/static/page.js") == "refused"
        page.evaluate(frame, f"{server.address}/")
        page.wait_for_timeout(300)
        assert all("What waits" not in each.content() for each in page.frames)
        strange.shutdown()
    assert page.goto(f"http://evil.localhost:{server.port}/").status == 421


def test_a_browser_that_comes_from_a_file_gets_in(server: Served, tabs: Callable[..., Any], tmp_path: Any) -> None:
    file = tmp_path / "open.html"
    file.write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={server.url}">')
    page = tabs()
    page.goto(file.as_uri())
    page.wait_for_selector("#first")
    assert page.url == f"{server.address}/"


@pytest.mark.parametrize(
    ("window", "rules"),
    [({}, None), ({"color_scheme": "dark"}, ["color-contrast"]), ({"viewport": {"width": 320, "height": 640}}, [])],
    ids=["light", "dark", "small"],
)
def test_axe_finds_nothing_and_nothing_is_cut_off(
    server: Served, kb: Base, tabs: Callable[..., Any], window: dict[str, Any], rules: list[str] | None
) -> None:
    kb.claim("near", SENTENCES[0])
    kb.commit_all()
    page = opened(tabs(**window), server.url)
    press(page, "y", "t")
    settled(page, kb, "x", "-", " ")
    for path in (page.url, "/", "/preview/notes", "/search?q=towns", "/claim/codex/economics/near.md",
                 "/decided?of=inbox/notes.md", "/nowhere", "?"):  # fmt: skip
        if path == "?":
            page.click("#help-button")
        else:
            page.goto(path if path == page.url else server.address + path)
        options = {"runOnly": rules} if rules else None
        found = axe.Axe().run(page, options=options).response["violations"] if rules != [] else []
        assert [(path, each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
