"""What a seeded fault is, and how it is planted into the running process."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing that is broken, and the test that must notice.

    name       a sentence in snake case: what the broken program does
    at         "module:function", "module:Class.method" or "module:CONSTANT" (a text)
    edits      (what stands there once, what stands there then), one after the other
    caught_by  the test that fails, as pytest names it; without edits: a test that plants the fault itself, and passes
               when it is caught
    """

    name: str
    at: str
    edits: tuple[tuple[str, str], ...]
    caught_by: str

    @property
    def area(self) -> str:
        return self.at.partition(":")[0]


class Unplantable(LookupError):
    """The code is not as the fault knows it."""


def plant(fault: Fault) -> None:
    """Break the program in this process, for good: everybody who has the function already has the broken one too."""
    if not fault.edits:
        return
    module_name, _, path = fault.at.partition(":")
    module = import_module(module_name)
    owner: Any = module
    *outer, last = path.split(".")
    for name in outer:
        owner = getattr(owner, name)
    found = inspect.getattr_static(owner, last)
    if isinstance(found, str):
        changed = _edited(fault, found)
        for other in list(sys.modules.values()):  # whoever imported it by name
            if getattr(other, last, None) is found:
                setattr(other, last, changed)
        return
    function = _function(found)
    source = _edited(fault, textwrap.dedent(inspect.getsource(function)))
    # Decorators stay as they are: only what they decorate is changed.
    source = source[source.index("def ") if source.startswith("def ") else source.index("\ndef ") + 1 :]
    made: dict[str, Any] = {}
    code = compile("from __future__ import annotations\n" + source, f"<{fault.name}>", "exec")
    exec(code, {**vars(module)}, made)  # noqa: S102 - the fault is ours
    new = made[function.__name__]
    if new.__code__.co_freevars != function.__code__.co_freevars:
        raise Unplantable(f"{fault.name}: {fault.at} closes over {function.__code__.co_freevars}")
    function.__code__ = new.__code__


def checked(fault: Fault) -> None:
    """Raise Unplantable unless the fault could be planted; nothing is changed."""
    if not fault.edits:
        return
    module_name, _, path = fault.at.partition(":")
    owner: Any = import_module(module_name)
    for name in path.split("."):
        owner = inspect.getattr_static(owner, name, None)
        if owner is None:
            raise Unplantable(f"{fault.name}: there is no {fault.at}")
    text = owner if isinstance(owner, str) else textwrap.dedent(inspect.getsource(_function(owner)))
    compile(_edited(fault, text), fault.name, "exec") if not isinstance(owner, str) else _edited(fault, text)


def _edited(fault: Fault, text: str) -> str:
    for old, new in fault.edits:
        if text.count(old) != 1:
            raise Unplantable(f"{fault.name}: {old!r} stands {text.count(old)} times in {fault.at}, expected once")
        text = text.replace(old, new)
    return text


def _function(found: Any) -> FunctionType:
    """The plain function under decorators."""
    if isinstance(found, property):
        found = found.fget
    while not isinstance(found, FunctionType) or hasattr(found, "__wrapped__"):
        inner: Callable[..., Any] | None = getattr(found, "__func__", None) or getattr(found, "__wrapped__", None)
        if inner is None:
            raise Unplantable(f"{found!r} is no function")
        found = inner
    return found
