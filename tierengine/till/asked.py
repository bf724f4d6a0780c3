"""What a caller asks of a member's money, read strictly: holds and their ends, transfers, adjustments.

Raises Malformed with everything that is wrong in the form; what the state allows is decided under the member's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from typing import Final

from tierengine.judging.bounds import MONEY_MOST
from tierengine.judging.clock import Clock
from tierengine.judging.forms import Form
from tierengine.recording.acts import Adjust, PlaceHold, Transfer
from tierengine.zone import DAY, Zone

OF_HOLD: Final = ("member", "order", "wallet", "amount", "expires_at", "store")
OF_CAPTURE: Final = ("amount",)
OF_ADJUSTMENT: Final = ("wallet", "amount", "reason", "by", "second", "last_day", "source_id")
OF_TRANSFER: Final = ("to", "wallet", "amount", "reason", "by", "source_id")
REASON_MOST: Final = 500


def read_hold(raw: Mapping[str, object], *, store: str, now_us: int, again: bool = False) -> tuple[str, PlaceHold]:
    """Return the member's code and the hold that `raw` asks for. `store` "": the caller names one.

    again  it was answered before, so that its end may have passed meanwhile
    """
    form = _form(raw, OF_HOLD)
    member, order, wallet = (_required(form, name) for name in ("member", "order", "wallet"))
    amount = _amount(form, 1)
    store = form.store(store)
    if not store and not form.has("/store"):
        form.wrong("/store", "missing")
    expires_at: int | None = None
    if raw.get("expires_at") is not None:
        # (The reader of times refuses what lies ahead; here nothing else makes sense, to the end of a year.)
        expires_at = form.instant("expires_at", Clock(now_us + 366 * DAY, UTC, None))
        if not again and not form.has("/expires_at") and expires_at <= now_us:
            form.wrong("/expires_at", "in_the_past")
    form.end()
    cluster = f"order:{store}:{order}"
    return member, PlaceHold(f"hold:{store}:{order}:{wallet}", wallet, amount, cluster, expires_at)


def read_capture(raw: Mapping[str, object]) -> int | None:
    """Return the amount to capture; None: all that is left."""
    form = _form(raw, OF_CAPTURE)
    amount = None if raw.get("amount") is None else _amount(form, 1)
    form.end()
    return amount


def read_void(raw: Mapping[str, object]) -> None:
    """Check that nothing was sent that would be ignored."""
    _form(raw, ()).end()


def read_adjustment(raw: Mapping[str, object], zone: Zone, key: str) -> Adjust:
    """Return the adjustment; its own number makes it one for ever, else `key` does."""
    form = _form(raw, OF_ADJUSTMENT)
    wallet, by = _required(form, "wallet"), _required(form, "by")
    amount = _amount(form, -MONEY_MOST)
    if amount == 0 and not form.has("/amount"):
        form.wrong("/amount", "out_of_range", least=1, most=MONEY_MOST)
    reason, second, key = _reason(form), form.identifier("/second", raw.get("second")) or "", _key(form, "adjust", key)
    expires_at = None
    if raw.get("last_day") is not None and (day := form.date("/last_day", raw["last_day"])) is not None:
        expires_at = zone.end_of(date.fromisoformat(day))
    form.end()
    return Adjust(key, wallet, amount, reason, by, second, expires_at)


def read_transfer(raw: Mapping[str, object], key: str) -> tuple[str, Transfer]:
    """Return the receiver's code and the transfer."""
    form = _form(raw, OF_TRANSFER)
    to, wallet, by = (_required(form, name) for name in ("to", "wallet", "by"))
    amount, reason, key = _amount(form, 1), _reason(form), _key(form, "transfer", key)
    form.end()
    return to, Transfer(key, wallet, amount, reason, by)


def _form(raw: Mapping[str, object], known: tuple[str, ...]) -> Form:
    form = Form(raw, "command")
    form.only(known)
    return form


def _required(form: Form, name: str) -> str:
    found = form.identifier(f"/{name}", form.raw.get(name))
    if found is None and not form.has(f"/{name}"):
        form.wrong(f"/{name}", "missing")
    return found or ""


def _amount(form: Form, least: int) -> int:
    if form.raw.get("amount") is None:
        form.wrong("/amount", "missing")
        return 0
    return form.integer("/amount", form.raw["amount"], least, MONEY_MOST)


def _reason(form: Form) -> str:
    found = form.text("/reason", form.raw.get("reason", ""), REASON_MOST, "NFC")
    if found is None and not form.has("/reason"):
        form.wrong("/reason", "missing")
    return found or ""


def _key(form: Form, kind: str, otherwise: str) -> str:
    own = form.identifier("/source_id", form.raw.get("source_id"))
    return f"{kind}:{own or otherwise}"
