import json
import logging
from collections.abc import Generator

import pytest
import structlog

from copytrade import logs
from copytrade.settings import settings


@pytest.fixture
def restored() -> Generator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        "GET https://fapi.binance.com/x?symbol=B&signature=CANARY&recvWindow=1",
        "{'X-MBX-APIKEY': 'CANARY', 'x': 1}",
        '{"apiKey":"CANARY","secret":"CANARY"}',
        "Authorization: Bearer CANARY",
        "ACCESS-SIGN=CANARY ACCESS-PASSPHRASE: CANARY",
        "X-BAPI-API-KEY: CANARY",
        "api_secret=CANARY&listenKey=CANARY",
        "cookie: session=CANARY",
        "password = 'CANARY'",
        "sk_test_CANARY1234567",
    ],
)
def test_telling_pairs_are_struck_out_of_texts(text: str) -> None:
    assert "CANARY" not in logs.cleaned_text(text)


def test_harmless_texts_stay_as_they_are() -> None:
    text = "order 17 of BTC/USDT:USDT was refused: -2019 margin is insufficient, secretary"
    assert logs.cleaned_text(text) == text


def test_the_installations_own_secrets_are_struck_out_wherever_they_stand() -> None:
    for secret in (settings().pepper, settings().service_token_key, settings().stripe_key):
        assert secret.get_secret_value() not in logs.cleaned_text(f"x{secret.get_secret_value()}y")


@pytest.mark.usefixtures("restored")
def test_one_json_line_an_event_from_both_worlds(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("tests")
    structlog.get_logger().info("order.sent", account="a1", api_key="CANARY", nested={"secret": "CANARY", "n": 1})
    logging.getLogger("ccxt.base").warning("POST /order?signature=%s", "CANARY")
    told = lines(capsys.readouterr().err)
    assert [line["event"] for line in told] == ["order.sent", "POST /order?signature=***"]
    assert told[0]["nested"] == {"secret": "***", "n": 1}
    assert {line["process"] for line in told} == {"tests"}
    assert told[1]["logger"] == "ccxt.base"


@pytest.mark.usefixtures("restored")
def test_tracebacks_are_cleaned_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("tests")
    try:
        raise ValueError("https://x/?apiKey=CANARY")
    except ValueError:
        structlog.get_logger().exception("call.failed")
    (line,) = lines(capsys.readouterr().err)
    assert "ValueError" in str(line["exception"])
    assert "CANARY" not in json.dumps(line)
