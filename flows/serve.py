"""`make up`: Postgres, a Prefect server and the flow `intake` over a bucket, until Ctrl-C."""

from __future__ import annotations

import os
import sys
from datetime import timedelta

from sluice.errors import SluiceError
from sluice.settings import Settings

SWEEP = timedelta(minutes=15)
"""How often the bucket's inbox is swept without anybody asking."""


def main() -> None:
    """Serves until it is interrupted; everything that it started stops with it."""
    from flows.prefect_server import running

    settings = Settings.read(os.environ)
    bucket = settings.home / "bucket"
    (bucket / "inbox").mkdir(parents=True, exist_ok=True)
    with running(settings.home) as told:
        os.environ.update(told)  # before Prefect is imported: it reads its settings once
        from prefect import serve
        from prefect.types.entrypoint import EntrypointType

        from flows.intake import intake

        deployment = intake.to_deployment(
            name="bucket",
            description="Imports whatever lies in the bucket's inbox",
            parameters={"path": str(bucket)},
            interval=SWEEP,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        page = told["PREFECT_API_URL"].removesuffix("/api")
        print(f"Drop files into {bucket / 'inbox'}/<source>/; watch them at {page}")
        serve(deployment)  # pyright: ignore[reportArgumentType] -- to_deployment is sync outside an event loop


if __name__ == "__main__":
    try:
        main()
    except SluiceError as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
