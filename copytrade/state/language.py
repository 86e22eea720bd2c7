"""Language and time zone of the person, kept in cookies that the page itself may read."""

import reflex as rx

from copytrade.i18n.voice import Voice

YEAR = 31_536_000


class Language(rx.State):
    """What the cookies say; `first.js` fills them on the first visit."""

    locale: str = rx.Cookie("en", name="locale", path="/", max_age=YEAR, same_site="lax")
    zone: str = rx.Cookie("", name="zone", path="/", max_age=YEAR, same_site="lax")


async def voice_of(state: rx.State) -> Voice:
    """Return the voice for whoever sent this event."""
    language = await state.get_state(Language)
    return Voice.of(language.locale, language.zone)
