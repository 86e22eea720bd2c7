from collections.abc import Generator
from datetime import timedelta

import pytest
from redis import Redis
from sqlmodel import Session, col, select

from copytrade import clock
from copytrade.db.events import Event
from copytrade.errors import CopyTradeError, InvalidInput, NotFound
from copytrade.settings import settings
from copytrade.users import queries, service
from copytrade.users.models import User, UserSession
from copytrade.users.refusals import EmailTaken, TooManyAttempts, WrongLogin, WrongPassword
from tests.integration.users.people import PASSWORD, alice, bob, mallory

HOME = "198.51.100.7"


@pytest.fixture(autouse=True)
def _uncounted(session: Session) -> Generator[None]:
    with Redis.from_url(settings().redis_url) as valkey:
        valkey.flushall()
    yield
    clock.set_offset(timedelta())


def log_in(session: Session, *, password: str = PASSWORD, email: str = "alice@copytrade.example", address: str = HOME):
    return service.log_in(session, email=email, password=password, address=address, user_agent="Firefox")


def test_alice_registers_and_signs_in(session: Session) -> None:
    alice(session)
    person, token = log_in(session, email=" ALICE@CopyTrade.example ")
    assert person.is_trader
    assert not person.is_subscriber
    assert queries.person_of_token(session, token) == person
    assert session.exec(select(Event.kind).where(Event.user_id == person.id)).all() == ["user.registered"]


def test_neither_password_nor_token_is_stored(session: Session) -> None:
    alice(session)
    _, token = log_in(session)
    user, row = session.exec(select(User)).one(), session.exec(select(UserSession)).one()
    assert user.password_hash.startswith("$argon2id$")
    assert PASSWORD not in repr(user)
    assert user.password_hash not in repr(user)
    assert token.encode() != row.token_hash
    assert row.network == "198.51.100.0"


def test_a_wrong_password_and_an_unknown_address_are_told_alike(session: Session) -> None:
    alice(session)
    with pytest.raises(WrongLogin) as wrong:
        log_in(session, password="not the secret at all")
    with pytest.raises(WrongLogin) as unknown:
        log_in(session, email="nobody@copytrade.example")
    with pytest.raises(WrongLogin) as malformed:
        log_in(session, email="no address")
    assert wrong.value.user == unknown.value.user == malformed.value.user


def test_an_address_registers_once_however_it_is_written(session: Session) -> None:
    alice(session)
    with pytest.raises(EmailTaken):
        service.register(
            session,
            email="Alice@COPYTRADE.example",
            password=PASSWORD,
            is_trader=False,
            is_subscriber=True,
            accepted_terms=True,
        )
    assert len(session.exec(select(User)).all()) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "alice"}, "email_invalid"),
        ({"email": ""}, "email_invalid"),
        ({"email": "a" * 300 + "@copytrade.example"}, "email_invalid"),
        ({"email": "alice@copytrade.example\x00"}, "email_invalid"),
        ({"email": "alice@localhost"}, "email_invalid"),
        ({"password": "elevenchars"}, "password_short"),
        ({"password": "x1y2" * 33}, "password_long"),
        ({"password": "Password1234"}, "password_common"),
        ({"password": "aaaaaaaaaaaa"}, "password_common"),
        ({"password": "alice@copytrade.example"}, "password_common"),
        ({"is_trader": False}, "role_missing"),
        ({"accepted_terms": False}, "terms_missing"),
    ],
)
def test_bad_registrations_say_why_and_store_nothing(session: Session, change: dict[str, object], code: str) -> None:
    good = {"email": "alice@copytrade.example", "password": PASSWORD, "is_trader": True, "accepted_terms": True}
    with pytest.raises(CopyTradeError) as refused:
        service.register(session, is_subscriber=False, **(good | change))  # pyright: ignore[reportArgumentType]
    assert refused.value.code == code
    assert refused.value.user.text
    assert session.exec(select(User)).all() == []


def test_the_same_password_in_another_unicode_form_signs_in(session: Session) -> None:
    typed, composed = "cafe\u0301 am morgen", "caf\u00e9 am morgen"
    service.register(
        session,
        email="alice@copytrade.example",
        password=typed,
        is_trader=True,
        is_subscriber=False,
        accepted_terms=True,
    )
    assert log_in(session, password=composed)[0].is_trader


def test_the_sixth_attempt_at_an_account_waits_but_its_owner_elsewhere_does_not(session: Session) -> None:
    alice(session)
    for _ in range(5):
        with pytest.raises(WrongLogin):
            log_in(session, password="not the secret at all")
    with pytest.raises(TooManyAttempts):
        log_in(session)
    assert log_in(session, address="203.0.113.9")[0].is_trader


def test_many_accounts_tried_from_one_address_are_stopped(session: Session) -> None:
    alice(session)
    for number in range(20):
        with pytest.raises(WrongLogin):
            log_in(session, email=f"victim{number}@copytrade.example")
    with pytest.raises(TooManyAttempts):
        log_in(session)


def test_right_logins_are_never_too_many(session: Session) -> None:
    alice(session)
    assert len({log_in(session)[1] for _ in range(25)}) == 25


def test_a_session_ends_idle_old_or_revoked(session: Session) -> None:
    alice(session)
    _, token = log_in(session)
    clock.set_offset(timedelta(hours=23))
    assert queries.person_of_token(session, token)
    session.expire_all()
    clock.set_offset(timedelta(hours=46))
    assert queries.person_of_token(session, token), "it was seen in between"
    session.expire_all()
    clock.set_offset(timedelta(hours=71))
    assert queries.person_of_token(session, token) is None


def test_a_session_that_is_always_in_use_ends_after_two_weeks(session: Session) -> None:
    alice(session)
    _, token = log_in(session)
    for half_day in range(28):
        clock.set_offset(timedelta(hours=12 * half_day))
        session.expire_all()
        assert queries.person_of_token(session, token), half_day
    session.expire_all()
    clock.set_offset(timedelta(days=14, minutes=1))
    assert queries.person_of_token(session, token) is None


def test_signing_out_ends_the_session(session: Session) -> None:
    alice(session)
    _, token = log_in(session)
    service.log_out(session, token=token)
    assert queries.person_of_token(session, token) is None


def test_mallory_cannot_end_alices_session(session: Session) -> None:
    person, outsider = alice(session), mallory(session)
    _, token = log_in(session)
    (row,) = queries.sessions(session, user_id=person.id)
    with pytest.raises(NotFound):
        service.revoke_session(session, user_id=outsider.id, session_id=row.id)
    assert queries.person_of_token(session, token)
    service.revoke_session(session, user_id=person.id, session_id=row.id)
    assert queries.person_of_token(session, token) is None


def test_a_new_password_ends_every_other_session(session: Session) -> None:
    person = alice(session)
    (_, here), (_, there) = log_in(session), log_in(session)
    with pytest.raises(WrongPassword):
        service.change_password(session, user_id=person.id, old="not it", new="another long secret", keep_token=here)
    service.change_password(session, user_id=person.id, old=PASSWORD, new="another long secret", keep_token=here)
    assert queries.person_of_token(session, here)
    assert queries.person_of_token(session, there) is None
    with pytest.raises(WrongLogin):
        log_in(session)
    assert log_in(session, password="another long secret")[0] == person


def test_a_sign_in_from_a_new_network_is_told(session: Session) -> None:
    person = alice(session)
    log_in(session)
    log_in(session, address="198.51.100.99")
    log_in(session, address="203.0.113.9")
    told = session.exec(select(Event).where(Event.kind == "user.signed_in_elsewhere")).all()
    assert [(event.user_id, event.facts["network"]) for event in told] == [(person.id, "203.0.113.0")]


def test_what_bob_sets_of_himself_is_checked(session: Session) -> None:
    person = bob(session)
    service.set_locale(session, user_id=person.id, locale="ru")
    service.set_theme(session, user_id=person.id, theme="dark")
    service.set_timezone(session, user_id=person.id, timezone="Europe/Berlin")
    service.set_name(session, user_id=person.id, name="  Bob\x00   Builder ")
    session.flush()
    seen = queries.person(session, person.id)
    assert (seen.locale, seen.theme, seen.timezone, seen.name) == ("ru", "dark", "Europe/Berlin", "Bob Builder")
    for wrong in (
        lambda: service.set_locale(session, user_id=person.id, locale="xx"),
        lambda: service.set_theme(session, user_id=person.id, theme="pink"),
        lambda: service.set_timezone(session, user_id=person.id, timezone="../../etc/passwd"),
        lambda: service.set_name(session, user_id=person.id, name="x" * 61),
    ):
        with pytest.raises(InvalidInput):
            wrong()


def test_the_first_operator_is_made_with_a_password_that_is_told_once(session: Session) -> None:
    person, password = service.make_operator(session, email="operator@copytrade.example")
    session.commit()
    assert password
    assert log_in(session, email=person.email, password=password)[0].is_operator
    again, none = service.make_operator(session, email="operator@copytrade.example")
    assert (again.id, none) == (person.id, None)
    bobs, none = service.make_operator(session, email=bob(session).email)
    assert bobs.is_subscriber
    assert none is None
    assert {one.id for one in queries.operators(session)} == {person.id, bobs.id}
    assert session.exec(select(User).where(col(User.is_operator))).all()
