"""Money as tables for spreadsheets, sent as they are read; and the ways back from Stripe's onboarding."""

from fastapi import Response
from fastapi.responses import RedirectResponse, StreamingResponse

from copytrade import clock
from copytrade.api.callers import SignedIn
from copytrade.api.routing import contract
from copytrade.db.session import transaction
from copytrade.payments import connect
from copytrade.payments.sheets import rows_of, sheet_named
from copytrade.settings import settings
from copytrade.state.sheets import line_of

router = contract("4 · payments")
_EARNINGS = "/earnings"


@router.get("/payments/sheets/{name}", response_class=StreamingResponse)
def sheet(name: str, caller: SignedIn) -> StreamingResponse:
    """Give a table as CSV: payments, earnings, entries and payouts of one's own; all else is for operators."""
    which = sheet_named(name)
    rows = rows_of(which, asker=caller.id)
    file = f"{which.value}-{clock.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return StreamingResponse(map(line_of, rows), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/payouts/onboarding", status_code=303, response_class=RedirectResponse)
def onboarding(caller: SignedIn) -> Response:
    """Send a trader to Stripe's onboarding with a fresh link: Stripe leads here when its own has run out."""
    with transaction() as session:
        url = connect.onboarding_url(session, owner=caller.id)
    return RedirectResponse(url, status_code=303)


@router.get("/payouts/onboarded", status_code=303, response_class=RedirectResponse)
def onboarded(caller: SignedIn) -> Response:
    """Take a trader back who comes from Stripe's onboarding, and look how he stands now."""
    with transaction() as session:
        connect.look_again(session, owner=caller.id)
    return RedirectResponse(settings().web_url + _EARNINGS, status_code=303)
