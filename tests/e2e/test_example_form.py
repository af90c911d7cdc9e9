"""The example form of docs/guides/form.html in Chromium, on a website of its own, before a real door."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from sluice.settings import REPOSITORY
from sluice.store.embedded import Cluster
from tests.conftest import absent, create_database, open_database
from tests.doors import Door, until
from tests.e2e.test_prefect_ui import ARGUMENTS, CHROMIUM

FORM = REPOSITORY / "docs" / "guides" / "form.html"
STATUS = "[role=status]"


@dataclass(frozen=True)
class Website:
    """A website with the form on it, the door that it posts to, and a browser."""

    door: Door
    browser: Browser
    port: int

    @property
    def origin(self) -> str:
        """The only website that the form's key lists."""
        return f"http://127.0.0.1:{self.port}"

    def open(self, host: str = "127.0.0.1", *, scripts: bool = True) -> Page:
        """The form as somebody sees it who has just opened the page."""
        page = self.browser.new_context(java_script_enabled=scripts).new_page()
        page.set_default_timeout(20_000)
        if scripts:
            page.clock.install()
        page.goto(f"http://{host}:{self.port}/form.html")
        return page

    def work(self) -> None:
        """Works what was posted."""
        command = [sys.executable, "-m", "flows.cli", "inbox", "--once"]
        subprocess.run(command, env=os.environ | self.door.environ, cwd=REPOSITORY, check=True, capture_output=True)


@pytest.fixture(scope="module")
def website(clusters: Callable[[str], Cluster], make_home: Callable[[], Path]) -> Iterator[Website]:
    if not CHROMIUM.exists():
        absent(f"{CHROMIUM} (Debian's package chromium)")
    cluster, folder = clusters("embedded"), make_home()
    name = f"form_{os.urandom(4).hex()}"
    create_database(cluster, name, template="template_of_tests")
    with ExitStack() as undo:
        database = open_database(cluster, name)
        undo.callback(database.dispose)
        door = Door.made(database, folder)
        shutil.copy(REPOSITORY / "config" / "sources" / "website-form.yml", door.config / "sources")
        door.open()
        undo.callback(door.end)
        pages = folder / "pages"
        pages.mkdir()
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=pages))
        undo.callback(server.server_close)
        threading.Thread(target=server.serve_forever).start()
        undo.callback(server.shutdown)
        playwright = undo.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        undo.callback(browser.close)
        found = Website(door, browser, server.server_port)
        _lay(found, pages)
        asked = {"Origin": found.origin}
        until(lambda: door.client.options("/hooks/website-form", headers=asked).status_code == 204)  # the key is known
        yield found


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def _lay(website: Website, pages: Path) -> None:
    """The page as its comment says that it is to be changed, and the one that it goes on to."""
    text = FORM.read_text(encoding="utf-8")
    key = website.door.key_text("leads:write", source="website-form", origins=[website.origin])
    changes = {
        "https://leads.example.com": f"http://127.0.0.1:{website.door.port}",
        "YOUR-PUBLIC-KEY": key,
        "https://www.example.com": website.origin,
    }
    for before, after in changes.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    (pages / "form.html").write_text(text, encoding="utf-8")
    (pages / "thanks.html").write_text("<!doctype html><title>Thanks</title><h1>Thank you</h1>", encoding="utf-8")


def fill(page: Page, name: str) -> str:
    """What somebody writes; their address."""
    address = f"{name.lower().replace(' ', '.')}@okafor.example"
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(address)
    page.get_by_label("Company").fill("Okafor & Söhne")
    page.get_by_label("Your question").fill("Do you ship to Malmö?\nPlease call.")
    return address


def became(website: Website, receipt: int) -> list[str]:
    """What the row of a receipt became: a lead's address, or the kind of what is set aside."""
    touched = f"select l.email from touches as t join leads as l using (lead_id) where t.receipt_id = {receipt}"
    return website.door.ask(f"{touched} union all select kind from set_asides where receipt_id = {receipt}")


def number(page: Page) -> int:
    """The receipt that the page tells its reader."""
    expect(page.locator(STATUS)).to_contain_text("Thank you")
    return int(page.locator(STATUS).inner_text().split()[-1].rstrip("."))


def test_what_is_filled_in_becomes_a_lead(website: Website) -> None:
    page = website.open()
    address = fill(page, "Zoe Okafor")
    page.clock.fast_forward(20_000)
    page.get_by_role("button").click()
    receipt = number(page)
    kept = f"select convert_from(body, 'utf8'), envelope::text, key from receipts where receipt_id = {receipt}"
    ((body, envelope, key),) = website.door.ask(kept)
    assert ("seconds_taken=2" in body, "Malm%C3%B6" in body, key.startswith("id:")) == (True, True, True)
    assert "sluice_" not in body + envelope  # the key is nowhere
    website.work()
    assert became(website, receipt) == [address]
    assert website.door.ask(f"select warnings from touches where receipt_id = {receipt}") == [None]


def test_without_scripts_the_browser_goes_on_to_the_next_page(website: Website) -> None:
    page = website.open(scripts=False)
    address = fill(page, "Ivo Horak")
    page.get_by_role("button").click()
    page.wait_for_url(f"{website.origin}/thanks.html")
    website.work()
    (receipt,) = website.door.ask("select max(receipt_id) from receipts")
    assert became(website, receipt) == [address]
    assert website.door.ask(f"select extra from leads where email = '{address}'") == [None]


def test_a_program_that_fills_in_everything_is_set_aside(website: Website) -> None:
    page = website.open()
    fill(page, "Program One")
    page.locator("[name=website_url]").evaluate("field => field.value = 'https://spam.example'")
    page.get_by_role("button").click()
    receipt = number(page)
    website.work()
    assert became(website, receipt) == ["spam"]


def test_people_do_not_meet_the_trap(website: Website) -> None:
    page = website.open()
    expect(page.locator("[name=website_url]")).not_to_be_in_viewport()
    names = []
    page.get_by_label("Name").focus()
    for _ in range(6):
        names.append(page.evaluate("document.activeElement.name || document.activeElement.tagName"))
        page.keyboard.press("Tab")
    assert names == ["name", "email", "tel", "organisation", "message", "BUTTON"]


def test_a_busy_door_is_asked_again_and_stores_it_once(website: Website) -> None:
    page = website.open()
    answers = iter([503, 429])
    headers = {
        "access-control-allow-origin": website.origin,
        "access-control-expose-headers": "Retry-After",
        "retry-after": "1",
    }
    keys: list[str] = []

    def busy(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key", ""))
        status = next(answers, None)
        if status is None:
            route.continue_()
        else:
            route.fulfill(status=status, headers=headers)

    page.route("**/hooks/**", busy)
    fill(page, "Ana Busy")
    page.get_by_role("button").click()
    expect(page.locator(STATUS)).to_have_text("Sending …")
    assert number(page) > 0
    assert (len(keys), len(set(keys))) == (3, 1)


def test_another_website_may_not_use_the_key(website: Website) -> None:
    before = website.door.ask("select count(*) from receipts")
    page = website.open("localhost")
    fill(page, "Eve Elsewhere")
    page.get_by_role("button").click()
    expect(page.locator(STATUS)).to_contain_text("could not be sent")
    assert website.door.ask("select count(*) from receipts") == before
