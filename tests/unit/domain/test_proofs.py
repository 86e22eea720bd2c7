from datetime import timedelta

from copytrade.domain.proofs import AFTER_PROOF, PROVABLE_S, is_proof, next_look_up, proof_at
from tests.unit.domain.copying import START

WINDOW, LOST_AFTER = timedelta(seconds=5), timedelta(seconds=10)


def test_an_order_may_arrive_for_the_window_after_it_was_signed_or_after_its_senders_lease() -> None:
    lease = START + timedelta(seconds=20)
    signed = proof_at(sent_at=START, lease_until=lease, window=WINDOW, lost_after=LOST_AFTER)
    unrecorded = proof_at(sent_at=None, lease_until=lease, window=WINDOW, lost_after=LOST_AFTER)
    assert (signed, unrecorded) == (START + timedelta(seconds=15), START + timedelta(seconds=35))
    assert proof_at(sent_at=None, lease_until=None, window=WINDOW, lost_after=LOST_AFTER) is None


def test_nothing_is_proven_before_its_time() -> None:
    assert not is_proof(until=START, real_now=START - timedelta(microseconds=1))
    assert is_proof(until=START, real_now=START)
    assert not is_proof(until=None, real_now=START)


def test_look_ups_come_seldomer_but_as_soon_as_absence_is_a_proof() -> None:
    until = START + timedelta(seconds=15)
    early = next_look_up(checks=6, is_lost=False, until=until, real_now=START)
    assert early == until + AFTER_PROOF
    late = next_look_up(checks=8, is_lost=False, until=until, real_now=until)
    assert late == until + timedelta(seconds=PROVABLE_S)


def test_an_order_judged_lost_is_watched_for_hours_and_not_for_ever() -> None:
    at = [next_look_up(checks=checks, is_lost=True, until=None, real_now=START) for checks in (0, 8, 9)]
    assert at == [START + timedelta(seconds=5), START + timedelta(hours=6), None]
