"""Migrations against the models, on an empty database of their own."""

import os
import subprocess
import sys
from collections.abc import Generator

import psycopg
import pytest

from copytrade.engines import Engines
from copytrade.settings import ROOT

NAME = "migrated"


@pytest.fixture
def empty(engines: Engines) -> Generator[str]:
    """The SQLAlchemy URL of an empty database."""
    server = f"host={engines.run} user=postgres dbname=postgres"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {NAME}")
    try:
        yield f"postgresql+psycopg://postgres@/{NAME}?host={engines.run}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"drop database {NAME} with (force)")


def _alembic(url: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *arguments],
        cwd=ROOT,
        env=os.environ | {"COPYTRADE_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_head_leads_from_nothing_to_the_models_and_back(empty: str) -> None:
    _alembic(empty, "upgrade", "head")
    _alembic(empty, "check")
    _alembic(empty, "downgrade", "base")
    _alembic(empty, "upgrade", "head")
