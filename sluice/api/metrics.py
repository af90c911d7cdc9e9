"""What the door counts, for Prometheus: numbers by source, never by person or address."""

from __future__ import annotations

from collections.abc import Callable, Container

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sluice.store.arrivals import Waiting

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"
"""Stands for every source that is not declared: their names are whatever senders write."""

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The counters of one process, in a registry of its own.

    Args:
        queued: how many postings wait for the database.
        in_flight: how many requests are in the door.
    """

    def __init__(self, queued: Callable[[], int], in_flight: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()
        self._posts = Counter(
            "sluice_posts", "Posts by source and what became of them", ["source", "outcome"], registry=registry
        )
        self._events = Counter("sluice_events", "Events by what became of them", ["outcome"], registry=registry)
        self._refusals = Counter(
            "sluice_refusals", "Requests that were not carried out, by status", ["status"], registry=registry
        )
        self._acknowledged = Histogram(
            "sluice_acknowledgement_seconds",
            "From the end of a post's body to its acknowledgement",
            buckets=_SECONDS,
            registry=registry,
        )
        self._waiting = Gauge("sluice_receipts_waiting", "Receipts that wait for the inbox", registry=registry)
        self._oldest = Gauge("sluice_oldest_waiting_seconds", "How long the oldest of them waits", registry=registry)
        self._quarantined = Gauge(
            "sluice_receipts_quarantined", "Receipts of forms, API and mails that could not be read", registry=registry
        )
        self._rules = Gauge(
            "sluice_rules_broken", "1 while the rules in the config folder cannot be read", registry=registry
        )
        Gauge("sluice_queue_length", "Posts that wait for the database", registry=registry).set_function(queued)
        Gauge("sluice_requests_in_flight", "Requests in the door", registry=registry).set_function(in_flight)

    def post(self, source: str, outcome: str, declared: Container[str], seconds: float) -> None:
        """A post was acknowledged."""
        self._posts.labels(source if source in declared else OTHER, outcome).inc()
        self._acknowledged.observe(seconds)

    def refused_post(self, source: str, outcome: str, declared: Container[str]) -> None:
        """A post was not acknowledged."""
        self._posts.labels(source if source in declared else OTHER, outcome).inc()

    def events(self, outcome: str, times: int) -> None:
        """Events were stored, known or refused."""
        self._events.labels(outcome).inc(times)

    def refusal(self, status: int) -> None:
        """A request was answered with a problem."""
        self._refusals.labels(str(status)).inc()

    def waits(self, found: Waiting) -> None:
        """What the inbox has before it."""
        self._waiting.set(found.waiting)
        self._oldest.set(found.oldest_seconds)
        self._quarantined.set(found.quarantined)

    def rules(self, *, are_broken: bool) -> None:
        """Whether the rules in the folder can be read."""
        self._rules.set(are_broken)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
