"""What is measured, for Prometheus. No label ever names a person, an account or a key.

With PROMETHEUS_MULTIPROC_DIR set, every process of the installation writes into that folder and any of them can answer
for all; without it a process answers for itself.
"""

import os

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client import multiprocess as shared

CONTENT_TYPE = CONTENT_TYPE_LATEST
_FAST = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

fill_delay = Histogram("copytrade_fill_delay_seconds", "From an execution to its row here", ["source"], buckets=_FAST)
orders = Counter("copytrade_orders_total", "Copy orders by how sending them came out", ["venue", "outcome"])
exchange_errors = Counter("copytrade_exchange_errors_total", "Failed calls to a venue", ["venue", "code"])
budget_waits = Counter("copytrade_budget_waits_total", "Requests that waited for a venue's limits", ["lane"])
budget_refusals = Counter("copytrade_budget_refusals_total", "Requests not sent, since a limit is used up", ["lane"])
venue_bans = Counter("copytrade_venue_bans_total", "Bans of one of our addresses by a venue", ["venue"])
account_checks = Counter("copytrade_account_checks_total", "Checks of keys by outcome", ["venue", "outcome"])
capture_troubles = Counter("copytrade_capture_troubles_total", "What capture could not take as it came", ["kind"])
polls = Counter("copytrade_polls_total", "Polls of accounts by outcome", ["outcome"])
stream_connections = Counter("copytrade_stream_connections_total", "Private streams (re)connected", ["venue"])
snapshots = Counter("copytrade_snapshots_total", "Readings of equity by outcome", ["venue", "outcome"])
sign_ins = Counter("copytrade_sign_ins_total", "Attempts to sign in or register", ["what", "outcome"])
http_requests = Counter("copytrade_http_requests_total", "Answered API requests", ["method", "route", "status"])
http_seconds = Histogram("copytrade_http_seconds", "Time to answer an API request", ["route"], buckets=_FAST)
webhooks = Counter("copytrade_webhooks_total", "Webhooks of the payment provider", ["outcome"])


def exposition() -> bytes:
    """Return all figures in Prometheus' text form, of every process where they share a folder."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest()
    registry = CollectorRegistry()
    shared.MultiProcessCollector(registry)
    return generate_latest(registry)
