"""Wrong usage of the command line, told to who reads Chinese."""

from __future__ import annotations

import pytest

from tierengine import __main__ as program


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ledger ajust", "没有命令 ajust,是不是 'adjust'?"),
        ("会员", "没有命令 会员。"),
        ("ledger sweep --foo", "没有选项 --foo。"),
        ("ledger sweep --dealr x", "没有选项 --dealr,是不是 --dealer?"),
        ("verify a b", "多写了 a b;选项写作 --名称 值。"),
        ("ledger adjust C1 配件款 5 --by 王 --reason", "选项 --reason 后面要写值。"),
        ("ledger sweep --help=x", "选项 --help 后面不写值。"),
        ("ledger adjust", "缺少参数 'ID'。"),
        ("ledger adjust C1 配件款 5 --by 王", "缺少参数 '--reason'。"),
        ("serve --port 99999999", "'--port' 的值不对:应不大于 65535。"),
        ("serve --port -1", "'--port' 的值不对:应不小于 0。"),
        ("serve --port 八", "'--port' 的值不对:应为整数。"),
        ("policy check 没有.yaml", "'FILE' 的值不对:没有 没有.yaml。"),
        ("policy draft write next 没有.yaml", "'FILE' 的值不对:没有 没有.yaml。"),
        ("ledger open 没有.csv", "'FILE' 的值不对:没有 没有.csv。"),
        ("ledger open .", "'FILE' 的值不对:. 是文件夹,不是文件。"),
        ("policy check x.yaml --format lang", "'--format' 的值不对:'lang' 不在其中,有:'full', 'short', 'json'。"),
    ],
)
def test_what_is_wrong_is_said_in_chinese(words: str, said: str, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").touch()
    assert program.main([*words.split(), "--lang", "zh"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == f"{said} (usage)"
