"""Problems P2xx: keys."""

from __future__ import annotations

from typing import Final

from rules.catalogue.entry import Entry

KEYS: Final[dict[str, Entry]] = {
    "P201": Entry(
        "不认识的键", "Unknown key",
        "{about}里没有“{found}”这个键", "{about} has no key “{found}”",
        "从可以写的键里选一个，中英文都行。", "Choose one of the allowed keys, in either language.",
        guesses=True,
    ),
    "P202": Entry(
        "重复的键", "Duplicate key",
        "“{found}”写了两次（前一次在第 {about} 行）", "“{found}” stands twice (first on line {about})",
        "只留一个；中英文两种写法算同一个键。", "Keep one; the two languages of a key are the same key.",
    ),
    "P203": Entry(
        "缺少键", "Missing key",
        "{about}缺少“{allowed}”", "{about} lacks “{allowed}”",
        "补上这个键。", "Add the key.",
    ),
    "P204": Entry(
        "形式不对", "Wrong shape",
        "{about}应该写成{allowed}，这里是{found}", "{about} must be {allowed}, not {found}",
        "参照说明里的写法；列表用 [ ] 或“- ”，一组键用“键: 值”。",
        "See the grammar; a list is written with [ ] or `- `, a mapping as `key: value`.",
    ),
    "P205": Entry(
        "只能写一个", "More than one of several",
        "{about}里 {allowed} 只能写一个，这里写了 {found}", "{about} takes only one of {allowed}; here are {found}",
        "只留一个。", "Keep one of them.",
    ),
    "P206": Entry(
        "必须写一个", "None of several",
        "{about}要写 {allowed} 中的一个", "{about} needs one of {allowed}",
        "补上其中一个。", "Add one of them.",
    ),
    "P207": Entry(
        "编号写法不对", "Malformed id",
        "“{found}”不能作编号", "“{found}” cannot be an id",
        "编号用字母、数字、下划线、连字符或汉字，以字母或汉字开头，最多 64 个字符。",
        "An id has letters, digits, underscore, hyphen or Chinese characters, begins with a letter, at most 64.",
    ),
    "P208": Entry(
        "没有内容", "Nothing there",
        "{about}没有内容", "{about} is empty",
        "写上内容，或者删除这个键。", "Write its content, or delete the key.",
    ),
    "P209": Entry(
        "编号已有别的意思", "Reserved id",
        "“{found}”在条件里已有别的意思，不能作指标的编号", "“{found}” already means something in conditions",
        "换一个编号。", "Choose another id.",
    ),
    "P210": Entry(
        "这里不起作用的键", "Key without effect",
        "“{found}”在{about}里不起作用", "“{found}” has no effect in {about}",
        "删除它，或改用它起作用的写法。", "Delete it, or use the form in which it counts.",
    ),
    "P211": Entry(
        "文字被逗号截断", "Text cut by a comma",
        "“{found}”被逗号截成了单独的一个键", "A comma has cut “{found}” off and made it a key of its own",
        "{ } 里的文字有英文逗号时要加引号，或改用中文逗号；数字不写逗号。",
        "Put a text with a comma into quotes when it stands in { }; write a number without its comma.",
    ),
    "P212": Entry(
        "条目太多", "Too many entries",
        "{about}最多 {allowed} 条", "{about} takes at most {allowed} entries",
        "合并相近的条目。", "Merge entries that are alike.",
    ),
}  # fmt: skip
