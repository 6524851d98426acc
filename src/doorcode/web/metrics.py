"""`GET /metrics`: how much was refused, for Prometheus, with a secret key.

A label is a bucket, an outcome or a country: never an address, of a person or a client. Each
label has as many values as there are rules and countries, so no flood fills the memory.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from doorcode.domain.event import Event
from doorcode.web.backend_json import guarded
from doorcode.web.door import Door

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What is counted since the server's start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()  # its own: what a library counts is not shown
        self._refusals = Counter(
            "doorcode_limit_refusals",
            "Requests that a limit refused.",
            ["bucket"],
            registry=self.registry,
        )
        self._decisions = Counter(
            "doorcode_shield_decisions",
            "Text messages that the shield recorded, challenged or refused.",
            ["bucket", "outcome", "country"],
            registry=self.registry,
        )
        self._receipts = Counter(
            "doorcode_receipts_refused",
            "Requests to a route's receipts that its provider did not sign.",
            ["route"],
            registry=self.registry,
        )
        self._paused = Gauge(
            "doorcode_countries_paused",
            "Countries that no text messages are sent to until they are resumed.",
            registry=self.registry,
        )

    def count(self, event: Event) -> None:
        """Count an event of those that are counted."""
        if event.name == "limit.refused":
            self._refusals.labels(event.bucket).inc()
        if event.name == "receipt.refused":
            self._receipts.labels(event.subject).inc()
        if event.name == "shield.decided":
            country = event.details.get("country") or "none"
            self._decisions.labels(event.bucket, event.outcome, country).inc()

    def text(self, paused: int) -> bytes:
        """All of it in the text format, and how many countries are paused at the moment."""
        self._paused.set(paused)
        return generate_latest(self.registry)


def routes(door: Door, metrics: Metrics) -> list[Route]:
    """Where the numbers are read."""

    async def show(request: Request) -> Response:
        async with door.deps.storage.reading() as tx:
            paused = len(await tx.pauses())  # also by a command in another process
        response = Response(metrics.text(paused))
        response.headers["content-type"] = TEXT_FORMAT
        response.headers["cache-control"] = "no-store"
        return response

    return [Route("/metrics", guarded(door, show))]
