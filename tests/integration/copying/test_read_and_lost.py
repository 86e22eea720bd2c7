"""An order that was judged lost and executed all the same shows in the position first: it must not count twice."""

from decimal import Decimal

from sqlmodel import Session

from copytrade import clock
from copytrade.accounts import queries as accounts
from copytrade.copying import outcomes, reconciling
from copytrade.copying.outcomes import Told
from copytrade.copying.reconciling import Reading
from copytrade.domain.fills import AccountState, Equity
from copytrade.domain.instruments import PositionSide
from copytrade.domain.orders import Outcome, OutcomeKind
from tests.integration.copying.desk import BTC, Desk, desk, placed

D = Decimal
NOTHING = Equity(D(0), D(0), D(0), D(0), clock.now())


def read(on: Desk, held: str) -> None:
    now = clock.now()
    state = AccountState(NOTHING, {(BTC, PositionSide.NET): D(held)} if D(held) else {}, "", now, now)
    reconciling.look(on.session, Reading(accounts.ref(on.session, on.market.copy), state, now))


def losing_an_exit(session: Session) -> tuple[Desk, Told]:
    """A leg whose exit was carried out, and judged lost since nobody could see it; and its fill, when it shows."""
    on = desk(session)
    on.copy("1")
    on.lead("-1")
    sending = on.sending()
    on.tell(sending, Outcome(OutcomeKind.UNKNOWN, clock.real_now()))
    outcomes.write(on.session, [Told(sending.order_id, is_lost=True)])
    return on, Told(sending.order_id, found=placed(sending).order)


def test_what_a_reading_lacks_is_not_taken_over_while_a_lost_order_may_have_done_it(session: Session) -> None:
    on, late = losing_an_exit(session)
    for _ in range(4):
        on.later(11)
        read(on, "0")
        assert on.leg().held == 1
    outcomes.write(on.session, [late])
    assert (on.leg().held, on.leg().target) == (0, 0)
    assert all(part.kind != "late" for part in on.parts())


def test_it_is_taken_over_when_no_lost_order_turned_up_for_two_minutes(session: Session) -> None:
    on, _ = losing_an_exit(session)
    on.later(130)
    read(on, "0")
    on.later(6)
    read(on, "0")
    assert on.leg().held == 0


def test_what_he_opened_against_his_copy_holds_the_next_entry_at_once(session: Session) -> None:
    """He sold more than the copy: its rest is his own, and what opened against it would close it."""
    on = desk(session)
    on.copy("1")
    for _ in range(2):
        on.later(11)
        read(on, "-0.5")
    assert (on.leg().held, on.leg().target) == (0, 0)
    on.lead("1")
    assert on.claim().sendings == []
    assert on.leg().waits_for == "held_back"
