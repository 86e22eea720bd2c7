"""The figures for Prometheus: what the processes counted, and what the rows say at this moment.

What the rows say needs no process to be alive: a backlog shows just when the workers do not.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from copytrade import clock, metrics
from copytrade.capture.queries import capture_health
from copytrade.copying import quality
from copytrade.copying.queries import backlog
from copytrade.db.session import reading
from copytrade.notifications.queries import mail_numbers
from copytrade.payments.queries import inbox_numbers

LATELY = timedelta(hours=1)


def exposition() -> bytes:
    """Return all figures in Prometheus' text form."""
    registry = CollectorRegistry()
    registry.register(_Rows())
    return metrics.exposition() + generate_latest(registry)


class _Rows(Collector):
    """Reads the rows when it is asked."""

    def collect(self) -> Iterator[Metric]:
        try:
            with reading() as session:
                found = [*_backlog(session), *_capture(session), *_quality(session), *_desks(session)]
        except SQLAlchemyError:
            found = []
        yield GaugeMetricFamily("copytrade_database_up", "Whether the rows could be read", value=float(bool(found)))
        yield from found


def _backlog(session: Session) -> Iterator[Metric]:
    now, waiting = clock.now(), backlog(session)
    family = GaugeMetricFamily("copytrade_copying_waiting", "What copying has to do", labels=["what"])
    family.add_metric(["legs_due"], waiting.legs_due)
    family.add_metric(["orders_on_their_way"], waiting.orders_on_their_way)
    family.add_metric(["orders_unknown"], waiting.orders_unknown)
    family.add_metric(["parts_pending"], waiting.parts_pending)
    yield family
    ages = GaugeMetricFamily("copytrade_copying_oldest_seconds", "Age of the oldest that waits", labels=["what"])
    ages.add_metric(["legs_due"], _age(waiting.oldest_due_at, now))
    ages.add_metric(["orders_unknown"], _age(waiting.oldest_unknown_at, now))
    yield ages


def _capture(session: Session) -> Iterator[Metric]:
    health = capture_health(session)
    family = GaugeMetricFamily("copytrade_capture", "How capture goes, in accounts or rows", labels=["what"])
    family.add_metric(["accounts"], health.accounts)
    family.add_metric(["accounts_late"], health.late)
    family.add_metric(["leads_unstreamed"], health.unstreamed)
    family.add_metric(["fills_waiting"], health.waiting)
    family.add_metric(["rows_spoiled"], health.spoiled)
    yield family
    yield GaugeMetricFamily(
        "copytrade_capture_oldest_waiting_seconds", "Age of the oldest fill not planned", value=health.oldest_waiting_s
    )


def _quality(session: Session) -> Iterator[Metric]:
    lately = quality.delays_of_all(session, since=clock.now() - LATELY)
    yield GaugeMetricFamily("copytrade_copies_last_hour", "Copies accepted in the last hour", value=lately.count)
    delay = GaugeMetricFamily(
        "copytrade_copy_delay_last_hour_seconds", "From the lead's fill to our acceptance", labels=["quantile"]
    )
    for quantile, told in (
        ("0.5", lately.delay_p50_ms),
        ("0.95", lately.delay_p95_ms),
        ("0.99", lately.delay_p99_ms),
    ):
        if told is not None:
            delay.add_metric([quantile], float(told) / 1000)
    yield delay


def _desks(session: Session) -> Iterator[Metric]:
    mails, inbox = mail_numbers(session), inbox_numbers(session)
    family = GaugeMetricFamily("copytrade_waiting", "Mails and webhooks that wait or failed", labels=["what"])
    family.add_metric(["mails_pending"], mails.pending)
    family.add_metric(["mails_failed"], mails.failed)
    family.add_metric(["webhooks_pending"], inbox.pending)
    family.add_metric(["webhooks_failed"], inbox.failed)
    yield family


def _age(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() if since else 0.0
