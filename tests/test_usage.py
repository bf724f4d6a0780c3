"""Wrong usage of the command line, told to who reads Chinese."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tierengine import __main__ as program
from tierengine.store.database import HEAD


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ledger ajust", "没有命令 ajust，是不是 'adjust'？"),
        ("会员", "没有命令 会员。"),
        ("ledger sweep --foo", "没有选项 --foo。"),
        ("ledger sweep --dealr x", "没有选项 --dealr，是不是 --dealer？"),
        ("verify a b", "多写了 a b；选项写作 --名称 值。"),
        ("ledger adjust C1 配件款 5 --by 王 --reason", "选项 --reason 后面要写值。"),
        ("ledger sweep --help=x", "选项 --help 后面不写值。"),
        ("ledger adjust", "缺少参数 'ID'。"),
        ("ledger adjust C1 配件款 5 --by 王", "缺少参数 '--reason'。"),
        ("serve --port 99999999", "'--port' 的值不对：应不大于 65535。"),
        ("serve --port -1", "'--port' 的值不对：应不小于 0。"),
        ("serve --port 八", "'--port' 的值不对：应为整数。"),
        ("policy check 没有.yaml", "'FILE' 的值不对：没有 没有.yaml。"),
        ("policy draft write next 没有.yaml", "'FILE' 的值不对：没有 没有.yaml。"),
        ("ledger open 没有.csv", "'FILE' 的值不对：没有 没有.csv。"),
        ("ledger open .", "'FILE' 的值不对：. 是文件夹，不是文件。"),
        ("policy check x.yaml --format lang", "'--format' 的值不对：'lang' 不在其中，有：'full', 'short', 'json'。"),
    ],
)
def test_what_is_wrong_is_said_in_chinese(words: str, said: str, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").touch()
    assert program.main([*words.split(), "--lang", "zh"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == f"{said} (usage)"


def test_a_book_that_cannot_be_used_is_said_in_chinese(capsys, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", "sqlite:///book.db")

    def said(*words: str) -> str:
        assert program.main([*words, "--lang", "zh"]) == 3
        return str(capsys.readouterr().err).splitlines()[0]

    assert said("member", "show", "C1") == "没有账本 book.db：先运行 tierengine migrate 建账。 (not_ready)"
    sqlite3.connect("book.db").execute("CREATE TABLE alembic_version (version_num TEXT)").connection.close()
    later = f"这个程序需要第 {HEAD} 版：先备份，再运行 tierengine migrate。 (not_ready)"
    assert said("member", "show", "C1") == f"账本还是空的，{later}"
    with contextlib.closing(sqlite3.connect("book.db")) as book, book:
        book.execute("INSERT INTO alembic_version VALUES ('0001')")
    assert said("member", "show", "C1") == f"账本还是第 0001 版，{later}"
    monkeypatch.setenv("TIERENGINE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    assert said("member", "show", "C1").startswith("PostgreSQL 没有应答：核对地址、用户和它是否在运行。")
