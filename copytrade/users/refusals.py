"""Why registering or signing in was refused: codes that a form's answer carries, and the sentence for each."""

from copytrade.errors import Conflict, InvalidInput, LimitReached, NotSignedIn


class EmailInvalid(InvalidInput):
    """What was typed is no e-mail address that can receive mail."""

    code = "email_invalid"
    text = "That is not an e-mail address. Please check it."

    def __init__(self, reason: str) -> None:
        super().__init__(f"e-mail was refused: {reason}", user=self.text, field="email")


class EmailTaken(Conflict):
    """Somebody has registered with this address already."""

    code = "email_taken"
    text = "Somebody has already registered with this e-mail address. Sign in instead?"

    def __init__(self) -> None:
        super().__init__("e-mail was taken", user=self.text, field="email")


class PasswordTooShort(InvalidInput):
    """The password has fewer characters than we ask for."""

    code = "password_short"
    text = "The password is too short: it needs at least 12 characters."

    def __init__(self) -> None:
        super().__init__("password was too short", user=self.text, field="password")


class PasswordTooLong(InvalidInput):
    """The password is longer than we hash."""

    code = "password_long"
    text = "The password is too long: at most 128 characters."

    def __init__(self) -> None:
        super().__init__("password was too long", user=self.text, field="password")


class PasswordCommon(InvalidInput):
    """The password is among the first that are tried."""

    code = "password_common"
    text = "This password is too easy to guess. Please take another one."

    def __init__(self) -> None:
        super().__init__("password was common", user=self.text, field="password")


class RoleMissing(InvalidInput):
    """Neither trader nor subscriber was chosen."""

    code = "role_missing"
    text = "Choose whether you want to be copied, to copy, or both."

    def __init__(self) -> None:
        super().__init__("no role was chosen", user=self.text, field="roles")


class TermsNotAccepted(InvalidInput):
    """The risk notice and the terms were not accepted."""

    code = "terms_missing"
    text = "Please read and accept the terms and the risk notice."

    def __init__(self) -> None:
        super().__init__("terms were not accepted", user=self.text, field="accepted_terms")


class WrongLogin(NotSignedIn):
    """E-mail and password do not belong together; which of them was wrong is not told."""

    code = "wrong_login"
    text = "E-mail or password is wrong."

    def __init__(self) -> None:
        super().__init__("e-mail or password was wrong", user=self.text)


class WrongPassword(InvalidInput):
    """The old password, asked for again, does not fit."""

    code = "wrong_password"
    text = "The old password is wrong."

    def __init__(self) -> None:
        super().__init__("old password was wrong", user=self.text, field="old")


class TooManyAttempts(LimitReached):
    """Too many attempts from one place or at one account."""

    code = "too_many"
    text = "Too many attempts. Please wait a few minutes and try again."

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was tried too often", user=self.text)


class SignInUnavailable(LimitReached):
    """Attempts cannot be counted at the moment, so none is let through."""

    code = "busy"
    status = 503
    text = "Signing in is not possible at this moment. Please try again shortly."

    def __init__(self) -> None:
        super().__init__("attempts could not be counted", user=self.text)


SENTENCES: dict[str, str] = {
    refusal.code: refusal.text
    for refusal in (
        EmailInvalid,
        EmailTaken,
        PasswordTooShort,
        PasswordTooLong,
        PasswordCommon,
        RoleMissing,
        TermsNotAccepted,
        WrongLogin,
        WrongPassword,
        TooManyAttempts,
        SignInUnavailable,
    )
}
"""What a page shows for the code that `?error=` carries."""
