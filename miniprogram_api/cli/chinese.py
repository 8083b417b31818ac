"""click's own words, in Chinese: usage, help, and what is wrong with a command line.

click asks `gettext` for each of its texts, which wants compiled catalogues and goes by the
language of the machine. The command line speaks Chinese whatever the machine, so the two functions
are replaced in click's modules. What click words anew stays English until it stands here: a test
tells which.
"""

from __future__ import annotations

from typing import Final

from click import core, decorators, exceptions, formatting, parser, types

MODULES: Final = (core, decorators, exceptions, formatting, parser, types)
CHINESE: Final = {
    "Usage:": "用法:",
    "Options": "选项",
    "Commands": "命令",
    "Show this message and exit.": "显示这份说明。",
    "default: {default}": "默认：{default}",
    "Error: {message}": "{message}",
    "Try '{command} {option}' for help.": "查看用法：{command} {option}",
    "Missing command.": "请写明要运行哪个命令。",
    "Missing argument": "请补上参数",
    "Missing option": "请补上选项",
    "Missing parameter": "请补上参数",
    "Choose from:\n\t{choices}": "可填：\n\t{choices}",
    "No such option {name!r}.": "没有 {name} 这个选项。",
    "No such command {name!r}.": "没有 {name} 这个命令。",
    "Did you mean {possibility}?": "是不是要写 {possibility}？",
    "(Did you mean one of: {possibilities}?)": "是不是要写其中一个：{possibilities}？",
    "Invalid value: {message}": "填得不对：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 填得不对：{message}",
    "Option {name!r} requires an argument.": "选项 {name} 后面要填一个值。",
    "Option {name!r} does not take a value.": "选项 {name} 后面不填值，请只写 {name}。",
    "Got unexpected extra argument ({args})": "多了一个参数（{args}），请去掉。",
    "Got unexpected extra arguments ({args})": "多了几个参数（{args}），请去掉。",
    "{value!r} is not {choice}.": "没有“{value}”，只能填 {choice}。",
    "{value!r} is not one of {choices}.": "没有“{value}”，请填其中一个：{choices}。",
    "{value!r} is not a valid {number_type}.": "“{value}”不是整数，请填整数。",
    "{value} is not in the range {range}.": "{value} 不在范围内，请填 {range} 的数。",
    "{name} {filename!r} does not exist.": "没有“{filename}”，请检查路径。",
    "{name} {filename!r} is a file.": "“{filename}”是文件，请填文件夹。",
    "{name} {filename!r} is a directory.": "“{filename}”是文件夹，请填文件。",
    "{name} {filename!r} is not readable.": "“{filename}”读不了，请检查权限。",
    "{name} {filename!r} is not writable.": "“{filename}”写不了，请检查权限。",
}
"""The text in click's source → ours, with the same fields or fewer."""


def speak_chinese() -> None:
    """Make click of this process speak Chinese."""
    for module in MODULES:
        for name, translate in (("_", _text), ("ngettext", _counted)):
            if hasattr(module, name):
                setattr(module, name, translate)


def _text(message: str) -> str:
    return CHINESE.get(message, message)


def _counted(one: str, several: str, count: int) -> str:
    return _text(one if count == 1 else several)
