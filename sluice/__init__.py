"""What Sluice knows about leads. Nothing in here imports Prefect."""
