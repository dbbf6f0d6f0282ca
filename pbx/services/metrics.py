"""Figures for Prometheus (A4): calls by state and ending, what callers waited for, queues, the link to Asterisk.

On the call path a fact costs a dictionary look-up; what can be read off at the moment of a scrape is read then.
"""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pbx.core.commands import Fact
from pbx.core.ids import CallId
from pbx.services.alerts import Alert
from pbx.services.live_records import LiveRecords

LAG_EVERY_S = 0.5
_SETUP_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8, 15)
_RING_S = (1, 2, 4, 6, 10, 15, 20, 25, 30, 45, 60, 90)
_ANSWER_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
_HTTP_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics(Collector):
    """An observer of the calls, to be told after the live records. ``ready`` gives the engine's own figures."""

    def __init__(self, records: LiveRecords, ready: Callable[[], Mapping[str, Any]] | None = None) -> None:
        self._records = records
        self.ready = ready
        self.registry = CollectorRegistry()
        make: dict[str, Any] = {"registry": self.registry, "namespace": "switchhook"}
        self._begun = Counter("calls_begun", "Calls that began.", ["direction"], **make)
        self._ended = Counter("calls_ended", "Calls that ended, by how.", ["direction", "disposition"], **make)
        self._refused = Counter("calls_refused", "Calls that the gate refused, by reason.", ["reason"], **make)
        self._setup = Histogram(
            "call_setup_seconds", "From beginning to first ringing.", ["direction"], buckets=_SETUP_S, **make
        )
        self._ring = Histogram(
            "call_ring_seconds", "From the first ringing to the answer.", ["direction"], buckets=_RING_S, **make
        )
        self._answer = Histogram(
            "call_answer_delay_seconds",
            "From the answer of one side until Asterisk has confirmed that both hear each other.",
            buckets=_ANSWER_S,
            **make,
        )
        self._recordings = Counter("recordings_finished", "Recordings in place, by state.", ["state"], **make)
        self._alerts = Gauge("alerts", "Alerts that stand, by kind.", ["kind"], **make)
        self._alerts_raised = Counter("alerts_raised", "Alerts that were raised, by kind.", ["kind"], **make)
        self._charges = Counter("charges", "Legs and texts that were priced.", ["kind", "direction"], **make)
        self._charged = Counter("charged_micros", "What they cost, in micro-units.", ["kind", "direction"], **make)
        self._balance = Gauge("balance_micros", "What is left on the account, in micro-units.", ["currency"], **make)
        self._loop_lag = Gauge("event_loop_lag_seconds", "How late the event loop was, lately.", **make)
        self._tasks = Gauge("event_loop_tasks", "Tasks of the event loop.", **make)
        self._http = Histogram(
            "http_request_seconds", "Requests served.", ["method", "route", "status"], buckets=_HTTP_S, **make
        )
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    # -- what happened ------------------------------------------------------------------------------

    def happened(self, call: CallId, facts: Sequence[tuple[int, Fact]]) -> None:
        for _, fact in facts:
            match fact.kind:
                case "call.created":
                    self._begun.labels(fact.data["direction"]).inc()
                case "call.refused":
                    self._refused.labels(fact.data["reason"]).inc()
                case "leg.ringing":
                    self._rang(call, fact.at)
                case "call.answered":
                    self._answered(call, fact.at)
                case "call.ended":
                    self._over(call, str(fact.data["disposition"]))
                case "recording.finished":
                    self._recordings.labels(fact.data["state"]).inc()

    def _rang(self, call: CallId, at_us: int) -> None:
        record = self._records.get(call)
        if record is not None and record.call["ringing_us"] == at_us:
            self._setup.labels(record.call["direction"]).observe((at_us - record.call["created_us"]) / 1e6)

    def _answered(self, call: CallId, at_us: int) -> None:
        record = self._records.get(call)
        if record is not None and record.call["ringing_us"] is not None:
            self._ring.labels(record.call["direction"]).observe((at_us - record.call["ringing_us"]) / 1e6)

    def _over(self, call: CallId, disposition: str) -> None:
        record = self._records.get(call)
        self._ended.labels(record.call["direction"] if record else "unknown", disposition).inc()

    def alert_changed(self, alert: Alert, stands: bool) -> None:
        if stands:
            self._alerts_raised.labels(alert.kind.value).inc()
        self._alerts.labels(alert.kind.value).inc(1 if stands else -1)

    def charged(self, kind: str, direction: str, amount_micros: int) -> None:
        self._charges.labels(kind, direction).inc()
        self._charged.labels(kind, direction).inc(amount_micros)

    def balance_is(self, micros: int, currency: str) -> None:
        self._balance.clear()
        self._balance.labels(currency).set(micros)

    def answer_took(self, seconds: float) -> None:
        """The switch tells how long the answer took to reach the other side."""
        self._answer.observe(seconds)

    def request_served(self, method: str, route: str, status: int, seconds: float) -> None:
        """``route`` is the pattern, never the address itself; empty for addresses that there are not."""
        known = method if method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD") else "other"
        self._http.labels(known, route, str(status)).observe(seconds)

    async def watch_loop(self) -> None:
        """Measure how late the event loop wakes, for as long as the engine runs."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self._loop_lag.set(max(0.0, loop.time() - due))

    # -- a scrape -----------------------------------------------------------------------------------

    def collect(self) -> Iterable[Metric]:
        states: Tally[tuple[str, str]] = Tally()
        for record in self._records.live():
            states[record.call["direction"], record.call["state"]] += 1
        calls = GaugeMetricFamily("switchhook_calls", "Calls now, by state.", labels=["direction", "state"])
        for (direction, state), count in sorted(states.items()):
            calls.add_metric([direction, state], count)
        yield calls
        engine = self.ready() if self.ready else {}
        yield from _of_nodes(engine.get("nodes", ()))
        for name, value in sorted(engine.items()):
            if isinstance(value, bool | int | float):
                yield GaugeMetricFamily(f"switchhook_engine_{name}", _MEANINGS.get(name, "See /readyz."), float(value))
            elif isinstance(value, str) and value:
                yield InfoMetricFamily(f"switchhook_engine_{name}", "See /readyz.", {"value": value})

    def text(self) -> bytes:
        self._tasks.set(len(asyncio.all_tasks()))
        return generate_latest(self.registry)


def _of_nodes(nodes: Sequence[Mapping[str, Any]]) -> Iterable[Metric]:
    """Where there are several Asterisks, each."""
    for name, meaning in _OF_NODES.items() if nodes else ():
        gauge = GaugeMetricFamily(f"switchhook_node_{name}", meaning, labels=["node"])
        for node in nodes:
            gauge.add_metric([str(node["name"])], float(node[name]))
        yield gauge


_OF_NODES = {
    "linked": "1 while the engine is linked to this node's Asterisk.",
    "calls": "Calls that live on this node.",
    "lag_ms": "Milliseconds that this node's Asterisk takes to answer, lately.",
    "overloaded": "1 while this node refuses new calls because its Asterisk answers late.",
    "intruders_heard": "1 while this node tells who tries to get in.",
}
_MEANINGS = {
    "ready": "1 when calls are taken.",
    "asterisk": "1 while the call-control link to Asterisk stands.",
    "manager": "1 while the manager link to Asterisk stands.",
    "config_revision": "The configuration that calls are made with.",
    "journal_lag": "Facts of the journal that the store has not taken yet.",
    "recordings_waiting": "Recordings that are being encoded or wait for it.",
    "calls": "Calls in the engine.",
    "intruders_heard": "1 while Asterisk tells who tries to get in; else nobody is blocked.",
    "disk_free_mb": "Megabytes free on the disk of recordings that is worst off.",
    "recording_withheld": "1 while no recording is begun, for want of room.",
    "draining": "1 while no new calls are taken before a planned restart.",
    "overloaded": "1 while new calls are refused because Asterisk answers late.",
}
