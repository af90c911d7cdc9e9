"""How a line of a flow runs: Prefect tasks around what `sluice` knows."""
