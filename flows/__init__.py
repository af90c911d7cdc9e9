"""What runs: Prefect flows and the `sluice` command."""
