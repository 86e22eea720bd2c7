"""Finds every text that the sources show to people: what `ru.po` must say in Russian.

Run as a program it prints what has no translation yet.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3] / "copytrade"
SPEAKERS = {"t", "say", "Said", "mark"}
PLURALS = {"plural", "count"}
FINDINGS = {"Finding": 2, "_problem": 1}
"""Where the text stands among the arguments of what the doctor finds."""
TABLES = {
    "STATES", "ROLES", "RIGHTS", "UNRANKED", "SENTENCES", "REASONS", "WAITS", "TEXTS", "KINDS", "KEY_PAGES", "NEEDS",
    "ADDRESSES", "HINTS", "EXAMINED", "MODES", "OBSTACLES", "SCOPES", "FIGURES", "ORDERS", "ENDS",
}  # fmt: skip
"""Tables of texts at the top of a module, picked from by a code."""


def _constants(tree: ast.Module) -> dict[str, str]:
    named: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    named[target.id] = node.value.value
    return named


def _words(node: ast.expr, named: dict[str, str]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) if name in named:
            yield named[name]
        case ast.IfExp(body=yes, orelse=no):
            yield from _words(yes, named)
            yield from _words(no, named)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _words(value, named)
        case _:
            return


def _table(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values)) if name in TABLES:
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict(values=values)) if name in TABLES:
            pass
        case _:
            return
    for value in values:
        for part in ast.walk(value):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def _texts(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    named = _constants(tree)
    for node in ast.walk(tree):
        yield from ((text, None) for text in _table(node))
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign) and [t.id for t in line.targets if isinstance(t, ast.Name)] == ["text"]:
                    yield from ((text, None) for text in _words(line.value, named))
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SPEAKERS and node.args:
            yield from ((text, None) for text in _words(node.args[0], named))
        if name in FINDINGS and len(node.args) > FINDINGS[name]:
            yield from ((text, None) for text in _words(node.args[FINDINGS[name]], named))
        if name in PLURALS:
            first = 1 if name == "count" else 0
            pair = [text for argument in node.args[first : first + 2] for text in _words(argument, named)]
            if len(pair) == 2:
                yield pair[0], pair[1]
        raises = name[:1].isupper() or name == "__init__"
        for keyword in node.keywords:
            if keyword.arg == "user" and raises:
                yield from ((text, None) for text in _words(keyword.value, named))


def shown() -> dict[str, str | None]:
    """Return each text and, where it counts something, its plural."""
    found: dict[str, str | None] = {}
    for path in sorted(ROOT.rglob("*.py")):
        if path.is_relative_to(ROOT / "sandbox"):
            continue
        for text, many in _texts(ast.parse(path.read_text())):
            if text.strip() and not text.startswith("/"):
                found[text] = many or found.get(text)
    return found


if __name__ == "__main__":
    from copytrade.i18n.catalogue import catalogue

    for text, many in shown().items():
        if text not in catalogue():
            print(repr(text), repr(many) if many else "")
