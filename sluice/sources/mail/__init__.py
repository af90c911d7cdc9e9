"""Reading mail: bytes in, a classified, readable mail out. No mailbox and no database: `mailboxes` brings the bytes."""
