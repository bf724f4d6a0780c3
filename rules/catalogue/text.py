"""Problems P1xx: the text is no clean YAML."""

from __future__ import annotations

from typing import Final

from rules.catalogue.entry import Entry

TEXT: Final[dict[str, Entry]] = {
    "P101": Entry(
        "YAML 语法错误", "Not YAML",
        "这里的 YAML 写法读不懂：{found}", "This is not YAML: {found}",
        "检查这一行和上一行：冒号后要有空格，缩进要对齐，引号和括号要成对。",
        "Look at this line and the one above: a space after each colon, equal indentation, closed quotes and brackets.",
    ),
    "P102": Entry(
        "不是 UTF-8 编码", "Not UTF-8",
        "从这里开始不是 UTF-8 编码，无法读取（{found}）", "The file is not UTF-8 from here on ({found})",
        "用记事本或编辑器另存为，编码选 UTF-8。", "Save the file again with the encoding UTF-8.",
    ),
    "P103": Entry(
        "看不见的字符", "Invisible character",
        "这里有一个不允许的、看不见的字符 {found}", "There is a forbidden, invisible character {found} here",
        "删除这个字符后重新输入这一段。", "Delete the character and type the passage again.",
    ),
    "P104": Entry(
        "文件太大", "File too large",
        "文件太大：{found}，上限 {allowed}", "The file is too large: {found}, the limit is {allowed}",
        "一个文件只写一家代理商的一套规则（最多 1 MiB,20,000 行）。",
        "A file holds one dealer's programme (at most 1 MiB and 20,000 lines).",
    ),
    "P105": Entry(
        "嵌套太深", "Nested too deep",
        "嵌套到第 {found} 层，上限 {allowed} 层", "Nested {found} deep, the limit is {allowed}",
        "把条件拆成几个特点或指标，再引用它们。", "Split the condition into traits or facts and name those.",
    ),
    "P106": Entry(
        "内容太多", "Too many values",
        "文件里的值超过 {allowed} 个", "The file holds more than {allowed} values",
        "一个文件只写一家代理商的一套规则。", "A file holds one dealer's programme.",
    ),
    "P107": Entry(
        "缩进用了制表符", "Tab in the indentation",
        "缩进里有制表符（Tab），YAML 只认空格", "The indentation holds a tab; YAML takes only spaces",
        "把 Tab 换成空格，每一层两个。", "Replace the tab by spaces, two for each level.",
    ),
    "P108": Entry(
        "全角符号", "Full-width character",
        "这里用了全角的“{found}”，要用半角的 {allowed}", "A full-width “{found}” stands here; use {allowed}",
        "切换到英文输入法，重新输入这个符号。名称和说明的文字里可以用全角。",
        "Type the character again with the English keyboard. Inside titles and notes it may stay.",
    ),
    "P109": Entry(
        "冒号后缺空格", "No space after the colon",
        "“{found}”后面缺一个空格", "A space is missing after “{found}”",
        "写成“键: 值”“- 条目”，冒号和横线后留一个空格。",
        "Write `key: value` and `- item`, with a space after the sign.",
    ),
    "P110": Entry(
        "不支持锚点", "Anchor",
        "不支持锚点 {found}", "Anchors such as {found} are not allowed",
        "把内容直接写出来；文字以 & 开头时加引号。", "Write it out; put a text that begins with & in quotes.",
    ),
    "P111": Entry(
        "不支持别名", "Alias",
        "不支持别名 {found}", "Aliases such as {found} are not allowed",
        "把内容直接写出来；文字以 * 开头时加引号。", "Write it out; put a text that begins with * in quotes.",
    ),
    "P112": Entry(
        "不支持标签", "Tag",
        "不支持 YAML 标签 {found}", "YAML tags such as {found} are not allowed",
        "删除标签；文字以 ! 开头时加引号。", "Delete the tag; put a text that begins with ! in quotes.",
    ),
    "P113": Entry(
        "不支持合并键", "Merge key",
        "不支持合并键 <<", "Merge keys (<<) are not allowed",
        "把要合并的内容直接写出来。", "Write out what was to be merged.",
    ),
    "P114": Entry(
        "多个文档", "Several documents",
        "一个文件里只能有一个 YAML 文档", "A file holds one YAML document only",
        "删除单独成行的 ---，或分成几个文件。", "Delete the line `---`, or make several files.",
    ),
    "P115": Entry(
        "键不是文字", "Key is no text",
        "键必须是文字，不能是列表或一组键", "A key must be a text, not a list or a mapping",
        "检查括号；键写成一个词。", "Look at the brackets; write the key as one word.",
    ),
    "P116": Entry(
        "文件是空的", "Empty file",
        "文件是空的", "The file is empty",
        "至少写上：计划、等级。", "Write at least `programme` and `tiers`.",
    ),
    "P117": Entry(
        "问题太多", "Too many problems",
        "问题太多，后面的没有列出（一共 {found} 个）", "Too many problems ({found}); the rest is not shown",
        "先改好前面的，再检查一遍。", "Mend the first ones and check again.",
    ),
    "P118": Entry(
        "不是文件", "Not a file",
        "这里要写一个文件，不是{found}", "A file is wanted here, not a {found}",
        "写上政策文件的名字，如 policies.yaml。", "Give the name of the policy file, such as policies.yaml.",
    ),
    "P119": Entry(
        "括号或引号没有成对", "Never closed",
        "这里的 {found} 没有成对：缺 {allowed}",
        "The {found} that is opened here is never closed: {allowed} is missing",
        "在这一项的末尾补上。", "Close it at the end of what it holds.",
    ),
    "P120": Entry(
        "缩进没有对齐", "Indentation that fits nothing",
        "这一行缩进 {found} 格，同级的在 {allowed} 格",
        "This line is indented by {found}, those of its level by {allowed}",
        "同一级的各行左边对齐，下一级多缩进两格。",
        "Lines of one level begin in the same column; the next level is two deeper.",
    ),
    "P121": Entry(
        "文字要加引号", "Text needs quotes",
        "这段文字里有 YAML 的符号，要加引号：{found}", "This text holds signs that mean something to YAML: {found}",
        "整段文字用半角的双引号括起来。", "Put the whole text in double quotes.",
    ),
    "P122": Entry(
        "注释前缺空格", "No space before the comment",
        "# 前面缺一个空格，后面的文字成了值的一部分：{found}",
        "No space before the #, so the comment became part of the value: {found}",
        "在 # 前面留一个空格。", "Leave a space before the #.",
    ),
}  # fmt: skip
