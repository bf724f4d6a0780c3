"""What is wrong with a cell of a policy's workbook: a value with its place, and its sentence in both tongues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rules.policy import Text
from rules.problems import Problem

SENTENCES: Final[dict[str, Text]] = {
    "not_a_workbook": Text(
        "这不是能读的 Excel 工作簿（.xlsx），或者太大",
        "This is no Excel workbook (.xlsx) that can be read, or it is too large",
    ),
    "no_fingerprint": Text(
        "这不是 policy export 导出的工作簿，或者“说明”一页被删改了；请重新导出",
        "This is no workbook of `policy export`, or its first sheet was changed; export it again",
    ),
    "stale": Text(
        "政策文件在导出之后改过了，这张表是旧的；请重新导出再改",
        "The policy file changed after this was exported; export it again and enter the changes there",
    ),
    "far_outside": Text(
        "表格外面很远的地方有内容；请删掉表格以外的行和列",
        "There is something far outside the table; delete those rows and columns",
    ),
    "missing_sheet": Text("缺这张表", "This sheet is missing"),
    "missing_column": Text("缺“{found}”这一列", "The column `{found}` is missing"),
    "column_twice": Text("“{found}”有两列", "There are two columns `{found}`"),
    "unknown_column": Text(
        "没有“{found}”这一列；新的列不能从这里加", "There is no column `{found}`; none can be added here"
    ),
    "missing_row": Text(
        "缺 {found} 这一行；要删除请改政策文件", "The row {found} is missing; take things out in the policy file"
    ),
    "row_twice": Text("{found} 这一行有两次", "The row {found} is there twice"),
    "unknown_row": Text(
        "政策文件里没有“{found}”；新的一项请加在政策文件里",
        "The policy file has no `{found}`; add what is new in the policy file",
    ),
    "read_only": Text(
        "这一格不能改：原来是“{expected}”，现在是“{found}”",
        "This cell is read-only: it was `{expected}` and is `{found}`",
    ),
    "nothing_there": Text(
        "政策文件在这里没有数，写“{found}”没有地方放；请改政策文件",
        "The policy file has no number here, so `{found}` has no place; add it in the policy file",
    ),
    "merged": Text("合并了单元格 {found}；请取消合并", "The cells {found} are merged; take that back"),
    "formula": Text("这里是公式 {found}；请只写数", "This is a formula, {found}; type the number"),
    "error_value": Text(
        "这里是 Excel 的错误值 {found}；请写数", "This is an error of Excel's, {found}; type the number"
    ),
    "empty": Text("这一格空了；原来是 {expected}", "This cell is empty; it was {expected}"),
    "text": Text(
        "“{found}”是文字，不是数；只写数就行，单位已经在格子里（原来是 {expected}）",
        "`{found}` is text, not a number; type the number alone, its unit is in the cell (it was {expected})",
    ),
    "not_a_number": Text("“{found}”不是数（原来是 {expected}）", "`{found}` is no number (it was {expected})"),
    "a_date": Text(
        "这里成了日期 {found}；请把格式改回数字再写（原来是 {expected}）",
        "This became a date, {found}; make it a number again (it was {expected})",
    ),
    "percent": Text(
        "写成了百分数，而这里按“{unit}”算；请只写数：九五折写 95，1000 元写 1000（原来是 {expected}）",
        "This is a percentage, and `{unit}` is meant here; type the number alone: 95 for 95% (it was {expected})",
    ),
    "fraction": Text(
        "{found} 是按小数写的百分数吗？请写整数：95% 或九五折都写 95（原来是 {expected}）",
        "Is {found} a share written as a fraction? Type 95 for 95% (it was {expected})",
    ),
    "negative": Text(
        "不能是负数：{found}（原来是 {expected}）", "It must not be negative: {found} (it was {expected})"
    ),
    "no_unit": Text(
        "这里原来是“{expected}”，不知道 {found} 的单位；请改政策文件",
        "Here stood `{expected}`, so the unit of {found} is not known; write it in the policy file",
    ),
    "policy": Text("写 {found} 不行：{problem}", "{found} will not do: {problem}"),
}


@dataclass(frozen=True, slots=True)
class Bad:
    """One thing that is wrong, at a sheet and a cell ("" = the whole sheet; no sheet: the whole workbook).

    found, expected   what stands there, and what stood there when the workbook was made
    unit              what is written around the number
    problem           what the policy reader says of it (code "policy")
    """

    sheet: str
    cell: str
    code: str
    found: str = ""
    expected: str = ""
    unit: str = ""
    problem: Problem | None = None

    @property
    def place(self) -> str:
        """Return sheet!cell as Excel writes it."""
        return "!".join(part for part in (self.sheet, self.cell) if part)

    def message(self, lang: str) -> str:
        """Return one sentence."""
        problem = ""
        if self.problem is not None:
            told = self.problem.message("en" if lang == "en" else "zh")
            problem = f"{self.problem.code} {told} ({self.problem.file}:{self.problem.mark.line})"
        cut = self.found if len(self.found) <= 60 else self.found[:60] + "…"
        return SENTENCES[self.code].say(lang).format(found=cut, expected=self.expected, unit=self.unit, problem=problem)
