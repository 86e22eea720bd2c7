"""The form that links another account: where, for what, how its key is made, and what came of the check."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx
from sqlmodel import Session

from copytrade.accounts import queries as accounts
from copytrade.accounts import reasons, service
from copytrade.accounts.reasons import State
from copytrade.accounts.rows import AccountRow
from copytrade.domain.instruments import Market, Role, Venue
from copytrade.errors import NotFound
from copytrade.i18n import instructions
from copytrade.i18n.names import place_name, venue_name
from copytrade.i18n.voice import Voice
from copytrade.settings import settings
from copytrade.state.account_names import account_name
from copytrade.state.asking import Page, Who, action, live
from copytrade.state.ids import id_of
from copytrade.state.work import change, read
from copytrade.users.queries import Person

MARKETS = (Market.PERPETUAL, Market.SPOT)
MODES = {
    "live": "real money",
    "testnet": "the exchange's demo trading",
    "sandbox": "our practice exchange",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to choose from."""

    value: str
    name: str


def served() -> list[tuple[Venue, Market]]:
    """Return the exchanges and markets that can be linked, perpetuals first."""
    return sorted(accounts.places(), key=lambda place: (list(Venue).index(place[0]), MARKETS.index(place[1])))


class Linking(Page, rx.State):
    """What was chosen so far; of what is typed only the name ever comes here."""

    venue: str = Venue.BINANCE.value
    market: str = Market.PERPETUAL.value
    role: str = Role.COPY.value
    mode: str = ""
    venues: list[Offer] = []
    markets: list[Offer] = []
    modes: list[Offer] = []
    may_lead: bool = False
    may_copy: bool = False
    place: str = ""
    venue_told: str = ""
    steps: list[str] = []
    address_step: str = ""
    addresses: list[str] = []
    last_steps: list[str] = []
    asks_passphrase: bool = False
    outcome: str = ""
    """Empty, `checking`, `linked` or `refused`."""
    wrong: str = ""
    """The field that could not be used."""
    refusal: str = ""
    hint: str = ""
    title: str = ""
    form_round: int = 0
    _account_id: str = ""

    @action(Who.USER)
    async def open(self, asker: Person, voice: Voice) -> None:
        """Choose what the address asks for: a link to this page names exchange, market and role."""
        asked = self.router.url.query_parameters
        for name in ("venue", "market", "role"):
            if asked.get(name):
                setattr(self, name, asked[name][:20])
        self.may_lead, self.may_copy = asker.is_trader, asker.is_subscriber
        self._settle(voice)

    @live(Who.USER, "user:{asker}", every=30.0)
    async def watch(self, asker: Person, voice: Voice) -> None:
        """Offer what can be linked, and tell how the check of what was typed last goes."""
        self.may_lead, self.may_copy = asker.is_trader, asker.is_subscriber
        self._settle(voice)
        if self._account_id:
            self._told(await read(_linked, owner=asker.id, account_id=id_of(self._account_id)), voice)

    @action(Who.USER)
    async def choose(self, asker: Person, voice: Voice, name: str, value: str | list[str]) -> None:
        """Choose exchange, market, role or mode; what is typed already stays."""
        if name in ("venue", "market", "role", "mode"):
            setattr(self, name, str(value)[:20])
        self._settle(voice)

    @action(Who.USER)
    async def link(self, asker: Person, voice: Voice, form: dict[str, Any]) -> Any:
        """Seal what was typed and have a worker check it; nothing secret stays here."""
        before = id_of(self._account_id) if self.outcome == "refused" else None
        self.outcome, self.refusal, self.hint = "", "", ""
        made = await change(
            _link,
            before=before,
            owner=asker.id,
            venue=self.venue,
            market=self.market,
            role=self.role,
            mode=self.mode or None,
            label=str(form.get("label", "")),
            api_key=str(form.get("api_key", "")),
            api_secret=str(form.get("api_secret", "")),
            passphrase=str(form.get("passphrase", "")),
        )
        self._account_id, self.outcome = str(made), "checking"
        return Linking.watch

    def _settle(self, voice: Voice) -> None:
        """Hold the choice to what is offered, and say how the key is made there."""
        offered = served()
        known = {venue.value for venue, _ in offered}
        self.venue = self.venue if self.venue in known else offered[0][0].value
        markets = [market for venue, market in offered if venue == self.venue]
        self.market = self.market if self.market in markets else markets[0].value
        roles = [role for role, may in ((Role.COPY, self.may_copy), (Role.LEAD, self.may_lead)) if may]
        self.role = self.role if self.role in roles else next(iter(roles), Role.COPY).value
        self.mode = self.mode if self.mode in settings().exchange_modes else settings().exchange_modes[0]
        self.venues = [Offer(venue.value, venue_name(venue)) for venue in Venue if venue.value in known]
        self.markets = [Offer(market.value, "") for market in markets]
        self.modes = [Offer(mode, voice.say(MODES.get(mode, mode))) for mode in settings().exchange_modes]
        venue, market, role = Venue(self.venue), Market(self.market), Role(self.role)
        self.place, self.venue_told = place_name(voice, venue, market), venue_name(venue)
        self.steps = instructions.before_addresses(voice, venue=venue, market=market, role=role, mode=self.mode)
        self.address_step = instructions.addresses(voice, venue=venue)
        self.addresses = accounts.addresses()
        self.last_steps = instructions.after_addresses(voice, venue=venue)
        self.asks_passphrase = venue is Venue.BITGET

    def _told(self, row: AccountRow | None, voice: Voice) -> None:
        """Tell how the check goes. The form is emptied once the key works; until then it keeps what was typed."""
        if row is None:
            self._account_id, self.outcome = "", ""
            return
        self.title = account_name(row, voice)
        if row.state == State.CHECKING:
            self.outcome = "checking"
        elif row.state == State.REFUSED:
            self.outcome = "refused"
            self.refusal = voice.say(reasons.sentence(row.reason))
            self.hint = instructions.hint(voice, reason=row.reason, venue=row.venue)
        else:
            self.form_round += self.outcome != "linked"
            self.outcome, self.refusal, self.hint, self._account_id = "linked", "", "", ""


def _linked(session: Session, *, owner: UUID, account_id: UUID) -> AccountRow | None:
    try:
        return accounts.account(session, owner=owner, account_id=account_id)
    except NotFound:
        # Put aside on another page, or tidied away.
        return None


def _link(session: Session, *, before: UUID | None, owner: UUID, **typed: Any) -> UUID:
    """Link an account; the refused try before it is put aside with that."""
    if before is not None and _linked(session, owner=owner, account_id=before) is not None:
        service.result(session, owner=owner, account_id=before)
    return service.link(session, owner=owner, **typed)
