"""Bitget's facts."""

from datetime import timedelta

from copytrade.domain.instruments import Market, Venue
from copytrade.domain.orders import Refusal
from copytrade.exchanges.facts import Codes, VenueFacts
from copytrade.exchanges.limits import CONNECT, Limit, Scope

_OTHER = """
    400172 40007 40017 40019 40020 40024 40031 40102 40103 40108 40203 40304 40305 40306 40700 40707 40713 40761 40808
    40812 40872 40917 40920 41103 41117 43005 43011 43025 43117 45117 45118 40084
"""
"""Malformed requests, rules of the account, settings and order types."""

_REFUSED: dict[str, Refusal] = {
    **dict.fromkeys(("43012", "40711", "40712", "40754", "40756", "40762", "40800", "50020"), Refusal.FUNDS),
    **dict.fromkeys(("22002", "40755", "40757", "40758"), Refusal.NOTHING_TO_REDUCE),
    **dict.fromkeys(("40797", "45113"), Refusal.LEVERAGE),
    **dict.fromkeys(("45110", "45114"), Refusal.MIN_NOTIONAL),
    **dict.fromkeys(
        ("22006", "22007", "22008", "22009", "40815", "40816", "43008", "43009", "43010", "45115", "45122", "50067"),
        Refusal.PRICE,
    ),
    **dict.fromkeys(("43006", "43007", "45111", "45112"), Refusal.QUANTITY),
    "40774": Refusal.POSITION_MODE,
    **dict.fromkeys(("22004", "40034", "40308", "40309", "43115", "43116"), Refusal.MARKET_CLOSED),
    **dict.fromkeys(
        ("40001", "40002", "40003", "40006", "40009", "40011", "40012", "40014", "40018", "40037", "40085"),
        Refusal.CREDENTIALS,
    ),
    **dict.fromkeys(_OTHER.split(), Refusal.OTHER),
}

_ORDERS = ("privateMixPostV2MixOrderPlaceOrder", "privateSpotPostV2SpotTradePlaceOrder")

BITGET = VenueFacts(
    venue=Venue.BITGET,
    ccxt_id="bitget",
    codes=Codes(
        refused=_REFUSED,
        refused_texts={"size": Refusal.QUANTITY, "price": Refusal.PRICE},
        not_executed=frozenset({"429", "30014", "40200", "41114"}),
        clock=frozenset({"40004", "40005", "40008"}),
        duplicate=frozenset({"40786", "43118", "40708", "45034", "25212"}),
        credentials=frozenset(
            {"40001", "40002", "40003", "40006", "40009", "40011", "40012", "40014", "40018", "40037", "40085"}
        ),
        order_unknown=frozenset({"22001", "40109", "40768", "43001", "43004"}),
        unchanged=frozenset({"40814"}),
        # ccxt takes the first of them for wrong credentials; it says that the venue's own parts did not answer in time
        unclear=frozenset({"40010", "40015", "40725", "45001"}),
        throttled=frozenset({"429", "1001", "30014"}),
        throttled_statuses=frozenset({418, 429}),
        success=frozenset({"00000"}),
    ),
    market_options={
        Market.SPOT: {"defaultType": "spot", "uta": False, "fetchMarkets": {"types": ["spot"]}},
        Market.PERPETUAL: {"defaultType": "swap", "uta": False, "fetchMarkets": {"types": ["swap"]}},
    },
    lost_after=timedelta(seconds=30),
    fills_kept=timedelta(days=90),
    entries_kept=timedelta(days=90),
    # its newer documents promise it for six hours, and on spot only while the order is not filled
    taken_ids_are_refused=False,
    path_of_sandbox="/bitget",
    weights={"load_markets": 8},
    limits=(
        Limit("requests", 6000, 60, covers=("public", "private"), is_weighted=False, slides=True),
        Limit("connections", 300, 300, covers=(CONNECT,), is_weighted=False, slides=True),
        Limit("orders", 10, 1, covers=_ORDERS, scope=Scope.ACCOUNT, is_weighted=False),
        Limit("info", 1, 1, covers=("privateSpotGetV2SpotAccountInfo",), scope=Scope.ACCOUNT, is_weighted=False),
        Limit(
            "positions", 5, 1, covers=("privateMixGetV2MixPositionAllPosition",), scope=Scope.ACCOUNT, is_weighted=False
        ),
        *(
            Limit(name, 10, 1, covers=(prefix,), scope=Scope.ACCOUNT, is_weighted=False)
            for name, prefix in (
                ("mix orders", "privateMixGetV2MixOrder"),
                ("mix accounts", "privateMixGetV2MixAccount"),
                ("spot orders", "privateSpotGetV2SpotTrade"),
                ("spot bills", "privateSpotGetV2SpotAccountBills"),
                ("spot assets", "privateSpotGetV2SpotAccountAssets"),
            )
        ),
    ),
    has_passphrase=True,
)
