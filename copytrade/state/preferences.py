"""Language and colours, for strangers too; whoever is signed in finds them again elsewhere."""

import reflex as rx
from reflex.state import OnLoadInternalState

from copytrade.i18n.catalogue import known
from copytrade.i18n.voice import Voice
from copytrade.state.asking import Who, action
from copytrade.state.language import YEAR, Language
from copytrade.state.work import change
from copytrade.users import service as users
from copytrade.users.queries import Person

GAINS = ("green", "blue", "red-up")


class Preferences(rx.State):
    """How the person likes the pages."""

    gains: str = rx.Cookie("green", name="gains", path="/", max_age=YEAR, same_site="lax")

    @action(Who.PUBLIC)
    async def choose_language(self, asker: Person | None, voice: Voice, locale: str | list[str]) -> object:
        """Switch the language; the page's rows load anew, for they are formatted on the server."""
        language = await self.get_state(Language)
        language.locale = known(str(locale))
        if asker is not None:
            await change(users.set_locale, user_id=asker.id, locale=language.locale)
        return [
            rx.call_script(f"document.documentElement.lang='{language.locale}'"),
            OnLoadInternalState.on_load_internal,
        ]

    @action(Who.PUBLIC)
    async def choose_gains(self, asker: Person | None, voice: Voice, gains: str | list[str]) -> object:
        """Switch the colours of gain and loss."""
        self.gains = str(gains) if gains in GAINS else GAINS[0]
        return rx.call_script(f"document.documentElement.dataset.gains='{self.gains}'")
