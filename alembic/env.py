"""Alembic's entry: all tables of ours, in the two schemas, under one lock."""

from importlib import import_module
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import AutoString, SQLModel

from copytrade.db.model import PEOPLE, TRADES, Amount, UtcDateTime
from copytrade.settings import ROOT, settings

_LOCK = 7_240_118  # any number of ours: two starting processes migrate one after the other


def _import_tables() -> None:
    folder = ROOT / "copytrade"
    places = ("*/models.py", "*/models/*.py", "*/*_models.py", "db/*.py")
    for file in sorted(file for place in places for file in folder.glob(place)):
        import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return name in (PEOPLE, TRADES) if kind == "schema" else True


def _plain_types(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    # Migrations outlive the code: they name SQLAlchemy's own types, never ours.
    if kind != "type":
        return False
    match item:
        case UtcDateTime():
            return "sa.DateTime(timezone=True)"
        case Amount():
            return "sa.Numeric()"
        case AutoString():
            return f"sa.String(length={item.length})" if item.length else "sa.String()"
        case _:
            return False


def run() -> None:
    """Migrate the database of the settings."""
    _import_tables()
    engine = sa.create_engine(settings().database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        for schema in (PEOPLE, TRADES):
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        context.configure(
            connection=connection,
            target_metadata=SQLModel.metadata,
            include_schemas=True,
            include_name=_ours,
            render_item=_plain_types,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
