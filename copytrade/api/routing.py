"""Routers of the contracts: all under one prefix, all with the same form of failure."""

from fastapi import APIRouter

from copytrade.api.answers import ProblemAnswer

PREFIX = "/api/v1"


def contract(title: str) -> APIRouter:
    """Return the router of one contract of the mission."""
    return APIRouter(prefix=PREFIX, tags=[title], responses={"default": {"model": ProblemAnswer}})
