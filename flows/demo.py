"""`make demo`: from nothing to owned, explained leads, and everything stopped again.

The samples go through the very flow that production runs, on a Prefect server and a Postgres of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sluice.errors import SluiceError, UserError
from sluice.settings import REPOSITORY, Settings

SAMPLES = REPOSITORY / "samples" / "inbox"
console = Console(highlight=False, width=110)


def main() -> int:
    """Runs the demo; the exit code says whether every promise held."""
    started = time.monotonic()
    settings = Settings.read(os.environ)
    bucket = settings.home / "bucket"
    try:
        console.rule("Sluice: what a run does, on data made up for it")
        _drop_samples(bucket)
        code = _flow(settings, bucket)
        if code == 0:
            code = _show(settings, bucket)
    except UserError as error:
        console.print(f"[red]Error:[/red] {error}", soft_wrap=True)
        return error.exit_code
    finally:
        _stop(settings)
    console.print(f"\nStopped everything that was started. Took {time.monotonic() - started:.0f} s.")
    return code


def _stop(settings: Settings) -> None:
    """Ends the embedded server now, instead of some seconds after its last user has gone."""
    from sluice.store import embedded

    with contextlib.suppress(UserError):  # what is wrong with it was said already
        embedded.stop(embedded.start(settings.home))


def _drop_samples(bucket: Path) -> None:
    """Copies the samples into the bucket's inbox, as importers would."""
    bucket.mkdir(mode=0o700, parents=True, exist_ok=True)  # leads are nobody else's business
    shutil.copytree(SAMPLES, bucket / "inbox", dirs_exist_ok=True)
    count = sum(1 for path in (bucket / "inbox").rglob("*") if path.is_file())
    console.print(f"1. Dropped {count} files into {_near(bucket / 'inbox')}")


def _flow(settings: Settings, bucket: Path) -> int:
    """Runs the flow against a Prefect server, in a process that knows nothing but the server's address."""
    from flows.prefect_server import running

    console.print("2. Starting Postgres (embedded) and a Prefect server …")
    with running(settings.home) as told:
        console.print("3. Running the flow `intake` over the bucket")
        script = "import sys; from flows.intake import intake; intake(sys.argv[1])"
        done = subprocess.run(
            [sys.executable, "-c", script, str(bucket)],
            env={**os.environ, **told, "SLUICE_HOME": str(settings.home), "PREFECT_LOGGING_COLORS": "false"},
            cwd=REPOSITORY,
            check=False,
        )
    if done.returncode:
        console.print("[red]The flow failed; its log is above.[/red]")
    return done.returncode


def _show(settings: Settings, bucket: Path) -> int:
    """What came in, one lead explained, the proof, and how to go on."""
    reports = [json.loads(path.read_text()) for path in sorted((bucket / "done").rglob("*.report.json"))]
    console.print(_table(reports))
    known = [found["file"] for found in reports if found["was_known"]]
    if known:
        console.print(f"Known already, not loaded again: {', '.join(known)}\n")
    from sluice.intake import opened
    from sluice.store.ledger import verify
    from sluice.store.queries import rows

    with opened(settings) as office, office.database.connection() as connection:
        best = rows(connection, "demo_lead")
        checks = verify(office.database)
    if best:
        console.rule("4. One lead, explained: `sluice lead explain`")
        _sluice(settings, "lead", "explain", str(best[0]["lead_id"]))
    console.rule("5. The proof: `sluice verify`")
    broken = [check for check in checks if check.violations]
    console.print(f"{len(checks) - len(broken)} of {len(checks)} invariants hold; no row is missing, none is doubled.")
    _how_to_go_on(bucket)
    return 9 if broken else 0


def _table(reports: list[dict[str, Any]]) -> Table:
    names = ("row_count", "created", "updated", "unchanged", "flagged", "rejects", "set_asides")
    table = Table(title="What came in, and what became of it")
    table.add_column("file")
    for name in names:
        table.add_column(name.replace("_", " ").replace("row count", "rows"), justify="right")
    for found in reports:
        table.add_row(found["file"], *(f"{found['counts'][name]:,}" for name in names))
    return table


def _sluice(settings: Settings, *arguments: str) -> None:
    program = Path(sys.executable).with_name("sluice")
    environ = {**os.environ, "SLUICE_HOME": str(settings.home)}
    console.file.flush()
    subprocess.run([str(program), *arguments], env=environ, check=False)


def _how_to_go_on(bucket: Path) -> None:
    console.rule("Look at it, and go on")
    for what, how in (
        ("the files, with report and rejects beside them", f"ls -R {_near(bucket / 'done')}"),
        ("import a file of your own", ".venv/bin/sluice import my-leads.csv"),
        ("see where everything stands", ".venv/bin/sluice status"),
        ("ask Postgres", '.venv/bin/sluice db psql -c "select * from report_leads_by_source"'),
        ("why rows were refused", ".venv/bin/sluice rejects list"),
        ("run the demo again: the same content is known", "make demo"),
    ):
        console.print(f"  {what:<50} {how}", soft_wrap=True)


def _near(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SluiceError as error:
        sys.exit(f"Error: {error}")
