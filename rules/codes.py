"""The codes that tills and files of the trade write into text fields, and a value that looks like a slip of one.

A field of text takes any word, since every dealer has his own; so a policy that asks `规格: 大型` of events that say
`large` reads well and never holds. A value is noted where it is a code's name, or a code in full-width letters or in
quotes, unless an example of the policy carries it in that field: then it is the dealer's own word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from rules.desk import Desk
from rules.policy import Example
from rules.values import plain
from rules.vocabulary import ATTRIBUTES

# fmt: off
CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "size": {"small": "小型", "medium": "中型", "large": "大型"},
    "machine_kind": {
        "excavator": "挖掘机", "wheel_loader": "装载机", "bulldozer": "推土机", "roller": "压路机", "crane": "起重机",
        "grader": "平地机", "forklift": "叉车",
    },
    "payment_mode": {"cash": "全款", "mortgage": "按揭", "finance_lease": "融资租赁", "instalment": "分期"},
    "direction": {"ours": "我方主动", "customer": "客户主动"},
    "channel": {"phone": "电话", "visit": "走访", "counter": "柜台", "online": "线上"},
    "tenure": {"owned": "自有", "rented": "租用"},
    "severity": {"ordinary": "一般", "serious": "严重"},
    "segment": {"key_account": "大客户", "benchmark": "标杆客户", "ordinary": "普通客户"},
    "form": {"person": "个人", "firm": "公司"},
}
# fmt: on
"""Field or attribute → code → its Chinese name, as policies.yaml and the demo write them."""

_QUOTES: Final = "“”‘’「」『』\"'"
_SET_BY: Final = {item.id: item.set_by[1] for item in ATTRIBUTES.values()}


def misspelt_codes(desk: Desk, examples: Iterable[Example]) -> None:
    """Note each compared value that is another way to write a code of its field and that no example carries."""
    carried = {pair for example in examples for event in example.given for pair in _carried(event)}
    for name, node, about in desk.compared:
        meant = meant_by(name, node.text)
        if meant and (_SET_BY.get(name, name), node.text.strip()) not in carried:
            desk.note("P527", node, node.text, CODES[name], about, meant=meant)


def meant_by(name: str, text: str) -> str:
    """Return the code of a field that `text` spells otherwise: by its name, in full-width letters, in quotes; or ""."""
    codes = CODES.get(name, {})
    word = text.strip()
    if word in codes:
        return ""
    bare = plain(word).strip(_QUOTES)
    found = [code for code, zh in codes.items() if bare.casefold() == code or bare == zh]
    return found[0] if found else ""


def _carried(event: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    lines = event.get("lines", ())
    for fields in (event, *(lines if isinstance(lines, list | tuple) else ())):
        if isinstance(fields, Mapping):
            yield from ((key, value) for key, value in fields.items() if isinstance(value, str))
