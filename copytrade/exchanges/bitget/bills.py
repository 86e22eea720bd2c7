"""The bills of Bitget's futures accounts, read into ledger entries."""

from collections.abc import Callable
from datetime import datetime, timedelta

from copytrade.domain.fills import EntryKind, LedgerEntry
from copytrade.exchanges.bitget import paging
from copytrade.exchanges.bitget.requests import PRODUCT
from copytrade.exchanges.bitget.shapes import Body, amount
from copytrade.exchanges.values import moment, number, text
from copytrade.exchanges.wire import Wire

_AT_ONCE = timedelta(days=30) - timedelta(minutes=1)
_FUNDING = "contract_settle_fee"
_TRADES = ("open_", "close_", "buy", "sell", "force_", "burst_", "delivery_", "dte_sys_adl_", "offset_", "reduce_")


async def entries(
    wire: Wire, *, since: datetime, until: datetime, symbol_of: Callable[[str], str]
) -> list[LedgerEntry]:
    """Return what was booked in a time, complete, oldest first."""
    rows = paging.rows_of(wire, "privateMixGetV2MixAccountBill", dict(PRODUCT), at=lambda data: data["bills"])
    found = await paging.spanned(rows, since=since, until=until, longest=_AT_ONCE, id_field="billId")
    read = wire.read(lambda bills: [entry for row in bills for entry in _booked(row, symbol_of=symbol_of)], found)
    return sorted({entry.entry_id: entry for entry in read}.values(), key=lambda entry: entry.venue_time)


def _booked(row: Body, *, symbol_of: Callable[[str], str]) -> list[LedgerEntry]:
    venue_symbol = row["symbol"] or ""
    return of_bill(row, symbol=symbol_of(venue_symbol.upper()) if venue_symbol else "")


def of_bill(row: Body, *, symbol: str) -> list[LedgerEntry]:
    """Return what a bill books: an execution's profit and its fee stand in one row."""
    kind = str(row["businessType"])
    number_of_bill, at, asset = text(row["billId"]), moment(row["cTime"]), text(row["coin"]).upper()
    booked = [("", _entry_kind(kind), number(row["amount"])), (":fee", EntryKind.FEE, amount(row["fee"]))]
    return [
        LedgerEntry(
            entry_id=f"{number_of_bill}{mark}", kind=what, asset=asset, amount=size, venue_time=at, symbol=symbol
        )
        for mark, what, size in booked
        if size != 0
    ]


def _entry_kind(business: str) -> EntryKind:
    if business == _FUNDING:
        return EntryKind.FUNDING
    if business.startswith("trans_"):
        return EntryKind.TRANSFER
    return EntryKind.REALIZED_PNL if business.startswith(_TRADES) else EntryKind.OTHER
