"""What becomes of rows: as the ledger calls it, and as people read it."""

OUTCOMES = {
    "created": "created",
    "updated": "updated",
    "unchanged": "unchanged",
    "flagged": "flagged",
    "rejects": "rejected",
    "set_asides": "set aside",
}
