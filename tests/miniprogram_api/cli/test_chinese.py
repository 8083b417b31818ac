from __future__ import annotations

import ast
import inspect
from string import Formatter

import pytest

from miniprogram_api.cli import run
from miniprogram_api.cli.chinese import CHINESE, MODULES

Output = pytest.CaptureFixture[str]


def asked_for() -> set[str]:
    """The texts for which click asks `gettext`."""
    trees = [ast.parse(inspect.getsource(module)) for module in MODULES]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        one.value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in ("_", "ngettext")
        for one in call.args
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_text_is_one_that_click_asks_for() -> None:
    assert set(CHINESE) - asked_for() == set()


def test_no_text_wants_what_click_does_not_give() -> None:
    assert [text for text, ours in CHINESE.items() if not fields(ours) <= fields(text)] == []


def test_help_is_in_chinese(capsys: Output) -> None:
    assert run(["pay", "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("用法: shukun pay [OPTIONS] COMMAND [ARGS]...\n")
    assert "\n选项:\n  -h, --help  显示这份说明。\n\n命令:\n" in said
    assert run(["demo", "--help"]) == 0
    assert "[默认：8000; 0<=x<=65535]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "没有 nonsense 这个命令。"),
        (["polic"], "没有 polic 这个命令。 是不是要写 'policy'？"),
        (["--debug"], "请写明要运行哪个命令。"),
        (["grants"], "请补上参数 'BILL_NO'."),
        (["grants", "1", "2"], "多了一个参数（2），请去掉。"),
        (["grants", "1", "2", "3"], "多了几个参数（2 3），请去掉。"),
        (["policy", "confirm", "x"], "请补上选项 '--from'."),
        (["pay", "close", "1", "--by", "甲"], "请补上选项 '--because'. 可填：\n\tpaid_elsewhere,"),
        (["db", "status", "--what"], "没有 --what 这个选项。"),
        (["demo", "--dat", "x"], "没有 --dat 这个选项。 是不是要写 '--data'？"),
        (["pay", "ret"], "是不是要写其中一个：'retry', 'returns'？"),
        (["demo", "--port"], "选项 --port 后面要填一个值。"),
        (["match", "--dry-run=1"], "选项 --dry-run 后面不填值，请只写 --dry-run。"),
        (["demo", "--port", "-1"], "'--port' 填得不对：-1 不在范围内，请填 0<=x<=65535 的数。"),
        (["demo", "--port", "x"], "“x”不是整数，请填整数。"),
        (["pay", "close", "1", "--because", "x"], "没有“x”，请填其中一个：'paid_elsewhere', "),
        (["pay", "payees", "/nowhere"], "没有“/nowhere”，请检查路径。"),
        (["pay", "payees", "/"], "“/”是文件夹，请填文件。"),
    ],
)
def test_what_is_wrong_with_a_command_line_is_said_in_chinese(
    arguments: list[str], words: str, capsys: Output
) -> None:
    assert run(arguments) == 2
    assert words in capsys.readouterr().err
