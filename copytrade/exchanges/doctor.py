"""Examines an account at its venue without placing or changing anything: clock, key, money, rules, settings, stream."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from copytrade import clock
from copytrade.domain.fills import KeyPermissions
from copytrade.domain.instruments import Market
from copytrade.errors import BadCredentials, ExchangeError
from copytrade.exchanges.port import ExchangeClient, StreamMessages
from copytrade.exchanges.rights import rights as rights_of

STREAM_WAIT_S = 15.0
MOST_SKEW, NOTABLE_SKEW = timedelta(seconds=1), timedelta(milliseconds=300)
SOON = timedelta(days=14)

NO_TRADING = "The key may not trade this market: enough for a lead account."


class Verdict(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `text` is a sentence whose braces `facts` fill."""

    what: str
    verdict: Verdict
    text: str
    facts: dict[str, str] = field(default_factory=dict[str, str])


Step = Callable[[ExchangeClient], Awaitable[list[Finding]]]


async def examine(client: ExchangeClient) -> list[Finding]:
    """Return what was found, in the order in which it is shown; a venue that fails is a finding too."""
    found: list[Finding] = []
    for what, step in _steps(client):
        try:
            found += await step(client)
        except BadCredentials as error:
            found.append(Finding(what, Verdict.PROBLEM, "The exchange does not accept the key: {why}", _why(error)))
            break  # the rest would say the same, the stream only after its time
        except ExchangeError as error:
            found.append(Finding(what, Verdict.PROBLEM, "The exchange did not answer: {why}", _why(error)))
    return found


def _why(error: ExchangeError) -> dict[str, str]:
    return {"why": error.message[:200]}


def _steps(client: ExchangeClient) -> Sequence[tuple[str, Step]]:
    steps: list[tuple[str, Step]] = [
        ("clock", _clock),
        ("permissions", _permissions),
        ("balances", _balances),
        ("positions", _positions),
        ("rules", _rules),
    ]
    if client.ref.market is Market.PERPETUAL:
        steps.append(("settings", _settings))
    return [*steps, ("stream", _stream)]


async def _clock(client: ExchangeClient) -> list[Finding]:
    asked = clock.real_now()
    told = await client.server_time()
    answered = clock.real_now()
    middle = asked + (answered - asked) / 2
    # A sandbox's clock may be moved ahead together with ours.
    skew = min((told - middle, told - clock.offset() - middle), key=abs)
    beyond = max(abs(skew) - (answered - asked) / 2, timedelta())
    verdict = Verdict.OK
    if beyond > NOTABLE_SKEW:
        verdict = Verdict.PROBLEM if beyond > MOST_SKEW else Verdict.WARNING
    facts = {"skew": _ms(skew), "trip": _ms(answered - asked)}
    return [
        Finding("clock", verdict, "The exchange's clock is {skew} ms ahead of ours; an answer takes {trip} ms.", facts)
    ]


def _ms(span: timedelta) -> str:
    return str(round(span / timedelta(milliseconds=1)))


async def _permissions(client: ExchangeClient) -> list[Finding]:
    rights = await rights_of(client)
    found = [*_refusals(rights), *_hints(rights)] or [
        Finding("permissions", Verdict.OK, "The key may read and trade this market, and cannot move money.")
    ]
    return [*found, *_orders(rights)]


def _refusals(rights: KeyPermissions) -> list[Finding]:
    is_over = rights.expires_at is not None and rights.expires_at <= clock.now()
    is_untold = None in (rights.may_read, rights.may_withdraw, rights.may_transfer)
    told = (
        (rights.may_withdraw, _problem("permissions", "The key may withdraw money: it is refused.")),
        (rights.may_transfer, _problem("permissions", "The key may transfer money between accounts: it is refused.")),
        (rights.may_read is False, _problem("permissions", "The key may not read the account.")),
        (rights.unfit != "", _problem("permissions", "An account of this kind cannot be used here.")),
        (is_untold, _problem("permissions", "The exchange did not tell all that this key may do: it is refused.")),
        (is_over, _problem("permissions", "This key has expired.")),
    )
    return [finding for is_so, finding in told if is_so]


def _problem(what: str, text: str, **facts: str) -> Finding:
    return Finding(what, Verdict.PROBLEM, text, facts)


def _hints(rights: KeyPermissions) -> list[Finding]:
    found: list[Finding] = []
    if not rights.may_trade:
        found.append(Finding("permissions", Verdict.WARNING, NO_TRADING))
    if rights.ip_restricted is False:
        found.append(Finding("permissions", Verdict.WARNING, "The key is not limited to addresses."))
    if rights.expires_at is not None and clock.now() < rights.expires_at <= clock.now() + SOON:
        found.append(
            Finding(
                "permissions",
                Verdict.WARNING,
                "The key expires on {when}.",
                {"when": f"{rights.expires_at:%Y-%m-%d %H:%M} UTC"},
            )
        )
    return found


def _orders(rights: KeyPermissions) -> list[Finding]:
    if rights.orders_per_s is None:
        return []
    facts = {"count": str(rights.orders_per_s)}
    return [
        Finding(
            "orders",
            Verdict.WARNING,
            "The exchange takes only {count} order a second from this account, a trader of its own copy trading.",
            facts,
        )
    ]


async def _balances(client: ExchangeClient) -> list[Finding]:
    equity = await client.equity()
    facts = {"total": _plain(equity.total), "available": _plain(equity.available)}
    verdict = Verdict.OK if equity.total > 0 else Verdict.WARNING
    return [Finding("balances", verdict, "The account is worth {total} USDT, of which {available} are free.", facts)]


def _plain(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01')):f}"


async def _positions(client: ExchangeClient) -> list[Finding]:
    held = await client.positions()
    shown = ", ".join(sorted(position.symbol for position in held)[:10])
    if not held:
        return [Finding("positions", Verdict.OK, "Nothing is held.")]
    return [Finding("positions", Verdict.OK, "Held: {count} ({symbols})", {"count": str(len(held)), "symbols": shown})]


async def _rules(client: ExchangeClient) -> list[Finding]:
    rules = await client.rules()
    halted = sum(not rule.is_active for rule in rules.values())
    verdict = Verdict.OK if len(rules) > halted else Verdict.PROBLEM
    facts = {"count": str(len(rules)), "halted": str(halted)}
    return [Finding("rules", verdict, "{count} symbols are known, {halted} of them are halted.", facts)]


async def _settings(client: ExchangeClient) -> list[Finding]:
    if await client.is_hedged():
        return [Finding("settings", Verdict.OK, "The position mode is hedge: long and short are held apart.")]
    return [Finding("settings", Verdict.OK, "The position mode is one-way.")]


async def _stream(client: ExchangeClient) -> list[Finding]:
    began = time.monotonic()
    try:
        async with asyncio.timeout(STREAM_WAIT_S), client.stream() as messages:
            await _connected(messages)
    except TimeoutError:
        facts = {"seconds": str(round(STREAM_WAIT_S))}
        return [Finding("stream", Verdict.PROBLEM, "The stream did not connect in {seconds} s.", facts)]
    facts = {"ms": str(round((time.monotonic() - began) * 1000))}
    return [Finding("stream", Verdict.OK, "The stream connected in {ms} ms.", facts)]


async def _connected(messages: StreamMessages) -> None:
    async for message in messages:
        if message.connected:
            return
