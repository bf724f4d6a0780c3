"""What `policy explain CODE` tells: for every problem of the catalogue a file that has it, and the file mended.

The examples are Chinese; the English ones are made from them by the converter, except where the mistake is one of
spelling or leaves nothing to convert. In `fails` the sign ▲ stands before the character that the problem is found at;
⟪x×3⟫ is xxx, for files that are wrong by their size, and № in it is 0, 1, 2. A test reads every one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from rules.catalogue import CATALOGUE
from rules.checking import check
from rules.files import check_file
from rules.formatting import translated
from rules.policy import Mark, Policy, Text
from rules.problems import Lang, Problem, Severity, width
from rules.reader import Reading
from rules.source import MAX_NODES
from rules.unexercised import unexercised, without_examples

MARK: Final = "▲"
_TODAY: Final = date(2026, 6, 1)
# Titles, ids and mistakes of the examples, which no converter knows.
_PROSE: Final = {
    "会员": "Member", "金卡客户": "Gold member", "银卡": "Silver member", "金卡客户俱乐部": "Gold Card Club",
    "配件款": "Parts credit", "积分": "Points", "夹子": "Clip", "尼龙搭扣": "Velcro", "欢迎礼": "Welcome gift",
    "常来往": "Regulars", "金卡价": "Gold price", "配件价": "Parts price", "年度金牌": "Best of the year",
    "联系次数": "Contacts", "购机送配件款": "A machine earns parts credit", "次以上": "_and_more",
    "五次以上": "five_and_more", "客户分类": "segment", "购机台数": "machines_bought", "金卡": "Gold",
    "很多": "many", "面议": "negotiable", "一半": "half", "一阵子": "a while", "也许": "maybe", "头一次": "first",
}  # fmt: skip
_CHINESE: Final = re.compile("[\u4e00-\u9fff]+")
_NAMES_A_LINE: Final = ("P202", "P415")  # what they are about is the line of the first of two
_REPEATED: Final = re.compile(r"⟪(.*?)×(\d+)⟫", re.DOTALL)
_INVISIBLE: Final = {"\t": "⇥", "\ufeff": "\N{REPLACEMENT CHARACTER}"}

_NAME: Final = "计划: club\n"
_FACTS: Final = _NAME + "指标:\n  contacts: {次数: 联系走访}\n"
_TIERS: Final = """等级:
  - {编号: member, 名称: 会员}
  - {编号: gold, 名称: 金卡客户, 满足: {contacts: {不低于: 2}}, 保级: {期限: 12 个月, 到期: 降一级}}
"""
_CLUB: Final = _FACTS + _TIERS
_WALLETS: Final = _CLUB + "钱包:\n  credit: {名称: 配件款, 单位: 金额}\n  points: {名称: 积分, 单位: 积分}\n"
_REWARD: Final = _WALLETS + "奖励:\n  welcome: {名称: 欢迎礼, 当: 购机, 记入: credit, 奖励金额: 1000 元}\n"
_POINTS: Final = "  tips: {名称: 欢迎礼, 当: 提供信息, 记入: points, 奖励金额: 50 积分}\n"
_PARTS: Final = (
    "      - {事件: 购买配件, 时间: 2026-01-03, 单号: P1, 明细: [{物料号: A1, 类别: 配件, 数量: 1, 标价: 100 元}]}\n"
)
_LEVELS: Final = (
    _FACTS
    + _TIERS.replace("会员}", "会员, 服务: clip}").replace("金卡客户,", "金卡客户, 服务: velcro,")
    + "服务级别:\n  clip: {名称: 夹子}\n  velcro: {名称: 尼龙搭扣}\n"
)


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of a file that has the problem, and the same piece mended.

    above     what stands above both and is not shown
    english   both pieces in English, where they cannot be made from the Chinese ones
    shown     the failing piece, in both tongues, as it is shown when it is too large
    encoding  in what the failing file is saved
    told      the problem itself, where it takes seconds to find it
    path      what stands in the file's place, where no file can have the problem
    run       what running the examples in the failing piece finds, which is not done here
    """

    fails: str
    mended: str
    above: str = _CLUB
    english: tuple[str, str] | None = None
    shown: tuple[str, str] | None = None
    encoding: str = "utf-8"
    told: Problem | None = None
    path: Path | None = None
    run: Callable[[Policy], tuple[Problem, ...]] | None = None

    def above_in(self, lang: Lang) -> str:
        """Return what stands above, in one tongue."""
        return self.above if lang == "zh" else _english(self.above)

    def failing(self, lang: Lang) -> bytes:
        """Return the whole file that fails."""
        return (self.above_in(lang) + self._fails(lang).replace(MARK, "")).encode(self.encoding)

    def reading(self, lang: Lang) -> Reading:
        """Check the file that fails."""
        reading = check(self.failing(lang), "x", _TODAY) if self.path is None else check_file(self.path)
        if self.run is None or reading.policy is None:
            return reading
        return replace(reading, problems=(*reading.problems, *self.run(reading.policy)))

    def good(self, lang: Lang) -> str:
        """Return the whole file that is mended."""
        return self.above_in(lang) + self.piece(lang)

    def marked(self, lang: Lang) -> Mark | None:
        """Return where the sign stands in the whole file; None where the English piece was made."""
        before, sign, _ = self._fails(lang).partition(MARK)
        lines = (self.above_in(lang) + before).split("\n")
        return Mark(len(lines), len(lines[-1]) + 1) if sign else None

    def piece(self, lang: Lang) -> str:
        """Return the mended piece."""
        if lang == "zh" or self.english is None:
            return _converted(self.above, self.mended, lang)
        return self.english[1]

    def failing_piece(self, lang: Lang) -> str:
        """Return the failing piece as it is shown."""
        if self.shown is not None:
            return self.shown[0 if lang == "zh" else 1]
        return self._fails(lang).replace(MARK, "")

    def _fails(self, lang: Lang) -> str:
        if lang == "en" and self.english is not None:
            return _repeated(self.english[0])
        text = _repeated(self.fails)
        return text if lang == "zh" else _converted(self.above, text.replace(MARK, ""), lang)


def _repeated(text: str) -> str:
    return _REPEATED.sub(lambda match: "".join(match[1].replace("№", str(n)) for n in range(int(match[2]))), text)


def _converted(above: str, piece: str, lang: Lang) -> str:
    """Convert a piece where it stands: what a word means depends on what is around it."""
    return piece if lang == "zh" else _english(above + piece).split("\n", above.count("\n"))[-1]


def _english(text: str) -> str:
    return _CHINESE.sub(lambda match: _PROSE.get(match[0], match[0]), translated(text, "en"))


@dataclass(frozen=True, slots=True)
class Explanation:
    """All there is to say of one problem in one tongue.

    `place` is where it is found in the failing piece; None when that is shown shortened.
    """

    code: str
    severity: Severity
    title: str
    sentence: str
    help: str
    fails: str
    mended: str
    encoding: str
    place: Mark | None

    def lines(self) -> list[str]:
        """Return the failing piece with a caret under the place."""
        lines = [_visible(line) for line in self.fails.rstrip("\n").split("\n")]
        if self.place is None:
            return lines
        at = min(self.place.line, len(lines))
        before = lines[at - 1][: self.place.column - 1]
        return [*lines[:at], " " * width(before) + "^", *lines[at:]]


def explain(code: str, lang: Lang) -> Explanation:
    """Explain a code of the catalogue; KeyError when there is none such."""
    entry, example = CATALOGUE[code], EXAMPLES[code]
    above = example.above.count("\n")
    found = example.told or _found(code, example.reading(lang))
    if code in _NAMES_A_LINE:
        found = replace(found, about=str(int(found.about) - above))
    return Explanation(
        code=code,
        severity=entry.severity,
        title=entry.title_zh if lang == "zh" else entry.title_en,
        sentence=found.message(lang),
        help=entry.help_zh if lang == "zh" else entry.help_en,
        fails=example.failing_piece(lang),
        mended=example.piece(lang),
        encoding=example.encoding,
        place=None if example.shown else Mark(found.mark.line - above, found.mark.column),
    )


def titles() -> dict[str, Text]:
    """List every code with its title."""
    return {code: Text(entry.title_zh, entry.title_en) for code, entry in CATALOGUE.items()}


def _found(code: str, reading: Reading) -> Problem:
    return next(problem for problem in reading.problems if problem.code == code)


def _visible(text: str) -> str:
    return "".join(_INVISIBLE.get(character, character) for character in text)


# ---- the examples --------------------------------------------------------------------------------------------------


def _fact(text: str) -> str:
    return f"指标:\n  contacts: {text}\n"


def _more(text: str) -> str:
    return f"指标:\n  contacts: {{次数: 联系走访}}\n{text}"


def _listed(text: str) -> str:
    return f"名单:\n  often: {{名称: 常来往, 满足: {{{text}}}}}\n"


def _trait(text: str) -> str:
    return f"特点:\n  known: {{名称: 常来往, {text}}}\n"


def _wallet(text: str) -> str:
    return f"钱包:\n  credit: {{名称: 配件款, 单位: 金额, {text}}}\n"


def _price(text: str) -> str:
    return f"价格:\n  gold_price: {{名称: 金卡价, 条件: {{类别: 配件}}, {text}}}\n"


def _reward(text: str) -> str:
    return f"奖励:\n  welcome: {{名称: 欢迎礼, 当: 购机, {text}}}\n"


def _given(text: str) -> str:
    return _reward(f"记入: credit, {text}")


def _ladder(text: str) -> str:
    return _given(f"第几次: {{{text}}}")


def _award(text: str) -> str:
    return f"评选:\n  best: {{名称: 年度金牌, 适用: gold, 评分: {{contacts: 1}}, {text}}}\n"


def _exampled(more: str) -> str:
    """Give an example of each tier, and what the gold member does besides."""
    contacts = "".join(
        f"      - {{事件: 联系走访, 时间: 2026-01-0{n}, 渠道: phone, 方向: ours, 状态: accepted}}\n" for n in (1, 2)
    )
    nobody = "  - {名称: 会员, 已知: [], 应得: {等级为: member}}\n"
    return f"示例:\n{nobody}  - 名称: 金卡客户\n    已知:\n{contacts}{more}    应得: {{等级为: gold}}\n"


def _deep(lists: str, name: str, when: str, title: str, some: str) -> str:
    inside = f"{{{some}: [" * 14 + f"{{{some}: {MARK}[{{contacts: 5}}" + "]}" * 15
    return f"{lists}:\n  often: {{{name}: {title}, {when}: {inside}}}\n"


_MANY: Final = _fact("{次数: 联系走访}") + "⟪  n№: {次数: 联系走访}\n×201⟫"
_KEEP: Final = "保级: {期限: 12 个月, 到期: 降一级}"
_ABOVE_TIERS: Final = "等级:\n  - {编号: member, 名称: 会员}\n"
_GOLD: Final = f"  - {{编号: gold, 名称: 金卡客户, 满足: {{contacts: {{不低于: 2}}}}, {_KEEP}}}\n"
_NO_FACTS: Final = _NAME + _TIERS
_EVERY: Final = "名称: 金卡客户俱乐部\n"
_EVERY_EN: Final = "title: Gold Card Club\n"
_EXAMPLE: Final = (
    "示例:\n  - 名称: 购机送配件款\n    已知: [{{事件: 购机, 时间: 2026-02-01, 单号: M1, 金额: 860000 元}}]\n"
    "    应得: {{得到: {{{}: 1000 元}}}}\n"
)
_SMALL: Final = "计划: club\n等级:\n  - {编号: member, 名称: 会员}\n"
_SMALL_EN: Final = "programme: club\ntiers:\n  - {id: member, title: Member}\n"

EXAMPLES: Final[dict[str, Example]] = {
    # ---- the text ------------------------------------------------------------------------------------------------
    "P101": Example(
        "名称: {中文: 金卡客户俱乐部 英文▲: Gold Card Club}\n", "名称: {中文: 金卡客户俱乐部, 英文: Gold Card Club}\n",
        english=("title: {zh: Club en▲: Gold Card Club}\n", "title: {zh: Club, en: Gold Card Club}\n"),
    ),
    "P102": Example(
        "▲计划: club\n等级:\n  - {编号: member, 名称: 会员}\n", _SMALL, above="", encoding="gbk",
        english=("programme: club\ntiers:\n  - {id: member, title: ▲会员}\n",
                 "programme: club\ntiers:\n  - {id: member, title: 会员}\n"),
    ),
    "P103": Example("名称: 金卡▲\ufeff客户俱乐部\n", _EVERY, english=("title: Gold▲\ufeff Card Club\n", _EVERY_EN)),
    "P104": Example(
        "⟪# 备注\n×19994⟫▲⟪# 备注\n×10⟫", "# 备注\n",
        english=("⟪# note\n×19994⟫▲⟪# note\n×10⟫", "# note\n"),
        shown=("# 备注\n# 备注\n# … 一共 20,010 行\n", "# note\n# note\n# … 20,010 lines\n"),
    ),
    "P105": Example(
        _deep("名单", "名称", "满足", "常来往", "任一"), _listed("任一: [{contacts: {不低于: 5}}]"),
        english=(_deep("lists", "title", "when", "Often", "any"),
                 "lists:\n  often: {title: Often, when: {any: [{contacts: {at_least: 5}}]}}\n"),
    ),
    "P106": Example(
        "名单: [⟪x,×99997⟫▲x, x]\n", _SMALL, above="", told=Problem("P106", Mark(1, 1), "", (str(MAX_NODES),)),
        english=("lists: [⟪x,×99997⟫▲x, x]\n", _SMALL_EN),
        shown=("名单: [x, x, x, …]      # 10 万个\n", "lists: [x, x, x, …]      # 100,000 of them\n"),
    ),
    "P107": Example(
        "名称:\n▲\t中文: 金卡客户俱乐部\n", "名称:\n  中文: 金卡客户俱乐部\n",
        english=("title:\n▲\ten: Gold Card Club\n", "title:\n  en: Gold Card Club\n"),
    ),
    "P108": Example("名称▲：金卡客户俱乐部\n", _EVERY, english=("title▲：Gold Card Club\n", _EVERY_EN)),
    "P109": Example("名称▲:金卡客户俱乐部\n", _EVERY, english=("title▲:Gold Card Club\n", _EVERY_EN)),
    "P110": Example("名称: ▲&club 金卡客户俱乐部\n", _EVERY),
    "P111": Example("名称: ▲*vip\n", '名称: "*vip"\n'),
    "P112": Example("名称: ▲!!str 金卡客户俱乐部\n", _EVERY),
    "P113": Example(
        "▲<<: {名称: 金卡客户俱乐部}\n", _EVERY, english=("▲<<: {title: Gold Card Club}\n", _EVERY_EN)
    ),
    "P114": Example(
        "▲---\n名称: 金卡客户俱乐部\n", _EVERY, english=("▲---\ntitle: Gold Card Club\n", _EVERY_EN)
    ),
    "P115": Example(
        "? ▲[名称, 标题]\n: 金卡客户俱乐部\n", _EVERY, english=("? ▲[title, name]\n: Gold Card Club\n", _EVERY_EN)
    ),
    "P116": Example("▲# 还没有内容\n", _SMALL, above="", english=("▲# nothing yet\n", _SMALL_EN)),
    "P117": Example(
        "⟪备注: 无\n×499⟫▲⟪备注: 无\n×101⟫", "# 备注: 无\n",
        english=("⟪note: x\n×499⟫▲⟪note: x\n×101⟫", "# note: x\n"),
        shown=("备注: 无\n备注: 无\n# … 一共 600 行\n", "note: x\nnote: x\n# … 600 lines\n"),
    ),
    "P118": Example(
        "▲", _SMALL, above="", english=("▲", _SMALL_EN), path=Path("/"),
        shown=("tierengine policy check 政策/\n", "tierengine policy check policies/\n"),
    ),
    "P119": Example(
        '名称: ▲"金卡客户俱乐部\n', '名称: "金卡客户俱乐部"\n',
        english=('title: ▲"Gold Card Club\n', 'title: "Gold Card Club"\n'),
    ),
    "P120": Example(
        "名称:\n  中文: 金卡俱乐部\n▲ 英文: Gold Card Club\n", "名称:\n  中文: 金卡俱乐部\n  英文: Gold Card Club\n",
        english=("title:\n  zh: Club\n▲ en: Gold Card Club\n", "title:\n  zh: Club\n  en: Gold Card Club\n"),
    ),
    "P121": Example(
        "名称: ▲俱乐部: 金卡\n", '名称: "俱乐部: 金卡"\n',
        english=("title: ▲Club: Gold\n", 'title: "Club: Gold"\n'),
    ),
    "P122": Example(
        "币种: CNY▲# 人民币\n", "币种: CNY # 人民币\n",
        english=("currency: CNY▲# yuan\n", "currency: CNY # yuan\n"),
    ),
    # ---- keys ----------------------------------------------------------------------------------------------------
    "P201": Example(
        "▲名但:\n  often: {名称: 常来往, 满足: {contacts: {不低于: 5}}}\n", _listed("contacts: {不低于: 5}"),
        english=("▲list:\n  often: {title: Often, when: {contacts: {at_least: 5}}}\n",
                 "lists:\n  often: {title: Often, when: {contacts: {at_least: 5}}}\n"),
    ),
    "P202": Example(
        "名称: 金卡客户俱乐部\n▲title: Gold Card Club\n", "名称: {中文: 金卡客户俱乐部, 英文: Gold Card Club}\n",
        english=("title: Gold Card Club\n▲名称: 金卡客户俱乐部\n", "title: {zh: 金卡客户俱乐部, en: Gold Card Club}\n"),
    ),
    "P203": Example(
        "奖励:\n  welcome: ▲{名称: 欢迎礼, 当: 购机, 奖励金额: 1000 元}\n",
        _given("奖励金额: 1000 元"), _WALLETS,
    ),
    "P204": Example("名单: ▲[常来往]\n", "名单:\n  常来往: {满足: {contacts: {不低于: 5}}}\n"),
    "P205": Example(_fact("{次数: 联系走访, ▲有记录月数: 联系走访}"), _fact("{有记录月数: 联系走访}"), _NO_FACTS),
    "P206": Example(_fact("▲{名称: 联系次数}"), _fact("{名称: 联系次数, 次数: 联系走访}"), _NO_FACTS),
    "P207": Example(
        "名单:\n  ▲5次以上: {满足: {contacts: {不低于: 5}}}\n", "名单:\n  五次以上: {满足: {contacts: {不低于: 5}}}\n"
    ),
    "P208": Example("币种:▲\n", "币种: CNY\n"),
    "P209": Example(_more("  ▲客户分类: {次数: 购机}\n"), _more("  购机台数: {次数: 购机}\n"), _NO_FACTS),
    "P210": Example(_fact("{次数: 联系走访, ▲范围: 联系走访}"), _fact("{次数: 联系走访}"), _NO_FACTS),
    "P211": Example(
        "名称: {中文: 金卡,▲会员, 英文: Club}\n", '名称: {中文: "金卡,会员", 英文: Club}\n'
    ),
    "P212": Example(
        _listed("任一: [⟪{contacts: 1}, ×1000⟫▲{contacts: 2}]"), _listed("contacts: {不低于: 1}"),
        shown=("名单:\n  often: {满足: {任一: [{contacts: 1}, {contacts: 1}, …]}}      # 1001 条\n",
               "lists:\n  often: {when: {any: [{contacts: 1}, {contacts: 1}, …]}}      # 1001 of them\n"),
    ),
    # ---- values --------------------------------------------------------------------------------------------------
    "P301": Example("经理客户上限: ▲很多\n", "经理客户上限: 10\n"),
    "P302": Example("经理客户上限: ▲0\n", "经理客户上限: 10\n"),
    "P303": Example(_given("奖励金额: ▲1000"), _given("奖励金额: 1000 元"), _WALLETS),
    "P304": Example(_given("奖励金额: ▲1000 美元"), _given("奖励金额: 1000 元"), _WALLETS),
    "P305": Example(_given("奖励金额: ▲面议"), _given("奖励金额: 1000 元"), _WALLETS),
    "P306": Example(_given("奖励金额: ▲9.995 元"), _given("奖励金额: 9.99 元"), _WALLETS),
    "P307": Example(_wallet("最高占比: ▲一半"), _wallet("最高占比: 50%")),
    "P308": Example(_price("实付: ▲95"), _price("实付: 95折")),
    "P309": Example(_price("实付: ▲95% off"), _price("减: 5%")),
    "P310": Example(_price("实付: ▲10折"), _price("实付: 9折")),
    "P311": Example(_fact("{次数: 联系走访, 最近: ▲一阵子}"), _fact("{次数: 联系走访, 最近: 12 个月}"), _NO_FACTS),
    "P312": Example("补录期限: {收银: ▲1 个月}\n", "补录期限: {收银: 30 天}\n"),
    "P313": Example(_price("实付: 95折, 自: ▲2026-02-30"), _price("实付: 95折, 自: 2026-02-28")),
    "P314": Example(
        _trait("认定: {认定人: leader, 有效期: 12 个月, 非本人客户经理: ▲也许}"),
        _trait("认定: {认定人: leader, 有效期: 12 个月, 非本人客户经理: 是}"),
    ),
    "P315": Example(
        _given("奖励金额: 1000 元, 退货时: ▲按比利"), _given("奖励金额: 1000 元, 退货时: 按比例"), _WALLETS,
        english=(
            "rewards:\n  tip: {title: Tip, on: tip, into: credit, amount: 10 CNY, returns: ▲pro_rate}\n",
            "rewards:\n  tip: {title: Tip, on: tip, into: credit, amount: 10 CNY, returns: pro_rata}\n",
        ),
    ),
    "P316": Example(_trait("满足: {客户分类: {▲不低于: benchmark}}"), _trait("满足: {客户分类: benchmark}")),
    "P317": Example(
        _reward("记入: points, 奖励金额: ▲1000 元"), _reward("记入: points, 奖励金额: 1000 积分"), _WALLETS
    ),
    "P318": Example("时区: ▲Asia/Beijing\n", "时区: Asia/Shanghai\n"),
    "P319": Example("币种: ▲CNX\n", "币种: CNY\n"),
    "P320": Example(
        "名称: ▲⟪长×2001⟫\n", _EVERY, english=("title: ▲⟪x×2001⟫\n", _EVERY_EN),
        shown=("名称: 长长长长长长长长…      # 2001 个字\n", "title: xxxxxxxxxxxxxxxx…      # 2001 characters\n"),
    ),
    "P321": Example(_ladder("▲头一次: 1000 元, 之后: 无"), _ladder("1: 1000 元, 之后: 无"), _WALLETS),
    "P322": Example(
        "名称: ▲“金卡客户俱乐部”\n", '名称: "金卡客户俱乐部"\n',
        english=("title: ▲“Gold Card Club”\n", 'title: "Gold Card Club"\n'),
    ),
    "P323": Example(_listed("contacts: ▲≥5"), _listed("contacts: {不低于: 5}")),
    # ---- references ----------------------------------------------------------------------------------------------
    "P401": Example(
        _fact("{次数: ▲联系走房}"), _fact("{次数: 联系走访}"), _NO_FACTS,
        english=("facts:\n  contacts: {count: ▲contcat}\n", "facts:\n  contacts: {count: contact}\n"),
    ),
    "P402": Example(
        _fact("{次数: 联系走访, 条件: {▲渠到: phone}}"), _fact("{次数: 联系走访, 条件: {渠道: phone}}"), _NO_FACTS,
        english=("facts:\n  contacts: {count: contact, where: {▲chanel: phone}}\n",
                 "facts:\n  contacts: {count: contact, where: {channel: phone}}\n"),
    ),
    "P403": Example(
        _fact("{次数: [联系走访, 提供信息], 条件: {▲主题: project}}"),
        _fact("{次数: 提供信息, 条件: {主题: project}}"), _NO_FACTS,
    ),
    "P404": Example(_listed("▲contcats: {不低于: 5}"), _listed("contacts: {不低于: 5}")),
    "P405": Example(
        _trait("满足: {contacts: {不低于: 5}}") + _listed("具备特点: ▲knwon"),
        _trait("满足: {contacts: {不低于: 5}}") + _listed("具备特点: known"),
    ),
    "P406": Example(_price("适用: [▲glod], 实付: 95折"), _price("适用: [gold], 实付: 95折")),
    "P407": Example(
        _reward("记入: ▲crdeit, 奖励金额: 1000 元"), _reward("记入: credit, 奖励金额: 1000 元"), _WALLETS
    ),
    "P408": Example("客户分类对应级别: {key_account: ▲velcor}\n", "客户分类对应级别: {key_account: velcro}\n", _LEVELS),
    "P409": Example(
        _wallet("可付: [▲配见]"), _wallet("可付: [配件]"),
        english=("wallets:\n  credit: {title: Credit, unit: money, pays_for: [▲part]}\n",
                 "wallets:\n  credit: {title: Credit, unit: money, pays_for: [parts]}\n"),
    ),
    "P410": Example(
        _more("  tips: {次数: 提供信息}\n  growth: {比率: ▲tip, 对比: contacts}\n"),
        _more("  tips: {次数: 提供信息}\n  growth: {比率: tips, 对比: contacts}\n"), _NO_FACTS,
    ),
    "P411": Example(
        _more("  years: {年限: ▲入行日子}\n"), _more("  years: {年限: 入行日期}\n"), _NO_FACTS,
        english=("facts:\n  contacts: {count: contact}\n  years: {years_since: ▲entered_trade}\n",
                 "facts:\n  contacts: {count: contact}\n  years: {years_since: entered_trade_on}\n"),
    ),
    "P412": Example(_EXAMPLE.format("▲welcom"), _EXAMPLE.format("welcome"), _REWARD),
    "P413": Example(_more("  ▲tips: {次数: 提供信息}\n"), _more(""), _NO_FACTS),
    "P414": Example(
        _more("  a: {比率: b, 对比: contacts}\n  b: {比率: ▲a, 对比: contacts}\n"),
        _more("  a: {比率: b, 对比: contacts}\n  b: {次数: 提供信息}\n"), _NO_FACTS,
    ),
    "P415": Example(_ABOVE_TIERS + _GOLD.replace("gold", "▲member"), _ABOVE_TIERS + _GOLD, _FACTS),
    "P416": Example(
        _more("  spent: {合计: ▲品牌, 范围: 购机}\n"), _more("  spent: {合计: 金额, 范围: 购机}\n"), _NO_FACTS
    ),
    "P417": Example(
        "传递:\n  referral: {当: 货款到位, 送给: 介绍人, 产生: ▲联系走访}\n",
        "传递:\n  referral: {当: 货款到位, 送给: 介绍人, 产生: 促成购机}\n",
    ),
    # ---- meaning -------------------------------------------------------------------------------------------------
    "P501": Example(
        _ABOVE_TIERS.replace("会员}", "会员, ▲满足: {contacts: {不低于: 1}}}") + _GOLD, _ABOVE_TIERS + _GOLD, _FACTS
    ),
    "P502": Example(
        _ABOVE_TIERS + f"  - ▲{{编号: gold, 名称: 金卡客户, {_KEEP}}}\n", _ABOVE_TIERS + _GOLD, _FACTS
    ),
    "P503": Example(
        _trait("满足: {contacts: {不低于: 5}}") + _listed("特点: {不低于: ▲2}"),
        _trait("满足: {contacts: {不低于: 5}}") + _listed("特点: {不低于: 1}"),
    ),
    "P504": Example(
        _ladder("1-2: 1000 元, ▲2: 1500 元, 之后: 无"), _ladder("1: 1000 元, 2: 1500 元, 之后: 无"), _WALLETS
    ),
    "P505": Example(
        _ladder("1: 1000 元, ▲3: 1500 元, 之后: 无"), _ladder("1: 1000 元, 2-3: 1500 元, 之后: 无"), _WALLETS
    ),
    "P506": Example(
        _ladder("1: 1000 元, ▲3-2: 1500 元, 之后: 无"), _ladder("1: 1000 元, 2-3: 1500 元, 之后: 无"), _WALLETS
    ),
    "P507": Example(_price("实付: ▲105%"), _price("实付: 95%")),
    "P508": Example(
        _price("实付: 95折, 自: 2026-02-01, 至: ▲2026-01-31"), _price("实付: 95折, 自: 2026-01-01, 至: 2026-01-31")
    ),
    "P509": Example(_price("实付: ▲5%"), _price("实付: 95%")),
    "P510": Example(
        _ABOVE_TIERS + f"  - {{编号: silver, 名称: 银卡, 满足: {{contacts: {{不低于: 5}}}}, {_KEEP}}}\n"
        + _GOLD.replace("gold", "▲gold"),
        _ABOVE_TIERS + f"  - {{编号: silver, 名称: 银卡, 满足: {{contacts: {{不低于: 1}}}}, {_KEEP}}}\n" + _GOLD,
        _FACTS,
    ),
    "P511": Example(
        _given("奖励金额: 1000 元, 互斥: {组: machine, 按: 整机编号}").replace("welcome", "▲welcome"),
        _given("奖励金额: 1000 元"), _WALLETS,
    ),
    "P512": Example(
        _award("名额: {比例: 20%, ▲不低于: 10, 不高于: 3}, 奖品价值: 5000 元, 预算: 50000 元"),
        _award("名额: {比例: 20%, 不低于: 3, 不高于: 10}, 奖品价值: 5000 元, 预算: 50000 元"),
    ),
    "P513": Example(
        _award("名额: {比例: 20%, 不低于: 3, 不高于: 10}, 奖品价值: 5000 元, 预算: ▲10000 元"),
        _award("名额: {比例: 20%, 不低于: 3, 不高于: 10}, 奖品价值: 5000 元, 预算: 50000 元"),
    ),
    "P514": Example(_trait("满足: {▲特点: {不低于: 1}}"), _trait("满足: {contacts: {不低于: 5}}")),
    "P515": Example(_listed("contacts: ▲{不低于: 5, 少于: 5}"), _listed("contacts: {不低于: 5, 少于: 10}")),
    "P516": Example(
        _reward("记入: credit, 第几次: ▲{1: 1000 元}"), _ladder("1: 1000 元, 之后: 无"), _WALLETS
    ),
    "P517": Example("钱包:\n  ▲credit: {单位: 金额}\n", "钱包:\n  credit: {名称: 配件款, 单位: 金额}\n"),
    "P518": Example(
        _price("实付: 9折") + "  ▲parts_price: {名称: 配件价, 条件: {类别: 配件}, 适用: gold, 实付: 95折}\n",
        _price("实付: 95折") + "  parts_price: {名称: 配件价, 条件: {类别: 配件}, 适用: gold, 实付: 9折}\n",
    ),
    "P519": Example(
        _ABOVE_TIERS + _GOLD.replace("保级", "取代: ▲member, 保级"),
        _ABOVE_TIERS + _GOLD.replace("保级", "取代: vip, 保级"), _FACTS,
    ),
    "P520": Example(
        _given("按额: {给: ▲3%, 基数: 金额}"), _given("按额: {给: 3%, 基数: 金额, 取整: 四舍五入}"), _WALLETS
    ),
    "P521": Example(
        _MANY + "名单:\n  ▲often: {名称: 常来往, 满足: {任一: [⟪{n№: 5}, ×201⟫{contacts: 5}]}}\n",
        _fact("{次数: 联系走访}") + _listed("contacts: {不低于: 5}"), _NO_FACTS,
        shown=("名单:\n  often: {满足: {任一: [{n0: 5}, {n1: 5}, …]}}      # 201 个不同的指标\n",
               "lists:\n  often: {when: {any: [{n0: 5}, {n1: 5}, …]}}      # 201 different facts\n"),
    ),
    "P522": Example(
        "名单:\n  ▲often: {名称: 常来往, 满足: {全部: [{contacts: {不低于: 5}}, {contacts: {少于: 3}}]}}\n",
        _listed("全部: [{contacts: {不低于: 3}}, {contacts: {少于: 5}}]"),
    ),
    "P523": Example(
        "名单:\n  ▲often: {名称: 常来往, 满足: {contacts: {不低于: 0}}}\n", _listed("contacts: {不低于: 1}")
    ),
    "P530": Example(
        "总额控制:\n  ▲all: {限额: 9 次, 奖励: welcome}\n",
        "总额控制:\n  all: {限额: 9 次, 控制范围: 本人, 奖励: welcome}\n", _REWARD,
    ),
    "P531": Example(
        _POINTS + "总额控制:\n  all: {限额: 9 元, 控制范围: 本人, 奖励: ▲[welcome, tips]}\n",
        _POINTS + "总额控制:\n  all: {限额: 9 元, 控制范围: 本人, 奖励: welcome}\n", _REWARD,
    ),
    "P524": Example(
        _price("实付: 95折, 至: 2025-12-31").replace("gold_price", "▲gold_price"), _price("实付: 95折, 至: 2026-12-31")
    ),
    "P525": Example(
        "价格:\n  ▲gold_price: {名称: 金卡价, 适用: gold, 条件: {类别: 配件}, 实付: 95折}\n" + _exampled(""),
        "价格:\n  gold_price: {名称: 金卡价, 适用: gold, 条件: {类别: 配件}, 实付: 95折}\n" + _exampled(_PARTS),
        run=lambda policy: unexercised({"prices": {"gold_price": policy.prices["gold_price"].mark}}, 2, 3),
    ),
    "P526": Example(
        "▲" + _CLUB, _CLUB + _exampled(""), "", run=lambda _: without_examples(2),
    ),
}  # fmt: skip
