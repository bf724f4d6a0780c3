"""The one door to durable-rules, and the narrow lane in which it is fast, right and cannot crash.

The C module `durable_rules_engine` is called directly: no `Host`, whose timer threads steal results. A handle holds
rules of one program and serves one judgement at a time. A judgement asserts one fact, of integers only and under an id
of our own, drains the names of the rules that fired, and retracts it. An answer that the lane does not know costs the
handle its life and this one judgement its result; the next judgement runs on a new handle.

Six calls of the library are made, all in this file: create_ruleset, delete_ruleset, assert_fact, retract_fact,
start_action_for_state, complete_and_start_action. Whatever could make one of them hang or crash is refused before, by
`rules.network`. The C code never releases the interpreter lock: more cores are used by more processes.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import durable_rules_engine as library
from orjson import OPT_STRICT_INTEGER, dumps

from rules.network import PhasePlan, plan
from rules.pattern import MAX_INTEGER, EngineFault, FactRefused, Program

# What assert_fact and retract_fact answer, from the library's rules.h. Every other number is a fault.
_DONE: Final = 0
_NOTHING_MATCHED: Final = 1

_REMEMBERED: Final = 4096
"""So many answers of a phase are kept in words: in a book of members they are few, and come again and again."""

# The library finds a fact by its id, so the id is enough to retract it.
_OUR_FACT: Final = '{"id":"f"}'
_FACT_OF_NO_PHASE: Final = '{"id":"f","k":0}'


class Matcher:
    """A compiled program that says which rules fire on a row of facts. Safe for any number of threads.

    Handles are pooled rather than tied to threads: each serves one judgement at a time either way, and every thread
    that ends would leave one behind. There are as many as there ever were judgements at once.
    """

    def __init__(self, program: Program) -> None:
        """Check and compile `program`.

        Raises `EngineLimitExceeded` or `ValueError` before the library sees anything, `EngineFault` if it refuses.
        """
        network = plan(program)
        self.program: Final = program
        self.faults = 0
        """How many handles had to be thrown away. Anything but 0 deserves an alarm."""
        self._phases: Final = network.phases
        self._definitions: Final = network.definitions
        self._lock: Final = threading.Lock()
        self._idle: Final[tuple[list[int], ...]] = tuple([] for _ in network.definitions)
        self._closed = False
        # A handle is a number in C: a matcher that is forgotten instead of closed must not leave it there.
        weakref.finalize(self, _delete_all, self._idle)
        for index, idle in enumerate(self._idle):
            idle.append(self._new_handle(index))

    def match(self, phase: int, values: Sequence[int | str]) -> tuple[str, ...]:
        """Give the ids of the rules that fire on `values`, each once, in the order of their declaration.

        `values` are the phase's fields in order: an `int` within ±2^53 (a truth value as 0 or 1, not as `bool`) or a
        `str`, as the field says. Raises `FactRefused` for any other row, and `EngineFault` if the library fails; the
        next call is unaffected by either. An unknown phase is a `KeyError`.
        """
        at = self._phases[phase]
        if len(values) != at.width:
            _refuse(at, values)
        row: Any = values
        if at.texts:
            row = [*values]
            for column, numbers in at.texts:
                text = row[column]
                if type(text) is not str:
                    _refuse(at, values)
                row[column] = numbers.get(text, 0)
        # One call in C looks at every value: only integers below 2^53 are written with nothing but these characters.
        try:
            sound = dumps(row, None, OPT_STRICT_INTEGER).translate(None, b"-,0123456789") == b"[]"
        except TypeError:
            sound = False
        if not sound:
            _refuse(at, values)
        if not at.fired:
            return ()
        return self._ask(at, at.template % at.pick(row))

    def _ask(self, at: PhasePlan, fact: str) -> tuple[str, ...]:
        idle = self._idle[at.handle]
        try:
            handle = idle.pop()
        except IndexError:
            handle = self._new_handle(at.handle)
        hits: list[str] = []
        try:
            code, state = library.assert_fact(handle, fact)
            if code == _DONE:
                _, answer = library.start_action_for_state(handle, state)
                # No rule fires twice, since its alternatives have no choices in one another: this loop must end early.
                fired = at.fired
                for _ in fired:
                    # {"00a":{"m":{…the fact…}}}
                    name = answer[2:5]
                    if name not in fired:  # then nothing more must be asked of this handle
                        _fault("start_action", answer)
                    hits.append(name)
                    answer = library.complete_and_start_action(handle, state)
                    if answer is None:
                        break
                else:
                    _fault("complete_and_start_action", answer)
                code, _ = library.retract_fact(handle, _OUR_FACT)
                if code != _DONE:
                    _fault("retract_fact", code)
            elif code != _NOTHING_MATCHED:
                _fault("assert_fact", code)
            names = tuple(hits)
            told = at.told.get(names)
            if told is None:
                told = _tell(at, names)
        except BaseException as error:
            self._discard(handle)
            if not isinstance(error, Exception):
                raise
            raise EngineFault(f"{self.program.name}: the rule engine failed in phase {at.number}") from error
        idle.append(handle)
        if self._closed:
            _delete_all(self._idle)
        return told

    def close(self) -> None:
        """Give the handles back; a judgement under way still ends, later ones raise `EngineFault`. Twice is once.

        The library frees a handle's rules but not its state, 13 kB a rule: keep matchers, do not build them anew.
        """
        self._closed = True
        _delete_all(self._idle)

    def _new_handle(self, index: int) -> int:
        if self._closed:
            raise EngineFault(f"{self.program.name}: the matcher is closed")
        handle = None
        try:
            handle = int(library.create_ruleset("p", self._definitions[index]))
            # The library makes its tables at the first fact; now, rather than while somebody waits at a till.
            code, _ = library.assert_fact(handle, _FACT_OF_NO_PHASE)
            if code != _NOTHING_MATCHED:
                _fault("assert_fact", code)
        except Exception as error:
            if handle is not None:
                self._discard(handle)
            raise EngineFault(f"{self.program.name}: the rule engine did not take the program") from error
        return handle

    def _discard(self, handle: int) -> None:
        with self._lock:
            self.faults += 1
        _delete(handle)


def _tell(at: PhasePlan, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the rules that these names of engine rules stand for; KeyError for one that is unknown."""
    positions = {position for name in names for position in at.fired[name]}
    told = tuple([at.order[position] for position in sorted(positions)])
    if len(at.told) < _REMEMBERED:
        at.told[names] = told
    return told


def _delete_all(pools: tuple[list[int], ...]) -> None:
    for idle in pools:
        while idle:
            _delete(idle.pop())


def _delete(handle: int) -> None:
    # Deleting is tidiness: what the library says to it changes nothing for anybody.
    with contextlib.suppress(Exception):
        library.delete_ruleset(handle)


def _refuse(at: PhasePlan, values: Sequence[int | str]) -> None:
    """Refuse a row in words; return if it is right after all, as ±2^53 itself is."""
    if len(values) != at.width:
        raise FactRefused(f"phase {at.number} has {at.width} fields, the row has {len(values)}")
    for column, value in zip(at.fields, values, strict=True):
        if type(value) is not (int if column.kind == "int" else str):
            raise FactRefused(f"{column.name} is {column.kind}, got {type(value).__name__}")
        if isinstance(value, int) and not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise FactRefused(f"{column.name} is beyond ±{MAX_INTEGER}")


def _fault(call: str, answer: object) -> NoReturn:
    raise RuntimeError(f"{call} answered {answer!r}")
