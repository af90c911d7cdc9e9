"""Which rows are the same person, which belong to one company, and which value survives: decisions, all of them pure."""
