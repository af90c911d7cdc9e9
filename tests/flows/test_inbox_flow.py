"""The flow `inbox` on a Prefect server: one window, what it worked, and what people see of it."""

from __future__ import annotations

import pytest

from sluice.settings import Settings
from sluice.store.engine import Database
from tests.desk import Desk, broken
from tests.flows.conftest import PrefectServer
from tests.posts import Posts, person

RUN = "import json; from flows.inbox import inbox; print('totals', json.dumps(inbox(minutes=0.05)))"


@pytest.fixture
def posts(settings: Settings, database: Database, tmp_path: object) -> Posts:
    return Posts(Desk.at(settings, database, settings.home))


def test_a_window_works_what_waits_and_tells_what_became_of_it(prefect_server: PrefectServer, posts: Posts) -> None:
    """One task run a window, a progress artifact, a summary without personal data, warnings for what was quarantined."""
    for n in range(3):
        posts.post(person(n))
    posts.post({"full_name": "Nobody Reachable"})
    bad = posts.post(b"{not json")
    database = posts.desk.database
    done = prefect_server.run("-c", RUN, SLUICE_DATABASE_URL=database.url)
    assert done.code == 0, done.said
    assert done.totals == {
        "row_count": 4, "created": 3, "updated": 0, "unchanged": 0, "flagged": 0, "rejects": 1, "set_asides": 0
    }  # fmt: skip
    (flow_run,) = prefect_server.ask(
        "select id from flow_run where name = 'inbox · window' order by created desc limit 1"
    )
    tasks = prefect_server.ask("select name, state_type::text from task_run where flow_run_id = %s", flow_run)
    assert [state for _, state in tasks] == ["COMPLETED"]
    kinds = prefect_server.ask("select type from artifact where flow_run_id = %s order by type", flow_run)
    assert kinds == ["markdown", "progress"]
    (page,) = prefect_server.ask("select data from artifact where flow_run_id = %s and type = 'markdown'", flow_run)
    assert page.startswith("# 4 rows of 5 arrivals, 1 quarantined\n")
    assert "| api | 5 | 4 | 3 |" in page and "## Files" not in page
    assert "There is no valid e-mail address and no valid phone" in page
    assert "lindqvist" not in page.casefold()
    said = "\n".join(prefect_server.ask("select message from log where flow_run_id = %s", flow_run))
    assert "quarantined: 1 arrival of api; " in said
    assert "4 arrivals worked, 1 quarantined" in said
    assert "lindqvist" not in said.casefold()
    assert posts.state(bad) == "failed"
    assert broken(database) == {}
