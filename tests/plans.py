"""Every statement of the program, and how each database would answer it: by which columns of which tables.

A statement is a text of a module, or one that stands in a function; a text that is part of another is looked at within
that one. Plans are those of a book without rows, on the session that records.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import api
import tierengine
from tierengine.store.dialect import Link, translate
from tierengine.store.rows import tables

_SQL = re.compile(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b(?!,).*\b(FROM|UPDATE|INTO)\b", re.DOTALL)
_SPEAKS = re.compile(r"\b(SELECT|UPDATE|DELETE FROM|INSERT INTO)\b")
# A table is named, and maybe by another name.
_NAMED = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO|,)\s+(\w+)(?:\s+(?:AS\s+)?(?!ON\b|WHERE\b|SET\b)(\w+))?")
# What all rows of a dealer, of a webhook or of a state have in common tells none of them apart.
COMMON = frozenset(("dealer_id", "webhook_id", "state", "kind"))
# What one of the databases has not, or is never asked.
_ELSEWHERE = {
    "sqlite": re.compile(r"pg_|current_setting|json_build_array|named\.key"),
    "postgresql": re.compile(r"json_group_array|%s"),
}
_NOT_OURS = re.compile(r"\.migrations\b|\.__main__$|^api\.app$|\.personal\.keystore$")


@cache
def _sources() -> Mapping[str, ast.Module]:
    """Return the modules that speak SQL."""
    found = {}
    for root in (tierengine, api):
        for path in sorted(Path(root.__path__[0]).rglob("*.py")):
            name = ".".join((root.__name__, *path.relative_to(root.__path__[0]).with_suffix("").parts))
            text = path.read_text(encoding="utf-8")
            if _SPEAKS.search(text) and not _NOT_OURS.search(name):
                found[name.removesuffix(".__init__")] = ast.parse(text)
    return found


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, tuple, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for name in value.__dataclass_fields__:
            yield from _texts(getattr(value, name, None))


@cache
def statements() -> dict[str, str]:
    """Return every text that is a statement, or begins one: text → module and name, or module and function."""
    found: dict[str, str] = {}
    for module, tree in _sources().items():
        for name, value in vars(importlib.import_module(module)).items():
            if not name.startswith("__"):
                found |= {text: f"{module}.{name}" for text in _texts(value) if _SQL.match(text)} | found
        for function, node in _in_functions(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.match(node.value):
                found.setdefault(node.value, f"{module}.{function}")
    return found


def made() -> set[str]:
    """Return the functions that put a statement together, which is known only when they are called."""
    found = set()
    for module, tree in _sources().items():
        for function, node in _in_functions(tree):
            if isinstance(node, ast.JoinedStr):
                text = "".join(str(one.value) if isinstance(one, ast.Constant) else "?" for one in node.values)
                if _SQL.match(text):
                    found.add(f"{module}.{function}")
    return found


def _in_functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield (name of the function, node) of all that stands in a module's functions; doc strings are left out."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            said = function.body[1:] if ast.get_docstring(function) else function.body
            nodes = [node for statement in said for node in ast.walk(statement)]
            pieces = {id(one) for node in nodes if isinstance(node, ast.JoinedStr) for one in node.values}
            yield from ((function.name, node) for node in nodes if id(node) not in pieces)


def wide(link: Link) -> dict[str, list[str]]:
    """Return the statements that read a whole table or a whole index, or all that one dealer has in it, and where.

    `module.name` → the tables; RuntimeError for what cannot be planned and is no part of another.
    """
    every = statements()
    texts = {text: translate(text, link.kind)[0].strip() for text in every}
    whole = "\n".join(texts.values())
    found: dict[str, list[str]] = {}
    for text, where in every.items():
        asked = texts[text]
        part = "{" in asked or whole.count(asked) > 1
        if part or _ELSEWHERE[link.kind].search(asked):
            continue
        try:
            read = read_whole(link, text)
        except Exception as problem:
            raise RuntimeError(f"{where}: {asked}") from problem
        if read:
            found.setdefault(where, []).extend(sorted(read))
    return found


def read_whole(link: Link, sql: str) -> set[str]:
    """Return the tables of which a statement reads all, or all of a dealer's."""
    asked = translate(sql, link.kind)[0]
    return (_of_sqlite if link.kind == "sqlite" else _of_postgresql)(link, asked)


def explained(link: Any, sql: str) -> str:
    """Return the plan of a statement, in the words of its database."""
    asked = translate(sql, link.kind)[0]
    if link.kind == "sqlite":
        return str(link.raw.execute(f"EXPLAIN QUERY PLAN {asked}", ["[]"] * _places(asked, "?")).fetchall())
    return json.dumps(_planned(link, asked))


def _places(asked: str, mark: str) -> int:
    return max((int(number) for number in re.findall(rf"\{mark}(\d+)", asked)), default=0)


def _aliases(asked: str) -> Mapping[str, str]:
    """Return which table each name stands for."""
    return {alias or name: name for name, alias in _NAMED.findall(asked) if name in tables()} | {
        name: name for name in tables()
    }


def _of_sqlite(link: Any, asked: str) -> set[str]:
    names, found = _aliases(asked), set()
    values = ["[]"] * _places(asked, "?")
    for row in link.raw.execute(f"EXPLAIN QUERY PLAN {asked}", values).fetchall():
        step = re.match(r"(SCAN|SEARCH) (\w+)(.*)", row[3])
        if step is None or (table := names.get(step[2])) is None:
            continue
        columns = set(re.findall(r"(\w+|<expr>)[=<>]\?", step[3]))
        if step[1] == "SCAN" or "AUTOMATIC" in step[3] or columns <= COMMON:
            found.add(table)
    return found


def _of_postgresql(link: Any, asked: str) -> set[str]:
    return set(_scans(link, _planned(link, asked)))


def _planned(link: Any, asked: str) -> Any:
    link.raw.execute(f"PREPARE asked AS {asked}")
    try:
        count = _places(asked, "$")
        given = f"({', '.join(['NULL'] * count)})" if count else ""
        plan = link.raw.execute(f"EXPLAIN (FORMAT JSON) EXECUTE asked{given}").fetchall()[0][0]
    finally:
        link.raw.execute("DEALLOCATE asked")
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def _scans(link: Any, node: Mapping[str, Any]) -> Iterator[str]:
    table = node.get("Relation Name")
    if table in tables() and node["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan"):
        inner = [node] if node["Node Type"] != "Bitmap Heap Scan" else list(_bitmaps(node))
        if any(not _narrow(link, one) for one in inner):
            yield table
    for one in node.get("Plans", ()):
        yield from _scans(link, one)


def _bitmaps(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for one in node.get("Plans", ()):
        if one["Node Type"] == "Bitmap Index Scan":
            yield one
        yield from _bitmaps(one)


def _narrow(link: Any, node: Mapping[str, Any]) -> bool:
    """Whether an index is searched by its first column, and by one that tells rows apart."""
    condition = node.get("Index Cond", "")
    first = link.raw.execute(
        "SELECT a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] WHERE c.relname = %s",
        (node.get("Index Name", ""),),
    ).fetchall()
    columns = set(re.findall(r"[(,\s]\"?(\w+)\"?(?:\)::text)? (?:=|<|>|<=|>=|IS NULL)(?!\w)", condition))
    columns |= set(re.findall(r"->> '(\w+)'::text\) =", condition))
    columns |= {one for row in re.findall(r"ROW\(([^)]*)\)", condition) for one in re.findall(r"\w+", row)}
    return bool(first) and first[0][0] in columns and not columns <= COMMON
