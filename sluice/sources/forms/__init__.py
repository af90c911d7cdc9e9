"""Posted forms: who may post them, what their bodies say, and the submissions they hold; one adapter per provider."""
