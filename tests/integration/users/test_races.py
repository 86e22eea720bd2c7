"""Two who do the same at once: the database decides, one wins, the other is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

from sqlmodel import select

from copytrade.accounts.models import ExchangeAccount
from copytrade.accounts.service import AlreadyLinked
from copytrade.db.session import reading, transaction
from copytrade.engines import Engines
from copytrade.errors import CopyTradeError
from copytrade.users import service
from copytrade.users.models import User
from copytrade.users.refusals import EmailTaken
from tests.integration.accounts.linking import KEY, taken
from tests.integration.users.people import PASSWORD, bob, mallory

AT_ONCE = 6


def at_once(work: Callable[[int], object]) -> list[object]:
    """Run the work in several threads from the same moment; return results and expected refusals."""
    gate = Barrier(AT_ONCE)

    def run(number: int) -> object:
        gate.wait()
        try:
            return work(number)
        except CopyTradeError as refused:
            return type(refused)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(run, range(AT_ONCE)))


def test_one_of_many_gets_an_address(committed: Engines) -> None:
    def register(_number: int) -> str:
        with transaction() as session:
            return service.register(
                session,
                email="alice@copytrade.example",
                password=PASSWORD,
                is_trader=True,
                is_subscriber=False,
                accepted_terms=True,
            ).email

    told = at_once(register)
    assert sorted(told, key=str) == sorted(["alice@copytrade.example", *[EmailTaken] * (AT_ONCE - 1)], key=str)
    with reading() as session:
        assert len(session.exec(select(User)).all()) == 1


def test_one_of_many_links_a_key(committed: Engines) -> None:
    with transaction() as session:
        owners = [bob(session).id, mallory(session).id]

    def link(number: int) -> UUID:
        with transaction() as session:
            return taken(session, owners[number % 2], api_key=KEY)

    told = at_once(link)
    assert told.count(AlreadyLinked) == AT_ONCE - 1
    with reading() as session:
        assert len(session.exec(select(ExchangeAccount)).all()) == 1
