"""所问 (asked): what is asked of the policies: the resident's words, or what they come to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from backend.assistant.answers import WHICH_PLACE, PolicyAnswer, answer_policy
from backend.assistant.lexicon import lexicon
from backend.policies.book import PolicyBook
from backend.policies.search.words import normalise

_UNKNOWING: Final = re.compile(
    r"^我?(?:也|还)?(?:不清楚|不知道|不晓得|不懂|不明白|想问问?|请问)[,，\s]*"
)
"""Before a question; no clause is about that."""


def answer_asked(
    said: str, area: str | None, book: PolicyBook, today: date
) -> tuple[str, PolicyAnswer]:
    """The question that was put to the policies, and what they answer; as `answer_policy`."""
    first, *others = _ways(said)
    answer = answer_policy(first, area, book, today)
    for asked in others:
        instead = answer_policy(asked, area, book, today)
        if _answers(instead) and not _answers(answer):
            return asked, instead
    return first, answer


def _answers(answer: PolicyAnswer) -> bool:
    """A clause answers, or would once the place is known."""
    return answer.found or answer.text == WHICH_PLACE


def _ways(said: str) -> Iterator[str]:
    yield _UNKNOWING.sub("", said) or said
    instead = lexicon().instead(normalise(said))
    if instead is not None:
        yield instead
