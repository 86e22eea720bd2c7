"""Bybit's facts."""

from datetime import timedelta

from copytrade.domain.instruments import Market, Venue
from copytrade.domain.orders import Refusal
from copytrade.exchanges.facts import Codes, VenueFacts
from copytrade.exchanges.limits import CONNECT, Limit, Scope

_OTHER = """
    10001 10024 10027 30228 110005 110009 110018 110019 110020 110021 110022 110032 110033 110035 110037 110041 110067
    110068 110069 110070 110079 110080 110082 110083 110087 110088 110096 110097 110098 110100 110101 110102 110104
    110105 110106 110107 110119 110123 110124 110125 110131 110132 170010 170011 170019 170031 170034 170036 170037
    170105 170115 170116 170117 170130 170145 170195 170196 170201 170202 170203 170204 170206 170209 170210 170215
    170216 170218 170219 170220 170221 170224 170226 170227 170230 170241 170344 170346 170348 170355 170358 170359
    170360 170709 170810 110073 3400045
"""
"""Malformed requests, rules of the account, settings and order types."""

_FUNDS = "110004 110006 110007 110012 110014 110044 110045 110051 110052 110053 170033 170131 170207 170223"
_LEVERAGE = "110013 110031 110036 110038 110085 110086 110089 110090"
_PRICE = """
    30208 30209 110003 110011 110039 110040 110118 110120 110121 170132 170133 170134 170192 170193 170194 170371
    170372
"""
_QUANTITY = """
    170124 170135 170136 170137 170148 170197 170198 170199 170200 170228 170229 170341 170381 170382
"""
_CLOSED = "10029 110023 110042 110063 110066 110074 110095 110103 170121 170151 170157 170159 170217"
_KEY = "-2015 10003 10004 10005 10007 10008 10010 10028 33004"

_REFUSED: dict[str, Refusal] = {
    **dict.fromkeys(_FUNDS.split(), Refusal.FUNDS),
    **dict.fromkeys(("110017", "110034"), Refusal.NOTHING_TO_REDUCE),
    **dict.fromkeys(_LEVERAGE.split(), Refusal.LEVERAGE),
    **dict.fromkeys(("110094", "170140"), Refusal.MIN_NOTIONAL),
    **dict.fromkeys(_PRICE.split(), Refusal.PRICE),
    **dict.fromkeys(_QUANTITY.split(), Refusal.QUANTITY),
    **dict.fromkeys(("110024", "110028", "110029"), Refusal.POSITION_MODE),
    **dict.fromkeys(_CLOSED.split(), Refusal.MARKET_CLOSED),
    **dict.fromkeys(_KEY.split(), Refusal.CREDENTIALS),
    **dict.fromkeys(_OTHER.split(), Refusal.OTHER),
}
_TEXTS = {
    "position idx": Refusal.POSITION_MODE,
    "symbol": Refusal.MARKET_CLOSED,
    "qty": Refusal.QUANTITY,
    "number of contracts": Refusal.QUANTITY,
    "price": Refusal.PRICE,
}
"""What the text of a 10001 is about; the code alone says only that a parameter was wrong."""

_UNIFIED = {
    # every account is asked for its kind when it is linked; asking again costs two requests before the first order
    "enableUnifiedMargin": False,
    "enableUnifiedAccount": True,
    "unifiedMarginStatus": 6,
}
_SETTINGS = ("privatePostV5Position", "privatePostV5Account", "privateGetV5User")

BYBIT = VenueFacts(
    venue=Venue.BYBIT,
    ccxt_id="bybit",
    codes=Codes(
        refused=_REFUSED,
        refused_texts=_TEXTS,
        not_executed=frozenset({"10006", "10018", "10429", "170005", "170222"}),
        clock=frozenset({"-1", "10002"}),
        duplicate=frozenset({"110072", "170141"}),
        credentials=frozenset({"-2015", "10003", "10004", "10005", "10007", "10008", "10010", "10028", "33004"}),
        order_unknown=frozenset({"110001", "110008", "110010", "170139", "170142", "170143", "170190", "170213"}),
        unchanged=frozenset({"110025", "110026", "110027", "110043"}),
        unclear=frozenset(
            {"429", "10000", "10016", "10019", "170001", "170007", "170032", "170146", "170147", "170234"}
        ),
        throttled=frozenset({"10006", "10018"}),
        throttled_statuses=frozenset({403, 418, 429}),
        ban_statuses=frozenset({403}),
        ban_s=600.0,
        code_field="retCode",
        text_field="retMsg",
        success=frozenset({"0"}),
        reset_header="x-bapi-limit-reset-timestamp",
    ),
    market_options={
        Market.SPOT: {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, **_UNIFIED},
        Market.PERPETUAL: {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}, **_UNIFIED},
    },
    lost_after=timedelta(seconds=10),
    fills_kept=timedelta(days=729),
    entries_kept=timedelta(days=729),
    taken_ids_are_refused=True,
    path_of_sandbox="/bybit",
    limits=(
        Limit("requests", 600, 5, covers=("public", "private"), slides=True, is_weighted=False),
        Limit("connections", 500, 300, covers=(CONNECT,), is_weighted=False, slides=True),
        Limit(
            *("orders", 10, 1),
            covers=("privatePostV5OrderCreate", "privatePostV5OrderCancel"),
            scope=Scope.ACCOUNT,
            is_weighted=False,
            slides=True,
            left_header="x-bapi-limit-status",
        ),
        Limit(
            *("reads", 50, 1),
            covers=("privateGetV5Order", "privateGetV5Execution", "privateGetV5Position", "privateGetV5Account"),
            scope=Scope.ACCOUNT,
            is_weighted=False,
            slides=True,
        ),
        Limit("settings", 10, 1, covers=_SETTINGS, scope=Scope.ACCOUNT, is_weighted=False, slides=True),
    ),
)
