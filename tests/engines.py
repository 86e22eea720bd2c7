"""PostgreSQL and Valkey of a test session: fresh, in a temporary folder, without fsync, on sockets."""

import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import redis
from psycopg import sql

from copytrade.engines import Engines, as_engine_user, create_database, drop_stale_pid, prepare, wait_until_up
from workers.launching.parent import end_with_parent

_OUR_TABLES = """
select schemaname, tablename from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') and tablename <> 'alembic_version'
"""


@dataclass(slots=True)
class EngineProcesses:
    """The two running engines, which a chaos test may kill and start again."""

    engines: Engines
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    durable: bool = False
    """Whether a commit waits for the disk, as in an installation."""

    def start(self, *names: str) -> None:
        """Start engines and wait until both answer."""
        commands = {
            "postgres": self.engines.postgres_command(durable=self.durable),
            "valkey": self.engines.valkey_command(durable=False),
        }
        drop_stale_pid(self.engines)
        with (self.engines.data / "engines.log").open("ab") as log:
            for name in names:
                self.running[name] = subprocess.Popen(
                    commands[name],
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    preexec_fn=end_with_parent,
                    **as_engine_user(self.engines),
                )
        wait_until_up(self.engines, alive=lambda: all(process.poll() is None for process in self.running.values()))

    def stop(self) -> None:
        """End both, as fast as PostgreSQL can without harm to other programs."""
        for name, process in self.running.items():
            process.send_signal(signal.SIGQUIT if name == "postgres" else signal.SIGTERM)
        for process in self.running.values():
            process.wait(timeout=20)


@contextmanager
def started(engines: Engines, *, durable: bool = False) -> Generator[EngineProcesses]:
    """Start both engines; end them and delete their data."""
    prepare(engines)
    processes = EngineProcesses(engines, durable=durable)
    try:
        processes.start("postgres", "valkey")
        create_database(engines)
        yield processes
    finally:
        processes.stop()
        shutil.rmtree(engines.data, ignore_errors=True)


def wipe(engines: Engines) -> None:
    """Empty every table of ours, and Valkey."""
    with psycopg.connect(dbname="copytrade", user="postgres", host=str(engines.run)) as connection:
        names = [sql.Identifier(*row) for row in connection.execute(_OUR_TABLES).fetchall()]
        if names:
            connection.execute(sql.SQL("truncate {} restart identity cascade").format(sql.SQL(", ").join(names)))
    with redis.Redis.from_url(engines.redis_url) as valkey:
        valkey.flushall()
