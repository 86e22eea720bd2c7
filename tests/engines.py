"""PostgreSQL and Valkey of a test session: fresh, in a temporary folder, without fsync, on sockets."""

import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

import psycopg
import redis
from psycopg import sql

from copytrade.db.migrations import migrate_to_head
from copytrade.engines import Engines, as_engine_user, create_database, prepare, wait_until_up
from workers.launching.parent import end_with_parent

_OUR_TABLES = """
select schemaname, tablename from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') and tablename <> 'alembic_version'
"""


@contextmanager
def started(engines: Engines) -> Generator[Engines]:
    """Start both engines; end them and delete their data."""
    prepare(engines)
    with (engines.data / "engines.log").open("ab") as log:
        running = [
            subprocess.Popen(
                command, stdout=log, stderr=log, cwd="/", preexec_fn=end_with_parent, **as_engine_user(engines)
            )
            for command in (engines.postgres_command(durable=False), engines.valkey_command(durable=False))
        ]
        try:
            wait_until_up(engines, alive=lambda: all(process.poll() is None for process in running))
            create_database(engines)
            yield engines
        finally:
            running[0].send_signal(signal.SIGQUIT)
            running[1].terminate()
            for process in running:
                process.wait(timeout=20)
            shutil.rmtree(engines.data, ignore_errors=True)


def migrate() -> None:
    """Bring the database of the settings to the newest revision."""
    migrate_to_head()


def wipe(engines: Engines) -> None:
    """Empty every table of ours, and Valkey."""
    with psycopg.connect(dbname="copytrade", user="postgres", host=str(engines.run)) as connection:
        names = [sql.Identifier(*row) for row in connection.execute(_OUR_TABLES).fetchall()]
        if names:
            connection.execute(sql.SQL("truncate {} restart identity cascade").format(sql.SQL(", ").join(names)))
    with redis.Redis.from_url(engines.redis_url) as valkey:
        valkey.flushall()
