"""Sales, quotes and reads over HTTP against the floors, and how they grow with the number of members."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import psycopg

from tests.bench import bare
from tests.bench.flushes import Disk
from tests.bench.stage import Load, Request, Stage, load, now_text, order, service
from tests.faults.service import Service

OURS, FLOOR = "api.app:serving", "tests.bench.bare:create_app"
ROUNDS = 3
_PAIR = ("bare", "ours")


def sales(stage: Stage, clients: int, workers: int, count: int) -> dict[str, list[Load]]:
    """Return runs of the bare endpoint and of `serve`, in turn, on the same server.

    With several workers also those of the bare endpoint on workers that share their connections as `serve` has them
    ("shared"): with uvicorn's own, all of 32 clients may be one worker's, or half, as it happens.
    """
    bare.prepare(stage.url, [stage.member(number) for number in range(stage.members)])
    floor = {"BENCH_URL": stage.url}
    with ExitStack() as opened:
        ports = {"bare": opened.enter_context(service(FLOOR, floor, workers))}
        if workers > 1:
            ports["shared"] = opened.enter_context(service(FLOOR, floor, workers, shared=True))
        ports["ours"] = opened.enter_context(Service(stage, workers, {"TIERENGINE_DEADLINE_MS": "60000"})).port
        found: dict[str, list[Load]] = {name: [] for name in ports}
        for turn in range(ROUNDS + 1):  # the first one warms up and is not counted
            for name, port in ports.items():
                run = load(port, clients, _sales(stage, name, f"{clients}-{turn}", count if turn else count // 4))
                if set(run.statuses) - {"200", "201"}:
                    raise RuntimeError(f"{name}: {run.statuses}")
                if turn:
                    found[name].append(run)
    return found


@dataclass(frozen=True)
class Embedded:
    """Runs of one service on one SQLite file, and how many flushes of the disk each of its sales took."""

    runs: list[Load] = field(default_factory=list)
    flushes: list[float] = field(default_factory=list)


def embedded(stage: Stage, disk: Disk, clients: int, count: int) -> dict[str, Embedded]:
    """Return runs on one SQLite file: the bare endpoint, which commits each sale, ours, and ours in groups of one.

    One process at a time writes the file, so each run has a service of its own, which is warmed first. All three are on
    the same disk.
    """
    ours = {"TIERENGINE_DATABASE_URL": stage.url}
    services = {
        "bare": (FLOOR, {"BENCH_URL": stage.url}),
        "ours": (OURS, ours),
        "alone": (OURS, {**ours, "TIERENGINE_GROUP_SIZE": "1", "TIERENGINE_DEADLINE_MS": "60000"}),
    }
    found = {name: Embedded() for name in services}
    for turn in range(ROUNDS):
        for name, (app, environ) in services.items():
            with service(app, {**environ, **disk.environ}) as port:
                for part, some in (("warm", max(count // 8, clients)), ("run", count)):
                    before = disk.flushes()
                    tag = f"{disk.commit_ms}-{turn}-{part}"
                    run = load(port, clients, _sales(stage, name, tag, some))
                    if set(run.statuses) - {"200", "201"}:
                        raise RuntimeError(f"{name}: {run.statuses}")
            found[name].runs.append(run)
            found[name].flushes.append((disk.flushes() - before) / count)
    return found


def redeems(stage: Stage, clients: int, rounds: int) -> dict[str, list[Load]]:
    """Return rounds in which every client asks for one member's last credit at once; exactly one gets it."""
    member, amount = stage.member(0), 10_000
    bare.prepare(stage.url, [member])
    found: dict[str, list[Load]] = {name: [] for name in _PAIR}
    with (
        service(FLOOR, {"BENCH_URL": stage.url}) as floor,
        service(OURS, {"TIERENGINE_DATABASE_URL": stage.url}) as ours,
        psycopg.connect("postgresql://" + stage.url.partition("://")[2], autocommit=True) as beside,
    ):
        for turn in range(rounds + 1):
            beside.execute("UPDATE bare_balance SET balance = %s", (amount,))
            given = {"wallet": "parts_credit", "amount": amount, "reason": "bench", "by": "bench"}
            granting = {**_headers(stage, f"g{turn}"), "Authorization": f"Bearer {stage.desk}"}
            # (Twice: the second is a replay. Of one request there are no percentiles.)
            grant: Request = ("POST", f"/v1/members/{member}/adjustments", granting, json.dumps(given))
            _all(load(ours, 1, [grant, grant]), 2)
            taking = {"member": member, "amount": amount}
            asked: dict[str, list[Request]] = {
                "bare": [("POST", "/redeems", _headers(stage, ""), json.dumps(taking))] * clients,
                "ours": [_redeem(stage, member, amount, f"r{turn}-{number}") for number in range(clients)],
            }
            for name, port in (("bare", floor), ("ours", ours)):
                run = load(port, clients, asked[name])
                won = run.statuses.get("200", 0) + run.statuses.get("201", 0)
                if won != 1 or run.statuses.get("409") != clients - 1:
                    raise RuntimeError(f"{name}: {run.statuses}")
                if turn:
                    found[name].append(run)
    return found


def _redeem(stage: Stage, member: str, amount: int, number: str) -> Request:
    lines = [{"item": "FILTER-01", "category": "parts", "qty": 1, "list": amount}]
    said = {"member": member, "order": number, "occurred_at": now_text(), "lines": lines, "prices": [amount]}
    body = json.dumps(said | {"credit": {"parts_credit": amount}})
    return "POST", "/v1/sales", _headers(stage, number), body


def _all(run: Load, count: int) -> None:
    if sum(number for status, number in run.statuses.items() if status in ("200", "201")) != count:
        raise RuntimeError(f"{run.statuses}")


def quotes(stage: Stage, count: int) -> dict[str, list[Load]]:
    """Return runs of an endpoint that does nothing, of a quote with every reason, and of one without."""
    names = ("empty", "explained", "plain")
    found: dict[str, list[Load]] = {name: [] for name in names}
    with (
        service(FLOOR, {"BENCH_URL": stage.url}) as floor,
        service(OURS, {"TIERENGINE_DATABASE_URL": stage.url}) as ours,
    ):
        paths = {"empty": "/quotes", "explained": "/v1/quotes", "plain": "/v1/quotes?explain=none"}
        for turn in range(ROUNDS + 1):
            for name in names:
                headers = _headers(stage, f"q{turn}")
                requests: list[Request] = [
                    ("POST", paths[name], headers, json.dumps(order(stage, number * 7919, f"q{turn}")))
                    for number in range(count)
                ]
                run = load(floor if name == "empty" else ours, 1, requests)
                if set(run.statuses) != {"200"}:
                    raise RuntimeError(f"{name}: {run.statuses}")
                if turn:
                    found[name].append(run)
    return found


def reads(stages: Sequence[Stage], clients: int, workers: int, count: int) -> dict[int, dict[str, list[Load]]]:
    """Return member reads, quotes and sales at several sizes of the book, in turn."""
    names = ("read", "quote", "sale")
    found: dict[int, dict[str, list[Load]]] = {stage.members: {name: [] for name in names} for stage in stages}
    with ExitStack() as opened:
        ports = [
            opened.enter_context(service(OURS, {"TIERENGINE_DATABASE_URL": stage.url}, workers)) for stage in stages
        ]
        for turn in range(ROUNDS + 1):  # the first one warms up and is not counted
            for stage, port in zip(stages, ports, strict=True):
                headers, some = _headers(stage, "r"), range(count if turn else max(count // 4, clients))
                asked: dict[str, list[Request]] = {
                    "read": [("GET", f"/v1/members/{stage.member(one * 7919)}", headers, "") for one in some],
                    "quote": [
                        ("POST", "/v1/quotes", headers, json.dumps(order(stage, one * 7919, "r"))) for one in some
                    ],
                    "sale": _sales(stage, "ours", f"r{clients}-{turn}", len(some)),
                }
                for name in names:
                    run = load(port, clients, asked[name])
                    if set(run.statuses) - {"200", "201"}:
                        raise RuntimeError(f"{name}: {run.statuses}")
                    if turn:
                        found[stage.members][name].append(run)
    return found


def seed(stage: Stage, events: int) -> None:
    """Record some sales, so that reads have something to read."""
    with service(OURS, {"TIERENGINE_DATABASE_URL": stage.url}) as port:
        run = load(port, 32, _sales(stage, "ours", "seed", events))
    if set(run.statuses) != {"201"}:
        raise RuntimeError(f"seed: {run.statuses}")


def _headers(stage: Stage, key: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {stage.key}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }


def _sales(stage: Stage, name: str, tag: str, count: int) -> list[Request]:
    # A till that asked for a quote says what it charged: it is checked again under the member's lock.
    bare_one = name in ("bare", "shared")
    path, charged = ("/sales", {}) if bare_one else ("/v1/sales", {"prices": [36_000, 58_000]})
    return [
        (
            "POST",
            path,
            _headers(stage, f"{name}-{tag}-{number}"),
            json.dumps({**order(stage, number, f"{name}-{tag}"), "occurred_at": now_text(number), **charged}),
        )
        for number in range(count)
    ]
