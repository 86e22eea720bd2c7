"""What analytics shows: the leaderboard, a trader's page, a subscriber's wallet, the platform's own numbers."""

from copytrade.analytics.leaderboard import Sort, leaderboard
from copytrade.analytics.platform import platform_numbers
from copytrade.analytics.profile import profile_page
from copytrade.analytics.sources import quality_by_place
from copytrade.analytics.wallet import traders_pnl, wallet

__all__ = ["Sort", "leaderboard", "platform_numbers", "profile_page", "quality_by_place", "traders_pnl", "wallet"]
