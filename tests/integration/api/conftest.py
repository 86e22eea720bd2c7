"""A browser and a program that talk to the API."""

from collections.abc import Generator

import pytest
from redis import Redis
from sqlmodel import Session
from starlette.testclient import TestClient

from copytrade.api.app import api
from copytrade.settings import settings


@pytest.fixture
def browser(session: Session) -> Generator[TestClient]:
    """A browser that is on our own pages: it sends the origin, follows no redirect, keeps cookies."""
    with Redis.from_url(settings().redis_url) as valkey:
        valkey.flushall()
    headers = {"Origin": settings().web_url, "Sec-Fetch-Site": "same-origin", "User-Agent": "Firefox"}
    with TestClient(api, base_url=settings().web_url, headers=headers, follow_redirects=False) as client:
        yield client


@pytest.fixture
def program(session: Session) -> Generator[TestClient]:
    """A program: neither origin nor cookies."""
    with TestClient(api, base_url=settings().web_url, follow_redirects=False) as client:
        yield client
