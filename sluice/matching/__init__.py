"""Which rows are one person, which belong to one company, and which value survives: pure decisions."""
