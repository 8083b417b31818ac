"""政策答复 (answers): a question about the policies, answered by the clause that answers it best.

Nothing is made up: what is said is the clause's own text for residents. Where no clause answers
well, that is said, and a person is offered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from backend.assistant.pages import Page, page
from backend.assistant.places import places_within
from backend.assistant.subjects import subjects_of
from backend.assistant.wording import shortened
from backend.kernel import areas
from backend.policies.book import PolicyBook
from backend.policies.search.find import Found, Hit, Search, find_clauses
from backend.policies.standing import standing_of
from backend.wechat import pages

ENOUGH: Final = 2.6
"""The best clause's score below which it is not taken for an answer."""
STRANGE: Final = 6.0
"""The same where the question holds a word that the policy does not know (`打胎`)."""
MORE: Final = 2
"""Other clauses that are named at most."""
NO_DECISION: Final = "我只讲政策；您能不能享受，由当地医保、民政等部门审核后定。"
WHICH_PLACE: Final = (
    "各地规定不一样，拿别处的答您会出错。请告诉我病人的户口在哪个县（市、区），比如“江阴”，"
    "我按那里的规定查。"
)
NOT_FOUND: Final = (
    "这个问题我没有查到合适的规定，不敢乱说。请换个说法再问，比如“押金”“能报多少”；"
    "要工作人员回答，请回“人工”。"
)
NOT_HERE: Final = (
    "{}的政策这里还没有收录，我不敢拿别处的规定回答您。请打医保热线 12393；"
    "要工作人员回答，请回“人工”。"
)
WITHIN: Final = (
    "{}的政策这里只收录了{}的。户口在那里，就请回那个地名；别处的请打医保热线 12393，"
    "要工作人员回答，请回“人工”。"
)


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """`card`: opens the clause; None: no clause is told."""

    text: str
    card: Page | None

    @property
    def found(self) -> bool:
        """Whether a clause answers."""
        return self.card is not None


def answer_policy(question: str, area: str | None, book: PolicyBook, today: date) -> PolicyAnswer:
    """The clause that answers, of the place's policy. `area`: where the person is registered;
    None: not known, then the place is asked, where any policy answers.
    """
    if area is not None and not book.concerning(area):
        return PolicyAnswer(not_here(area, book), None)
    found = find_clauses(book, Search(question, today, area=area, limit=1 + MORE))
    if not _answers(question, found, book):
        return PolicyAnswer(NOT_FOUND, None)
    if area is None:
        return PolicyAnswer(WHICH_PLACE, None)
    best = found.hits[0]
    text = shortened("\n".join(_told(found.hits, today)))
    where = {"policy": best.policy.id, "anchor": best.clause.anchor}
    return PolicyAnswer(text, page(best.clause.heading, pages.CLAUSE, **where))


def not_here(area: str, book: PolicyBook) -> str:
    """What is said of a place without a policy; of a larger one, which places in it have one."""
    name, within = areas.area_short_name(area) or "那里", places_within(area, book)
    if not within:
        return NOT_HERE.format(name)
    return WITHIN.format(name, "、".join(areas.area_short_name(one.code) or "" for one in within))


def _answers(question: str, found: Found, book: PolicyBook) -> bool:
    """Whether the best clause answers well, and the very thing that was asked."""
    if not found.hits or found.best < ENOUGH:
        return False
    best, subjects = found.hits[0], subjects_of(book)
    if subjects.elsewhere(question, best.clause):
        return False
    return found.best >= STRANGE or not subjects.strange(question, best.policy.id)


def _told(hits: Sequence[Hit], today: date) -> Iterator[str]:
    best, document = hits[0], hits[0].policy.document
    yield best.clause.residents
    yield f"依据：《{document.short_title}》{best.clause.anchor}。"
    if best.state != "in_force":
        yield standing_of(best.policy, today).sentence.replace("这一天", "今天")
    others = [hit.clause.heading for hit in hits[1:] if hit.policy.id == best.policy.id]
    if others:
        yield f"相关的还有：{'；'.join(others)}。"
    yield NO_DECISION
