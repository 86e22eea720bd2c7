"""Texts in two languages, and numbers and times as a person reads them. Pure: no web framework here."""

from copytrade.i18n.catalogue import LOCALES, Locale, known, plural_forms, translate
from copytrade.i18n.voice import Figure, Moment, Voice, zone_of

__all__ = ["LOCALES", "Figure", "Locale", "Moment", "Voice", "known", "plural_forms", "translate", "zone_of"]
