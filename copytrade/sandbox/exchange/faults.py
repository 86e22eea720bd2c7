"""What goes wrong on purpose: with answers to requests, with messages of streams, with what look-ups see."""

import random
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

from copytrade.sandbox.exchange.tampering import Tampering

STREAM_ACTIONS = ("lose", "double", "delay", "change")


class Execute(StrEnum):
    """Whether a faulty request is carried out."""

    YES = "yes"
    NO = "no"
    LATE = "late"


class Answer(StrEnum):
    """What the client gets instead of the answer."""

    NORMAL = "normal"
    DROP = "drop"
    HANG = "hang"
    STATUS = "status"
    TRUNCATED = "truncated"
    HTML = "html"
    BROKEN_JSON = "broken_json"
    GARBAGE = "garbage"
    BAD_GZIP = "bad_gzip"
    EMPTY = "empty"
    LARGE = "large"


@dataclass(slots=True)
class Fault:
    """One rule about requests; empty `venue`, `key`, `account`, `method` or `path` match all, `remaining` −1 lasts."""

    execute: Execute = Execute.YES
    answer: Answer = Answer.NORMAL
    venue: str = ""
    key: str = ""
    account: int = 0
    method: str = ""
    path: str = ""
    remaining: int = -1
    skip: int = 0
    """So many matching requests pass first."""
    chance: float = 1.0
    """Of those that match, the share that is hit; the same ones each time."""
    delay_in_ms: int = 0
    delay_out_ms: int = 0
    late_ms: int = 3000
    status: int = 503
    code: int | str = 0
    message: str = ""
    retry_after: int = 0
    size: int = 10_000_000
    """Bytes of a large answer: the right one, with blanks behind it."""
    tampering: Tampering = field(default_factory=Tampering)
    id: int = 0
    hits: int = 0

    def fits(self, venue: str, key: str, account: int, method: str, path: str) -> bool:
        """Tell whether the rule is about this request."""
        return (
            (not self.venue or self.venue == venue)
            and (not self.key or self.key == key)
            and (not self.account or self.account == account)
            and (not self.method or self.method == method)
            and (not self.path or path.endswith(self.path))
        )


@dataclass(slots=True)
class StreamFault:
    """One rule about stream messages: lose, double, delay or change those of an account and event name."""

    action: str
    account: int = 0
    event: str = ""
    remaining: int = -1
    delay_ms: int = 0
    tampering: Tampering = field(default_factory=Tampering)
    id: int = 0
    hits: int = 0


@dataclass
class Faults:
    """All rules in force, and the delays that always apply."""

    latency_in_ms: float = 0.0
    latency_out_ms: float = 0.0
    read_lag_ms: int = 0
    """What look-ups and lists do not see yet: orders and fills younger than this."""
    read_lag_of: dict[int, int] = field(default_factory=dict)
    requests: list[Fault] = field(default_factory=list)
    streams: list[StreamFault] = field(default_factory=list)
    halted_streams: set[int] = field(default_factory=set)
    """Accounts whose streams say nothing any more, though they stay open."""

    def __post_init__(self) -> None:
        self._ids = count(1)
        self._dice = random.Random(1)

    def add(self, **facts: Any) -> Fault:
        """Put a rule about requests into force."""
        facts["execute"] = Execute(facts.get("execute", "yes"))
        facts["answer"] = Answer(facts.get("answer", "normal"))
        fault = Fault(**_tampering(facts))
        fault.id = next(self._ids)
        self.requests.append(fault)
        return fault

    def add_stream(self, **facts: Any) -> StreamFault:
        """Put a rule about stream messages into force."""
        fault = StreamFault(**_tampering(facts))
        if fault.action not in STREAM_ACTIONS:
            raise ValueError(f"a stream fault's action is one of {', '.join(STREAM_ACTIONS)}; it was {fault.action!r}")
        fault.id = next(self._ids)
        self.streams.append(fault)
        return fault

    def clear(self) -> None:
        """End all faults and delays."""
        self.requests.clear()
        self.streams.clear()
        self.halted_streams.clear()
        self.read_lag_of.clear()
        self.latency_in_ms = self.latency_out_ms = 0.0
        self.read_lag_ms = 0

    def take(self, venue: str, key: str, account: int, method: str, path: str) -> Fault | None:
        """Return the first rule about a request, counted down."""
        for fault in self.requests:
            if fault.remaining and fault.fits(venue, key, account, method, path):
                if fault.chance < 1 and self._dice.random() >= fault.chance:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.remaining -= fault.remaining > 0
                fault.hits += 1
                return fault
        return None

    def take_stream(self, account: int, event: str, *, counts: bool = True) -> StreamFault | None:
        """Return the first rule about a stream message, counted down unless the message is a mere companion."""
        for fault in self.streams:
            fits = (not fault.account or fault.account == account) and (not fault.event or fault.event == event)
            if fault.remaining and fits:
                fault.remaining -= counts and fault.remaining > 0
                fault.hits += counts
                return fault
        return None

    def lag(self, account: int) -> int:
        """Return the milliseconds by which an account's look-ups lag."""
        return self.read_lag_of.get(account, self.read_lag_ms) if self.read_lag_of else self.read_lag_ms


def _tampering(facts: dict[str, Any]) -> dict[str, Any]:
    """Put what is to be changed in an answer together."""
    changes = {name: facts.pop(name) for name in ("replace", "remove", "exponents") if name in facts}
    return facts | {"tampering": Tampering(**changes)}
