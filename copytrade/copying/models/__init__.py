"""Tables of copying, each beside its like."""

from copytrade.copying.models.legs import LegRow, PartRow, PlanRest, SkipRow
from copytrade.copying.models.orders import CopyOrder, Decided, OrderPart
from copytrade.copying.models.readings import CopyDrift, CopyReading, SymbolReady, SymbolTerms, SymbolVolume
from copytrade.copying.models.settings import CopyNotice, CopySetting, CopyStand, Switch
from copytrade.copying.models.states import LIVE, DriftKind, LegState, OrderState, Resolution, SwitchMode, SwitchScope

__all__ = [
    "LIVE",
    "CopyDrift",
    "CopyNotice",
    "CopyOrder",
    "CopyReading",
    "CopySetting",
    "CopyStand",
    "Decided",
    "DriftKind",
    "LegRow",
    "LegState",
    "OrderPart",
    "OrderState",
    "PartRow",
    "PlanRest",
    "Resolution",
    "SkipRow",
    "Switch",
    "SwitchMode",
    "SwitchScope",
    "SymbolReady",
    "SymbolTerms",
    "SymbolVolume",
]
