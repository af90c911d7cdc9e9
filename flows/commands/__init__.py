"""What each `sluice` command does; they import what is heavy only when they run."""
