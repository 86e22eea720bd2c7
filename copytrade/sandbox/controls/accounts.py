"""Accounts and keys: open, fund, set, trade by hand, liquidate, look at."""

import secrets
from typing import Any

from copytrade.sandbox.binance import wire
from copytrade.sandbox.binance.account import margin_summary
from copytrade.sandbox.controls.situation import BadRequest, Missing, Situation, amount, instrument, number
from copytrade.sandbox.exchange import modes, risk, spot, ticking, trading
from copytrade.sandbox.exchange.accounts import Account, ApiKey
from copytrade.sandbox.exchange.clock import real_ms
from copytrade.sandbox.exchange.engine import OrderRequest
from copytrade.sandbox.exchange.instruments import BY_SYMBOL, INSTRUMENTS, QUOTE, SPOTS
from copytrade.sandbox.exchange.orders import BUY, SELL, Fill, Order, OrderType, PositionSide, TimeInForce
from copytrade.sandbox.exchange.values import money
from copytrade.sandbox.protocol import OwnIds

ASSETS = (QUOTE, *(instrument.base for instrument in SPOTS))
_RIGHTS = ("reading", "futures", "spot", "withdrawals", "internal_transfer", "universal_transfer", "revoked")


def _key(at: Situation, account: Account, facts: dict[str, Any]) -> ApiKey:
    key = ApiKey(secrets.token_urlsafe(48)[:64], secrets.token_urlsafe(48)[:64], account.id, created=real_ms())
    key.spot = account.venue != "binance" or bool(account.coins)
    key.passphrase = secrets.token_urlsafe(12) if account.venue == "bitget" else ""
    _set_key(key, facts)
    return at.exchange.add_key(key)


def _set_key(key: ApiKey, facts: dict[str, Any]) -> None:
    for right in _RIGHTS:
        if right in facts:
            setattr(key, right, bool(facts[right]))
    if facts.get("read_only"):
        key.futures = key.spot = False
    if "addresses" in facts:
        key.addresses = tuple(facts["addresses"])
    if "expires_in_s" in facts:
        key.expires = real_ms() + int(float(facts["expires_in_s"]) * 1000)


def _shown(key: ApiKey) -> dict[str, Any]:
    shown = {"account_id": key.account, "api_key": key.key, "api_secret": key.secret}
    return shown | {"passphrase": key.passphrase} if key.passphrase else shown


def create(at: Situation, facts: dict[str, Any]) -> dict[str, Any]:
    venue = at.venue(facts).name
    unified = bool(facts.get("unified", venue == "bybit"))
    account = at.exchange.open_account(str(facts.get("name", "")), venue=venue, unified=unified)
    if "fee_asset" in facts:
        account.fee_asset = _asset(facts["fee_asset"])
        at.exchange.store.put(account.head())
    if facts.get("deposit"):
        at.exchange.transfer(account, amount(facts["deposit"]))
    for asset, balance in facts.get("coins", {}).items():
        spot.transfer(at.exchange, account, _asset(asset), amount(balance))
    _modes(at, account, facts)
    return _shown(_key(at, account, facts))


def _modes(at: Situation, account: Account, facts: dict[str, Any]) -> None:
    if "hedge" in facts and bool(facts["hedge"]) != account.hedge:
        modes.set_hedge(at.exchange, account, hedge=bool(facts["hedge"]))
    for symbol, leverage in facts.get("leverage", {}).items():
        modes.set_leverage(at.exchange, account, BY_SYMBOL[symbol].index, int(leverage))
    for symbol, isolated in facts.get("isolated", {}).items():
        index = BY_SYMBOL[symbol].index
        if (index in account.isolated) != bool(isolated):
            modes.set_isolated(at.exchange, account, index, isolated=bool(isolated))


def listed(at: Situation, facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"account_id": account.id, "name": account.name, "venue": account.venue}
        for account in at.exchange.accounts.values()
    ]


def show(at: Situation, account: str, facts: dict[str, Any]) -> dict[str, Any]:
    found = at.account(account)
    market = at.exchange.market
    return {
        "account_id": found.id,
        "name": found.name,
        "venue": found.venue,
        "unified": found.unified,
        **margin_summary(at.exchange, found),
        "hedge": found.hedge,
        "leverage": {symbol: found.leverage_of(row.index) for symbol, row in BY_SYMBOL.items()},
        "coins": {asset: _coin(found, asset) for asset in spot.assets(found)},
        "positions": [wire.position_v2(market, found, position) for position in found.open_positions()],
        "open_orders": [_order(at, order) for order in found.open.values()],
        "orders": len(found.orders),
        "fills": len(found.fills),
        "keys": [key.key for key in at.exchange.keys.values() if key.account == found.id],
    }


def _asset(name: object) -> str:
    if name not in ASSETS:
        raise BadRequest(f"asset must be one of {', '.join(ASSETS)}")
    return str(name)


def _coin(account: Account, asset: str) -> dict[str, str]:
    return {"total": money(spot.coin(account, asset)), "locked": money(spot.locked(account, asset))}


def _of_market(row: dict[str, Any], *, is_spot: bool) -> dict[str, Any]:
    return row | {"market": "spot"} if is_spot else row


def _order(at: Situation, order: Order) -> dict[str, Any]:
    row, side = wire.order(order), at.venue_of(order.account)
    if isinstance(side, OwnIds):
        row["orderId"] = side.order_id(order)
    return _of_market(row, is_spot=INSTRUMENTS[order.instrument].is_spot)


def _fill(at: Situation, account: Account, fill: Fill) -> dict[str, Any]:
    row, side = wire.trade(fill), at.venues[account.venue]
    if isinstance(side, OwnIds):
        row |= {"id": side.trade_id(fill), "orderId": side.order_id(account.orders[fill.order])}
    return _of_market(row, is_spot=INSTRUMENTS[fill.instrument].is_spot)


def orders(at: Situation, account: str, facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [_order(at, order) for order in at.account(account).orders.values()]


def fills(at: Situation, account: str, facts: dict[str, Any]) -> list[dict[str, Any]]:
    found = at.account(account)
    return [_fill(at, found, fill) for fill in found.fills]


def incomes(at: Situation, account: str, facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [_of_market(wire.income(entry), is_spot=entry.spot) for entry in at.account(account).incomes]


def coins(at: Situation, account: str, facts: dict[str, Any]) -> dict[str, str]:
    """Return the spot balances, what open orders hold included; of a unified account also its USDT."""
    found = at.account(account)
    return {asset: money(spot.coin(found, asset)) for asset in spot.assets(found)}


def add_key(at: Situation, account: str, facts: dict[str, Any]) -> dict[str, Any]:
    return _shown(_key(at, at.account(account), facts))


def change_key(at: Situation, key: str, facts: dict[str, Any]) -> None:
    found = at.exchange.keys.get(key)
    if found is None:
        raise Missing("there is no such key")
    _set_key(found, facts)
    at.exchange.add_key(found)


def transfer(at: Situation, account: str, facts: dict[str, Any]) -> None:
    """Deposit or withdraw: USDT of the perpetuals, or with market "spot" any asset."""
    found, wanted = at.account(account), amount(facts["amount"])
    asset, is_spot = _asset(facts.get("asset", QUOTE)), facts.get("market", "perpetual") == "spot"
    if not is_spot and asset != QUOTE:
        raise BadRequest(f"the perpetuals know only {QUOTE}")
    there = spot.free(at.exchange, found, asset) if is_spot else risk.available(at.exchange.market, found)
    if wanted < 0 and -wanted > there:
        raise BadRequest("more was to be withdrawn than is available")
    if is_spot:
        spot.transfer(at.exchange, found, asset, wanted)
    else:
        at.exchange.transfer(found, wanted)


def move(at: Situation, account: str, facts: dict[str, Any]) -> None:
    """Move USDT from the spot wallet to that of the perpetuals, or back when the amount is negative."""
    found, wanted = at.account(account), amount(facts["amount"])
    market = at.exchange.market
    if max(wanted, -wanted) > (spot.free(at.exchange, found, QUOTE) if wanted > 0 else risk.available(market, found)):
        raise BadRequest("more was to be moved than is available")
    spot.to_perpetuals(at.exchange, found, wanted)


def change_modes(at: Situation, account: str, facts: dict[str, Any]) -> None:
    _modes(at, at.account(account), facts)


def place(at: Situation, account: str, facts: dict[str, Any]) -> dict[str, Any]:
    rules = instrument(facts)
    side = {"BUY": BUY, "SELL": SELL}.get(str(facts.get("side", "")).upper())
    if side is None:
        raise BadRequest("side must be BUY or SELL")
    price, budget = facts.get("price"), facts.get("quote_quantity")
    request = OrderRequest(
        rules.index,
        side,
        OrderType.MARKET if price is None else OrderType.LIMIT,
        number(facts["quantity"], rules.quantity_decimals) if budget is None else 0,
        0 if price is None else number(price, rules.price_decimals),
        TimeInForce(facts.get("time_in_force", "GTC")),
        bool(facts.get("reduce_only", False)),
        PositionSide(facts.get("position_side", "BOTH")),
        str(facts.get("client_id") or f"web_{secrets.token_hex(10)}"),
        0 if budget is None else amount(budget),
    )
    return _order(at, trading.place(at.exchange, at.account(account), request))


def cancel_all(at: Situation, account: str, facts: dict[str, Any]) -> dict[str, int]:
    found = at.account(account)
    open_now = list(found.open.values())
    for order in open_now:
        trading.cancel(at.exchange, found, order)
    return {"cancelled": len(open_now)}


def liquidate(at: Situation, account: str, facts: dict[str, Any]) -> dict[str, int]:
    """Liquidate at the mark price, whatever the margin: of all positions, or of the symbol named."""
    found = at.account(account)
    wanted = instrument(facts).index if "symbol" in facts else None
    doomed = [row for row in found.open_positions() if wanted is None or row.instrument == wanted]
    ticking.close_all(at.exchange, found, doomed)
    return {"closed": len(doomed)}


def deleverage(at: Situation, account: str, facts: dict[str, Any]) -> dict[str, int]:
    """Let auto-deleveraging close the positions of a symbol, or so much of each, at the mark price."""
    found, rules = at.account(account), instrument(facts)
    wanted = number(facts["quantity"], rules.quantity_decimals) if "quantity" in facts else 0
    rows = [row for row in found.open_positions() if row.instrument == rules.index]
    price = at.exchange.market.price(rules.index)
    for row in rows:
        where = {"instrument": rules.index, "side": row.side, "price": price}
        steps = min(wanted or abs(row.steps), abs(row.steps))
        trading.close_by_venue(at.exchange, found, **where, adl_steps=steps)
    return {"closed": len(rows)}


ACTIONS = {
    ("POST", "/accounts"): create,
    ("GET", "/accounts"): listed,
    ("GET", "/accounts/{account}"): show,
    ("GET", "/accounts/{account}/orders"): orders,
    ("GET", "/accounts/{account}/fills"): fills,
    ("GET", "/accounts/{account}/incomes"): incomes,
    ("GET", "/accounts/{account}/coins"): coins,
    ("POST", "/accounts/{account}/move"): move,
    ("POST", "/accounts/{account}/keys"): add_key,
    ("POST", "/accounts/{account}/transfer"): transfer,
    ("POST", "/accounts/{account}/modes"): change_modes,
    ("POST", "/accounts/{account}/orders"): place,
    ("DELETE", "/accounts/{account}/orders"): cancel_all,
    ("POST", "/accounts/{account}/liquidate"): liquidate,
    ("POST", "/accounts/{account}/deleverage"): deleverage,
    ("POST", "/keys/{key}"): change_key,
}
