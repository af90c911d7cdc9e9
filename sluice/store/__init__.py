"""Postgres: starting it, reaching it, its tables, and what is asked of it."""
