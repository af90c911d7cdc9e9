"""A provider that announces leads and gives them when asked: a stub of Meta's Graph API on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sluice.fetching import Fetcher
from tests.posts import Posts

Answer = tuple[int, Any] | str


@dataclass
class Graph:
    """A provider that answers as a test says; what it was not told to answer, it gives.

    Attributes:
        held: the next requests are answered only when these are set.
    """

    answers: dict[str, list[Answer]] = field(default_factory=dict[str, list[Answer]])
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    url: str = ""
    held: list[threading.Event] = field(default_factory=list[threading.Event])

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answers one request."""
        lead_id = handler.path.partition("?")[0].rpartition("/")[2]
        assert handler.path.endswith("?fields=field_data%2Ccampaign_name")
        said = self.answers.get(lead_id)
        status, body = said.pop(0) if said else (200, lead(lead_id))
        held = self.held.pop() if self.held else None
        self.asked.append((lead_id, handler.headers.get("Authorization", "")))
        if held:
            assert held.wait(60)
        if status == "silence":
            time.sleep(1.5)
            return
        raw = json.dumps(body).encode() if not isinstance(body, bytes) else body
        handler.send_response(int(status))
        if status == 429:
            handler.send_header("Retry-After", "7")
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)


def lead(lead_id: str) -> dict[str, Any]:
    """A lead as the Graph API gives it."""
    said = {"full_name": f"Rosa Lindqvist {lead_id}", "email": f"rosa{lead_id}@nordlicht.example"}
    fields = [{"name": name, "values": [value]} for name, value in said.items()]
    return {"id": lead_id, "created_time": "2026-11-20T08:00:00+0000", "field_data": fields}


@contextmanager
def answering() -> Generator[Graph]:
    """The stub, for as long as the context lasts."""
    found = Graph()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.answer(self)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}/v24.0"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


META = """
kind: form
fields: {{full_name: full_name, email: email}}
form:
  signature: {{scheme: hmac, secret: meta_app, header: x-hub-signature-256, prefix: "sha256="}}
  items: entry.changes
  answers: {{format: pairs, path: field_data, name: name, value: values}}
  fetch:
    provider: meta
    url: {url}
    secret: meta_page
    ask: {{fields: "field_data,campaign_name"}}
    id: value.leadgen_id
    keep: {{meta_form: value.form_id}}
    only: {{field: leadgen}}
"""


@dataclass
class Announced:
    """A desk whose source `meta` announces leads, and who fetches them."""

    posts: Posts
    fetcher: Fetcher

    def announce(self, *lead_ids: str) -> int:
        """A message that names leads."""
        values = [{"field": "leadgen", "value": {"leadgen_id": one, "form_id": "624"}} for one in lead_ids]
        return self.posts.post({"object": "page", "entry": [{"changes": values}]}, "meta", kind="form")

    def ask(self, sql: str) -> list[Any]:
        return self.posts.desk.ask(sql)

    def hurry(self) -> None:
        """What was put off is due now."""
        self.posts.desk.do("update receipts set retry_at = now() where retry_at is not null")
