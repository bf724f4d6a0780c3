"""Sales, quotes and reads over HTTP against the floors, and how they grow with the number of members."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.bench import bare
from tests.bench.stage import Load, Request, Stage, load, now_text, order, service

OURS, FLOOR = "api.app:create_app", "tests.bench.bare:create_app"
ROUNDS = 3
_PAIR = ("bare", "ours")


def sales(stage: Stage, clients: int, workers: int, count: int) -> dict[str, list[Load]]:
    """Return runs of the bare endpoint and of ours, in turn, on the same server."""
    bare.prepare(stage.url, [stage.member(number) for number in range(stage.members)])
    found: dict[str, list[Load]] = {name: [] for name in _PAIR}
    with (
        service(FLOOR, {"BENCH_URL": stage.url}, workers) as floor,
        service(OURS, {"TIERENGINE_DATABASE_URL": stage.url}, workers) as ours,
    ):
        for turn in range(ROUNDS + 1):  # the first one warms up and is not counted
            for name, port in (("bare", floor), ("ours", ours)):
                run = load(port, clients, _sales(stage, name, f"{clients}-{turn}", count if turn else count // 4))
                if set(run.statuses) - {"200", "201"}:
                    raise RuntimeError(f"{name}: {run.statuses}")
                if turn:
                    found[name].append(run)
    return found


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


def reads(stages: Sequence[Stage], count: int) -> dict[int, dict[str, list[Load]]]:
    """Return member reads and quotes at several sizes of the book, in turn."""
    found: dict[int, dict[str, list[Load]]] = {stage.members: {"read": [], "quote": []} for stage in stages}
    for turn in range(ROUNDS + 1):
        for stage in stages:
            with service(OURS, {"TIERENGINE_DATABASE_URL": stage.url}) as port:
                headers = _headers(stage, "r")
                read: list[Request] = [
                    ("GET", f"/v1/members/{stage.member(number * 7919)}", headers, "") for number in range(count)
                ]
                quote: list[Request] = [
                    ("POST", "/v1/quotes", headers, json.dumps(order(stage, number * 7919, "r")))
                    for number in range(count)
                ]
                for name, requests in (("read", read), ("quote", quote)):
                    load(port, 1, requests[: count // 4])
                    run = load(port, 1, requests)
                    if set(run.statuses) != {"200"}:
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
    path, charged = ("/sales", {}) if name == "bare" else ("/v1/sales", {"prices": [36_000, 58_000]})
    return [
        (
            "POST",
            path,
            _headers(stage, f"{name}-{tag}-{number}"),
            json.dumps({**order(stage, number, f"{name}-{tag}"), "occurred_at": now_text(number), **charged}),
        )
        for number in range(count)
    ]
