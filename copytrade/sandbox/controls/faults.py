"""Faults: of answers, of streams, of look-ups, of the clock; limits; and what was asked of the venue."""

from dataclasses import asdict
from typing import Any

from copytrade.sandbox.controls.situation import Situation

LIMITS = "limits"


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


def cut(at: Situation, facts: dict[str, Any]) -> dict[str, int]:
    return {"cut": at.streams.cut(int(facts.get("account", 0)))}


def expire(at: Situation, facts: dict[str, Any]) -> None:
    at.streams.expire(int(facts["account"]))


def silence(at: Situation, facts: dict[str, Any]) -> None:
    silent = bool(facts.get("silent", True))
    (at.faults.halted_streams.add if silent else at.faults.halted_streams.discard)(int(facts["account"]))


def sockets(at: Situation, facts: dict[str, Any]) -> dict[str, Any]:
    users = {str(account): len(found) for account, found in at.streams.users.items()}
    return {"users": users, "markets": len(at.streams.markets)}


def limits(at: Situation, facts: dict[str, Any]) -> dict[str, Any]:
    """Set request limits (kept over a restart); counts and bans so far are forgotten."""
    rules = at.venue.limits.rules
    for name, value in facts.items():
        if not hasattr(rules, name):
            raise KeyError(name)
        setattr(rules, name, int(value))
    at.venue.limits.lift_bans()
    at.exchange.set_extra(LIMITS, asdict(rules))
    return asdict(rules)


def requests(at: Situation, facts: dict[str, Any]) -> dict[str, int]:
    return at.venue.requests


def forget_requests(at: Situation, facts: dict[str, Any]) -> None:
    at.venue.requests.clear()


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
    ("GET", "/streams"): sockets,
    ("POST", "/limits"): limits,
    ("GET", "/requests"): requests,
    ("DELETE", "/requests"): forget_requests,
}
