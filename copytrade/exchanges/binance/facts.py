"""Binance's facts."""

from datetime import timedelta

from copytrade.domain.instruments import Market, Venue
from copytrade.domain.orders import Refusal
from copytrade.exchanges.facts import Codes, VenueFacts
from copytrade.exchanges.limits import CONNECT, Limit, Scope

_OTHER = """
    -1013 -1100 -1101 -1102 -1103 -1104 -1105 -1106 -1108 -1109 -1112 -1114 -1115 -1116 -1117 -1118 -1119 -1120
    -1128 -1130 -2010 -2020 -2023 -2025 -2026 -4015 -4045 -4088 -4104 -4117 -4135 -4137 -4138 -4139 -4142 -4192
    -4400 -4401 -5021 -5022
"""
"""Malformed requests, filters, rules of the account and of order types."""

_REFUSED: dict[str, Refusal] = {
    **dict.fromkeys(("-2018", "-2019", "-4050", "-4051"), Refusal.FUNDS),
    **dict.fromkeys(("-2022", "-2024", "-4118"), Refusal.NOTHING_TO_REDUCE),
    **dict.fromkeys(("-2027", "-2028", "-4028", "-4202"), Refusal.LEVERAGE),
    "-4164": Refusal.MIN_NOTIONAL,
    **dict.fromkeys(
        ("-4001", "-4002", "-4013", "-4014", "-4016", "-4024", "-4131", "-4183", "-4184", "-2021"), Refusal.PRICE
    ),
    **dict.fromkeys(("-1111", "-4003", "-4004", "-4005", "-4023"), Refusal.QUANTITY),
    **dict.fromkeys(("-4060", "-4061", "-4062"), Refusal.POSITION_MODE),
    **dict.fromkeys(("-1121", "-4108", "-4140", "-4141"), Refusal.MARKET_CLOSED),
    **dict.fromkeys(("-1002", "-1022", "-2014", "-2015", "-4087", "-4109"), Refusal.CREDENTIALS),
    **dict.fromkeys(_OTHER.split(), Refusal.OTHER),
}

_WEIGHTS: dict[str, float] = {
    "load_markets": 20,
    "fapiPrivateV3GetAccount": 5,
    "fapiPrivateV3GetPositionRisk": 5,
    "fapiPrivateGetUserTrades": 5,
    "fapiPrivateGetAllOrders": 5,
    "fapiPrivateGetIncome": 30,
    "fapiPrivateGetSymbolConfig": 5,
    "fapiPrivateGetPositionSideDual": 30,
    "fapiPrivateGetOpenOrders*": 40,
    "fapiPublicGetTickerBookTicker": 2,
    "fapiPublicGetTickerBookTicker*": 5,
    "fapiPublicGetPremiumIndex*": 10,
    "fapiPublicGetKlines": 5,
    "fapiPrivatePostOrder": 0,
    "publicGetTickerBookTicker": 2,
    "publicGetTickerBookTicker*": 4,
    "publicGetTickerPrice": 2,
    "publicGetTickerPrice*": 4,
    "publicGetKlines": 2,
    "privateGetAccount": 20,
    "privateGetMyTrades": 20,
    "privateGetAllOrders": 20,
    "privateGetOrder": 4,
    "privateGetOpenOrders": 6,
    "privateGetOpenOrders*": 80,
}
_USED = "x-mbx-used-weight-1m"
_LIMITS = (
    Limit("futures", 2400, 60, ("fapi",), market=Market.PERPETUAL, used_header=_USED),
    Limit("spot", 6000, 60, ("public", "private"), market=Market.SPOT, used_header=_USED),
    Limit("connections", 300, 300, (CONNECT,), is_weighted=False),
    Limit("wallet", 12000, 60, ("sapi",), market=Market.SPOT),
    Limit(
        "withdrawals", 10, 60, ("sapiGetCapitalWithdrawHistory",), market=Market.SPOT, scope=Scope.ACCOUNT,
        is_weighted=False,
    ),
    *(
        Limit(
            f"futures_orders_{name}", amount, seconds, ("fapiPrivatePostOrder",), scope=Scope.ACCOUNT,
            is_weighted=False, used_header=f"x-mbx-order-count-{name}",
        )
        for name, amount, seconds in (("10s", 300, 10), ("1m", 1200, 60))
    ),
    Limit(
        "spot_orders_10s", 100, 10, ("privatePostOrder",), scope=Scope.ACCOUNT, is_weighted=False,
        used_header="x-mbx-order-count-10s",
    ),
)  # fmt: skip
"""The venue counts in windows of the clock. Orders of perpetuals weigh nothing, but are counted by account."""

BINANCE = VenueFacts(
    venue=Venue.BINANCE,
    ccxt_id="binance",
    codes=Codes(
        refused=_REFUSED,
        not_executed=frozenset({"-1003", "-1008", "-1015"}),
        clock=frozenset({"-1021", "-5028"}),
        duplicate=frozenset({"-4116"}),
        refused_texts={"market is closed": Refusal.MARKET_CLOSED},
        duplicate_texts=("Duplicate order sent",),
        credentials=frozenset({"-1002", "-1022", "-2014", "-2015"}),
        order_unknown=frozenset({"-2011", "-2013"}),
        unchanged=frozenset({"-4046", "-4059"}),
        unclear=frozenset({"-1000", "-1001", "-1006", "-1007"}),
    ),
    market_options={
        Market.PERPETUAL: {
            "defaultType": "swap",
            "fetchCurrencies": False,
            "fetchMargins": False,
            "fetchMarkets": {"types": ["linear"]},
        },
        Market.SPOT: {
            "defaultType": "spot",
            "fetchCurrencies": False,
            "fetchMargins": False,
            "fetchMarkets": {"types": ["spot"]},
        },
    },
    lost_after=timedelta(seconds=10),
    fills_kept=timedelta(days=180),
    entries_kept=timedelta(days=92),
    taken_ids_are_refused=False,
    weights=_WEIGHTS,
    limits=_LIMITS,
    path_of_sandbox="/binance",
)
