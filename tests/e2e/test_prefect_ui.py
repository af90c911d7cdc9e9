"""The Prefect UI as people see it, in Chromium: runs, a run's page, the form, the automations.

With SLUICE_SCREENSHOTS=docs/pictures (`make pictures`) what is seen is also written as pictures, which the guides show.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect, sync_playwright

from sluice.settings import REPOSITORY
from tests.conftest import absent, create_database
from tests.prefect_desk import PrefectServer, serving, until

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
PATIENCE = 60_000.0
"""Milliseconds that a page may take on a loaded machine."""

ENDED = "select count(*) from flow_run where name = any(%s) and state_type in ('COMPLETED', 'FAILED')"
ALARMED = "select count(*) from flow_run where name like 'alarm ·%%' and state_type = 'COMPLETED'"
FILES = {
    "webinar-2026-10.csv": "webinar",
    "messe-hannover.csv": "trade-show",
    "webinar-2026-11.csv": "webinar",
}
"""What the runs are about; the last one is not there."""


@dataclass(frozen=True)
class Site:
    """A UI with some runs in it, and a browser that is logged in."""

    page: Page
    address: str
    server: PrefectServer
    asked: list[str]

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def picture(self, name: str, height: int = 900) -> None:
        """Writes what is seen, if somebody asked for pictures."""
        if folder := os.environ.get("SLUICE_SCREENSHOTS"):
            path = REPOSITORY / folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            self.page.set_viewport_size({"width": 1280, "height": height})
            self.page.wait_for_timeout(1_500)  # for what fades in
            self.page.screenshot(path=path)


@pytest.fixture(scope="module")
def runs(prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The runner writes deployments and automations, and works some samples; then it ends."""
    folder = tmp_path_factory.mktemp("ui")
    for name, source in FILES.items():
        sample = REPOSITORY / "samples" / "inbox" / source / name
        if sample.exists():
            shutil.copy(sample, folder / name)
    database = f"ui_{os.urandom(4).hex()}"
    create_database(prefect_server.cluster, database, template="template0")
    with serving(prefect_server, folder, SLUICE_DATABASE_URL=prefect_server.cluster.url(database)):
        for name, source in FILES.items():
            prefect_server.deploy("intake/file", f"source:{source}", path=str(folder / name), source=source)
        until(lambda: prefect_server.ask(ENDED, [f"intake · {name}" for name in FILES])[0] >= len(FILES))
        if "SLUICE_SCREENSHOTS" in os.environ:  # the alarm of the failed run is in the picture too
            until(lambda: prefect_server.ask(ALARMED)[0])


@pytest.fixture(scope="module")
def site(prefect_server: PrefectServer, runs: None) -> Iterator[Site]:
    """A browser that talks to nobody but the server, and has given the password."""
    if not CHROMIUM.exists():
        absent(f"{CHROMIUM} (Debian's package chromium)")
    address, asked = prefect_server.environ["PREFECT_API_URL"].removesuffix("/api"), list[str]()

    def guard(route: Route) -> None:
        asked.append(route.request.url)
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light", timezone_id="UTC")
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.route("**/*", guard)
        page.goto(f"{address}/login")
        page.locator("input[type=password]").fill(prefect_server.environ["PREFECT_API_AUTH_STRING"])
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "login" not in url)
        yield Site(page, address, prefect_server, asked)
        browser.close()


def test_runs_are_called_by_what_they_do(site: Site) -> None:
    page = site.open("/runs")
    for name, source in FILES.items():
        expect(page.get_by_text(f"intake · {name}").first).to_be_visible()
        expect(page.get_by_text(f"source:{source}").first).to_be_visible()
    expect(page.get_by_text("Failed").first).to_be_visible()
    site.picture("runs", 1_130)


def test_a_runs_page_leads_to_what_became_of_the_rows(site: Site) -> None:
    """S000-05: rows in, by outcome, source, band and owner; why rows were rejected, and what to do; a chart."""
    (run,) = site.server.ask("select id from flow_run where name = 'intake · webinar-2026-10.csv'")
    page = site.open(f"/runs/flow-run/{run}")
    page.get_by_text("Task Runs", exact=True).first.click()  # the graph above is a drawing, and has no text to ask for
    expect(page.get_by_text("take in webinar-2026-10.csv").first).to_be_visible()
    page.get_by_text("Artifacts", exact=True).first.click()
    expect(page.get_by_text("intake-summary")).to_be_visible()
    site.picture("run")
    page.get_by_text("intake-summary").click()
    expect(page.get_by_role("heading", name="445 rows of 1 file")).to_be_visible()
    chart = page.get_by_alt_text("What became of the rows")
    expect(chart).to_be_visible()
    assert chart.evaluate("picture => picture.naturalWidth") > 300  # it is a picture, not a broken one
    for heading in ("Sources", "Bands", "Owners", "Rejected", "Files"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    cells = page.locator("td").all_inner_texts()
    assert {"created", "rejected", "set aside", "webinar", "warm"} <= {cell.strip() for cell in cells}
    site.picture("summary")


def test_the_form_explains_itself(site: Site) -> None:
    (deployment,) = site.server.ask("select d.id from deployment d where d.name = 'file'")
    page = site.open(f"/deployments/deployment/{deployment}/run")
    for words in ("A CSV file, a folder with an inbox/", "The declared source", "Import a content anew"):
        expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_role("button", name="files", exact=True)).to_be_visible()  # a choice of sources, no text to type
    site.picture("form")


def test_automations_say_what_they_are_for(site: Site) -> None:
    page = site.open("/automations")
    for name in ("a run failed", "zombie run", "a source is silent", "an expectation is broken", "a receipt is stuck"):
        expect(page.get_by_text(f"Sluice: {name}")).to_be_visible()
    site.picture("automations")


def test_deployments_are_described(site: Site) -> None:
    page = site.open("/deployments")
    for name in ("bucket", "file", "send", "sweep", "watch"):
        expect(page.get_by_role("link", name=name, exact=True).first).to_be_visible()
    site.picture("deployments")


def test_the_ui_asks_nobody_else(site: Site) -> None:
    """No telemetry from the page either."""
    site.open("/dashboard").wait_for_load_state("networkidle")
    assert len(site.asked) > 20
    assert [url for url in site.asked if not url.startswith((site.address, "data:", "blob:"))] == []
