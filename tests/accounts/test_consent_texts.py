"""The texts that are agreed to: published ones stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.accounts import consent_texts
from backend.accounts.consent_texts import read_texts
from backend.kernel.yaml_file import FileError

OWN = Path(consent_texts.__file__).parent / "consents.yaml"


def test_every_purpose_says_what_for_and_that_it_can_be_taken_back() -> None:
    texts = read_texts(OWN)
    assert set(texts.purposes) == {
        "delegation", "sharing_beyond_duty", "face_check", "children_data", "sms",
    }  # fmt: skip
    for purpose in texts.purposes.values():
        assert "撤回" in purpose.current.text or "结束委托" in purpose.current.text
        assert "不" in purpose.current.text
    assert "法定职责" in texts.statutory


def test_a_wording_lets_successors_go_on_exactly_where_it_says_so() -> None:
    for purpose in read_texts(OWN).purposes.values():
        for version in purpose.versions:
            assert version.successors == ("由接替的人继续" in version.text)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("短信不写病情和金额", "短信写明金额", "已发布的不能改"),
        ("- version: 1", "- version: 2", "从 1 开始"),
        ("holds_from: 1", "holds_from: 2", "holds_from"),
    ],
)
def test_a_text_that_was_changed_is_not_read(
    tmp_path: Path, before: str, after: str, reason: str
) -> None:
    changed = tmp_path / "consents.yaml"
    changed.write_text(OWN.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(FileError, match=reason):
        read_texts(changed)
