"""A member's wallets as of now.

A lot or hold that has lapsed and is not posted yet is shown as the next transaction will post it.
"""

from __future__ import annotations

from typing import Any

from rules.policy.text import title
from tierengine.judging.history import LAST
from tierengine.ledger.deadlines import deadlines
from tierengine.ledger.entries import Balance
from tierengine.ledger.lots import first_out
from tierengine.membership.asker import Asker, last_day, when
from tierengine.membership.known import Known, read_member
from tierengine.membership.reasons import said
from tierengine.membership.stand import Stand, stand
from tierengine.policies.versions import Programme
from tierengine.store.dialect import Link


def balance(link: Link, programme: Programme, code: str, now: int, asker: Asker) -> dict[str, Any]:
    """Return a member's wallets as JSON; call it inside a snapshot."""
    known = read_member(link, programme, code)
    here = stand(known, max((now, LAST, ""), known.head), known.source())
    return {
        "member": known.code,
        **known.joined(),
        "as_of": when(known, now),
        "wallets": wallets(known, here, now, asker),
    }


def wallets(known: Known, here: Stand, now: int, asker: Asker) -> list[dict[str, Any]]:
    """Return each wallet: its lots and its deadlines each sum to `available` + `held`; `debt` is owed.

    `usable` is what may be spent now. A deadline whose `notice` is true lies within the days of notice of the policy.
    """
    policy, programme, book = here.policy, known.programme, known.book(now)
    names = dict.fromkeys((*policy.wallets, *sorted(wallet for wallet, _ in known.accounts)))
    found: list[dict[str, Any]] = []
    for name in names:
        wallet = programme.wallet(name)
        lots = sorted((lot for lot in book.lots if lot.wallet == name and lot.remaining), key=first_out)
        balance = book.balances.get(name, Balance(programme.unit(name)))
        suspended = name in here.judged.suspended
        found.append(
            {
                "wallet": name,
                "title": said(title(wallet.title, name), asker.lang) if wallet is not None else name,
                "unit": programme.unit(name),
                "available": balance.available,
                "usable": 0 if suspended else book.usable(name, now),
                "held": balance.held,
                "debt": balance.debt,
                "suspended": suspended,
                "lots": [
                    {
                        "amount": lot.amount,
                        "remaining": lot.remaining,
                        "held": lot.held,
                        "rule": lot.rule or None,
                        "event": asker.key(lot.event_key),
                        "usable_from": when(known, lot.usable_from),
                        "last_day": last_day(known, lot.expires_at),
                    }
                    for lot in lots
                ],
                "deadlines": [
                    {"last_day": end.last_day.isoformat() if end.last_day else None, "amount": end.amount,
                     "notice": end.notice}
                    for end in deadlines(programme.zone, lots, wallet.notice_days if wallet else (), now)
                ],
                "holds": [
                    {
                        "id": hold.ref,
                        "order": asker.key(hold.order),
                        "amount": hold.amount,
                        "remaining": hold.left,
                        "expires_at": when(known, hold.expires_at),
                    }
                    for hold in book.holds
                    if hold.wallet == name
                ],
            }
        )  # fmt: skip
    return found
