"""What tests of flows share: the Prefect server of the session."""

from __future__ import annotations

from tests.prefect_desk import Finished, PrefectServer

__all__ = ["Finished", "PrefectServer"]
