import urllib.error
import urllib.request
from threading import Thread

import pytest
from starlette.testclient import TestClient

from copytrade.api import health
from copytrade.engines import Engines
from copytrade.settings import settings
from workers import inner


def test_the_probes_tell_that_everything_is_there(program: TestClient) -> None:
    assert program.get("/livez").json() == {"status": "ok"}
    ready = program.get("/readyz")
    assert ready.status_code == 200
    assert set(ready.json()["checks"].values()) == {"ok"}


def test_a_database_behind_the_code_is_not_ready(program: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_head", lambda: "9999")
    ready = program.get("/readyz")
    assert ready.status_code == 503
    assert "9999" in ready.json()["checks"]["migrations"]


def test_figures_are_for_this_machine_only(program: TestClient) -> None:
    program.get("/api/v1/nothing")
    program.post("/api/v1/logout", json={})
    told = program.get("/metrics")
    assert told.status_code == 200
    assert 'copytrade_http_requests_total{method="POST",route="/api/v1/logout",status="204"}' in told.text
    assert "copytrade_database_up 1.0" in told.text
    assert 'copytrade_copying_waiting{what="orders_unknown"} 0.0' in told.text
    assert program.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404


def test_every_answer_carries_the_headers_that_keep_browsers_safe(program: TestClient) -> None:
    for answer in (program.get("/livez"), program.get("/api/v1/nothing"), program.post("/api/v1/login", json={})):
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'self'" in policy
        assert settings().web_url.replace("http", "ws", 1) in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_body_beyond_the_bound_is_refused(program: TestClient) -> None:
    def endless():
        for _ in range(40):
            yield b"x" * 65_536

    assert program.post("/api/v1/login", content=b"x" * 2_000_000).status_code == 413
    answer = program.post("/api/v1/login", content=endless(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_the_inner_port_answers_the_same(database: Engines) -> None:
    server = inner.serve(0)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        base = f"http://{inner.HOST}:{server.server_address[1]}"
        for path, told in (("/livez", b"ok"), ("/readyz", b"ok"), ("/metrics", b"copytrade_http_seconds")):
            with urllib.request.urlopen(base + path) as answer:
                assert told in answer.read()
        with pytest.raises(urllib.error.HTTPError) as missing:
            urllib.request.urlopen(f"{base}/other")
        assert missing.value.code == 404
        missing.value.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
