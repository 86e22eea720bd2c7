"""Migrations, run in this process."""

from alembic import command
from alembic.config import Config

from copytrade.settings import ROOT


def migrate_to_head() -> None:
    """Bring the database of the settings to the newest revision."""
    command.upgrade(_config(), "head")


def _config() -> Config:
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "alembic").replace("%", "%%"))
    return config
