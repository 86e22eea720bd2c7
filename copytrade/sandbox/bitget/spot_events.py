"""What Bitget's private channels say of spot."""

from typing import Any

from copytrade.sandbox.bitget import spot_wire, wire
from copytrade.sandbox.exchange.accounts import Account
from copytrade.sandbox.exchange.instruments import INSTRUMENTS
from copytrade.sandbox.exchange.orders import Fill, Order
from copytrade.sandbox.exchange.values import money, text


def fill(account: Account, order: Order, done: Fill) -> dict[str, Any]:
    row = spot_wire.trade(account, done)
    return row | {"feeDetail": [row["feeDetail"]]}


def order(account: Account, placed: Order, done: Fill | None) -> dict[str, Any]:
    """Write an order after what just happened to it; `newSize` is in quote for a market buy."""
    row = spot_wire.order(account, placed)
    instrument = INSTRUMENTS[placed.instrument]
    paid = spot_wire.fees(wire.fills_of(account, placed))
    content: dict[str, Any] = {
        **{name: row[name] for name in ("orderId", "clientOid", "price", "orderType", "side", "status", "priceAvg")},
        **{name: row[name] for name in ("enterPointSource", "cancelReason", "cTime", "uTime")},
        "instId": instrument.symbol,
        "size": row["size"],
        "newSize": row["size"],
        "notional": row["size"] if spot_wire.is_quote_sized(placed) else money(placed.quote),
        "force": wire.FORCES[placed.time_in_force],
        "accBaseVolume": row["baseVolume"],
        "baseVolume": text(done.steps if done else 0, instrument.quantity_decimals),
        "feeDetail": [{"feeCoin": asset, "fee": money(-fee)} for asset, fee in paid.items()],
    }
    if done is None:
        return content
    return content | {
        "fillPrice": text(done.price, instrument.price_decimals),
        "fillTime": str(done.time),
        "fillFee": money(-done.fee),
        "fillFeeCoin": done.fee_asset,
        "tradeId": str(done.id),
        "tradeScope": "M" if done.maker else "T",
    }
