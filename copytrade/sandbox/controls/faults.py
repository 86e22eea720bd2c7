"""Faults: of answers, of streams, of look-ups, of the clock; limits; and what was asked of the venue."""

from dataclasses import asdict
from typing import Any

from copytrade.sandbox.controls.situation import Situation
from copytrade.sandbox.protocol import VenueSide


def show(at: Situation, facts: dict[str, Any]) -> dict[str, Any]:
    faults = at.faults
    return {
        "requests": [asdict(fault) for fault in faults.requests],
        "streams": [asdict(fault) for fault in faults.streams],
        "latency_in_ms": faults.latency_in_ms,
        "latency_out_ms": faults.latency_out_ms,
        "read_lag_ms": faults.read_lag_ms,
        "skew_ms": at.exchange.clock.skew_ms,
    }


def add(at: Situation, facts: dict[str, Any]) -> dict[str, int]:
    facts["remaining"] = int(facts.pop("count", 1))
    return {"id": at.faults.add(**facts).id}


def add_stream(at: Situation, facts: dict[str, Any]) -> dict[str, int]:
    facts["remaining"] = int(facts.pop("count", 1))
    return {"id": at.faults.add_stream(**facts).id}


def remove(at: Situation, fault: str, facts: dict[str, Any]) -> None:
    at.faults.requests[:] = [rule for rule in at.faults.requests if rule.id != int(fault)]
    at.faults.streams[:] = [rule for rule in at.faults.streams if rule.id != int(fault)]


def clear(at: Situation, facts: dict[str, Any]) -> None:
    """End all faults, delays and skew."""
    at.faults.clear()
    at.exchange.clock.skew_ms = 0
    at.exchange.clock.stamps_skewed = False


def latency(at: Situation, facts: dict[str, Any]) -> None:
    at.faults.latency_in_ms = float(facts.get("in_ms", 0))
    at.faults.latency_out_ms = float(facts.get("out_ms", 0))


def read_lag(at: Situation, facts: dict[str, Any]) -> None:
    if "account" in facts:
        at.faults.read_lag_of[int(facts["account"])] = int(facts["ms"])
    else:
        at.faults.read_lag_ms = int(facts["ms"])


def skew(at: Situation, facts: dict[str, Any]) -> None:
    at.exchange.clock.skew_ms = int(facts["ms"])
    at.exchange.clock.stamps_skewed = bool(facts.get("stamps"))


def cut(at: Situation, facts: dict[str, Any]) -> dict[str, int]:
    account = int(facts.get("account", 0))
    sides = [at.venue_of(account)] if account else list(at.venues.values())
    return {"cut": sum(side.streams.cut(account) for side in sides)}


def expire(at: Situation, facts: dict[str, Any]) -> None:
    account = int(facts["account"])
    at.venue_of(account).streams.expire(account)


def silence(at: Situation, facts: dict[str, Any]) -> None:
    silent = bool(facts.get("silent", True))
    (at.faults.halted_streams.add if silent else at.faults.halted_streams.discard)(int(facts["account"]))


def tell_raw(at: Situation, facts: dict[str, Any]) -> dict[str, int]:
    """Send a text as it stands on an account's streams: garbage, or what no venue would say."""
    account = int(facts["account"])
    return {"told": at.venue_of(account).streams.tell_raw(account, str(facts["text"]))}


def sockets(at: Situation, facts: dict[str, Any]) -> dict[str, Any]:
    users: dict[str, int] = {}
    markets = 0
    for side in at.venues.values():
        private, public = side.streams.counts()
        users |= {str(account): count for account, count in private.items()}
        markets += public
    return {"users": users, "markets": markets}


def limits(at: Situation, facts: dict[str, Any]) -> dict[str, Any]:
    """Set a venue's request limits (kept over a restart); counts and bans so far are forgotten."""
    venue = at.venue(facts)
    set_rules(venue, facts)
    venue.forget_limits()
    at.exchange.set_extra(limits_name(venue), asdict(venue.rules))
    return asdict(venue.rules)


def limits_name(venue: VenueSide) -> str:
    """Return the name under which a venue's limits are kept."""
    return "limits" if venue.name == "binance" else f"limits {venue.name}"


def set_rules(venue: VenueSide, facts: dict[str, Any]) -> None:
    """Change some of a venue's limits."""
    for name, value in facts.items():
        if not hasattr(venue.rules, name):
            raise KeyError(name)
        setattr(venue.rules, name, int(value))


def requests(at: Situation, facts: dict[str, Any]) -> dict[str, int]:
    return at.requests


def forget_requests(at: Situation, facts: dict[str, Any]) -> None:
    at.requests.clear()


ACTIONS = {
    ("GET", "/faults"): show,
    ("POST", "/faults"): add,
    ("DELETE", "/faults"): clear,
    ("DELETE", "/faults/{fault}"): remove,
    ("POST", "/stream-faults"): add_stream,
    ("POST", "/latency"): latency,
    ("POST", "/read-lag"): read_lag,
    ("POST", "/skew"): skew,
    ("POST", "/streams/cut"): cut,
    ("POST", "/streams/expire"): expire,
    ("POST", "/streams/silence"): silence,
    ("POST", "/streams/raw"): tell_raw,
    ("GET", "/streams"): sockets,
    ("POST", "/limits"): limits,
    ("GET", "/requests"): requests,
    ("DELETE", "/requests"): forget_requests,
}
