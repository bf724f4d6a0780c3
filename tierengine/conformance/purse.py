"""What the member of a sandbox has: his balances, and a wallet to play with, filled where a desk's key allows it."""

from __future__ import annotations

from typing import Any, Final

from tierengine.conformance.sandbox import Sandbox, Skipped

GIVEN: Final = 1_000  # of a wallet's unit; below the limit above which a second person is asked for


def balances(box: Sandbox) -> list[tuple[str, int, int, int]]:
    """Return (wallet, available, held, debt) of each wallet."""
    return [(one["wallet"], one["available"], one["held"], one["debt"]) for one in _wallets(box)]


def wallet(box: Sandbox, least: int = 0) -> dict[str, Any]:
    """Return a wallet of which so much may be used, money before points; Skipped where there is none."""
    found = sorted(_wallets(box), key=lambda one: one["unit"] == "points")
    for one in found:
        if one["usable"] >= least:
            return dict(one)
    if found and box.desk:
        owed = max(-found[0]["usable"], 0) + found[0]["debt"]
        said = {"wallet": found[0]["wallet"], "amount": owed + least + GIVEN, "reason": "conformance", "by": "sandbox"}
        path = f"/v1/members/{box.member}/adjustments"
        box.send("POST", path, said, {"Idempotency-Key": box.number("k")}, key=box.desk).expect(201)
        return {**found[0], "usable": least + GIVEN}
    raise Skipped(
        f"会员 {box.member} 没有可用的额度；换一位会员，或用 --desk-key 给一把 sales_manager 密钥，由它先记一点",
        f"{box.member} has nothing to spend; name another member, or a sales manager's key (--desk-key) to give some",
    )


def hold_of(box: Sandbox, name: str, amount: int) -> dict[str, Any]:
    """Return the body of a hold for a new order."""
    said = {"member": box.member, "order": box.number("H"), "wallet": name, "amount": amount}
    return {**said, **({"store": box.store} if box.store else {})}


def _wallets(box: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = box.get(f"/v1/members/{box.member}/balance").expect(200).body["wallets"]
    return found
