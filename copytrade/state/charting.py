"""What all charts on pages share: an empty one to begin with, and the person's colours."""

import plotly.graph_objects as go
import reflex as rx

from copytrade.analytics.charts import Chart, Palette
from copytrade.state.preferences import Preferences

NO_CHART = Chart(go.Figure(layout={"template": "none"}), "", [])


async def palette_of(state: rx.State) -> Palette:
    """Return the colours of gain and loss that the person chose."""
    preferences = await state.get_state(Preferences)
    return {"blue": Palette.BLUE_ORANGE, "red-up": Palette.RED_UP}.get(preferences.gains, Palette.GREEN_RED)
