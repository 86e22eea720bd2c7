"""var/demo.json: where everything is and who may log in, for people and for checks from outside."""

import json
from pathlib import Path
from typing import Any

from workers.launching.home import Home


def describe(home: Home, *, people: dict[str, Any], processes: dict[str, list[int]]) -> dict[str, Any]:
    """Return what var/demo.json says."""
    return {
        "web": home.web_url,
        "sandbox": home.sandbox_url,
        "mail": f"{home.sandbox_url}/mail",
        "users": people.get("users", []),
        "exchange_accounts": people.get("exchange_accounts", []),
        "processes": processes,
    }


def write(file: Path, *, content: dict[str, Any]) -> None:
    """Replace `file` in one step; it holds the demo's passwords and keys, so only its owner reads it."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content, indent=2))
    fresh.replace(file)


def welcome(content: dict[str, Any]) -> str:
    """Return what the terminal shows once all is up."""
    rows = [("web", content["web"]), ("mail", content["mail"]), ("sandbox", content["sandbox"])]
    lines = ["", "CopyTrade is up. Ctrl-C ends it and keeps the data.", ""]
    lines += [f"  {name:<12}{address}" for name, address in rows]
    if content["users"]:
        width = max(len(user["email"]) for user in content["users"]) + 2
        lines += ["", f"  {'log in as':<12}{'e-mail':<{width}}password"]
        lines += [f"  {user['role']:<12}{user['email']:<{width}}{user['password']}" for user in content["users"]]
    return "\n".join([*lines, ""])
