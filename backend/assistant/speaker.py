"""应答 (the speaker): answers one utterance after another; everything it knows is passed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from msgspec import structs

from backend.assistant import sayings
from backend.assistant.asked import answer_asked
from backend.assistant.danger import Danger
from backend.assistant.dialogue import Dialogue, Turn
from backend.assistant.hearing import LONGEST
from backend.assistant.lexicon import lexicon
from backend.assistant.orders import is_order, orders
from backend.assistant.pages import page
from backend.assistant.places import place_alone, place_in
from backend.assistant.progress import NOT_KNOWN, told, told_of_family
from backend.assistant.replies import Cause, Known, Memory, Reply
from backend.assistant.sheet import Sheet
from backend.assistant.slots import slot_words
from backend.assistant.understanding import Intent, Understand, Understood
from backend.estimation.terms import Rules
from backend.kernel import areas
from backend.policies.search.words import normalise
from backend.wechat import pages

AT_ONCE: Final[frozenset[Intent]] = frozenset({"emergency", "fraud", "person"})
"""Intents that no question of ours holds up."""
INTERRUPTING: Final[frozenset[Intent]] = frozenset(
    {"policy", "progress", "settings", "complaint", "lost_paper", "my_details", "access"}
)
_HANDED_OVER: Final[frozenset[Intent]] = frozenset({"complaint", "my_details"})
"""Intents by which an estimate ends, so that mere likeness does not make them."""
_ASKS_BACK: Final = re.compile(r"[?吗呢伐]$|几成|怎么|什么|哪|为啥|多久")
_MISSED: Final = 4
"""Characters of a text that, by likeness alone, interrupts no estimate."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """One utterance with all that is known when it is answered."""

    said: str
    heard: str
    understood: Understood
    memory: Memory
    known: Known

    @property
    def area(self) -> str | None:
        """Where the person is registered: as the register says, else as they said."""
        return self.known.area or self.memory.area

    def only(self, memory: Memory) -> _Heard:
        """The second question of one breath, by itself."""
        intent, words = self.understood.also or (self.understood.intent, self.said)
        second = Understood(intent, self.understood.slots)
        return replace(self, said=words, understood=second, memory=memory)


class Speaker:
    """Answers by the rules of a day. Holds nothing of any conversation; safe for threads.

    `emergency_area`: whose list gets an emergency where the place is not known or not served; None:
    the first place that has a policy.
    """

    def __init__(
        self, understand: Understand, rules: Rules, today: date, emergency_area: str | None = None
    ) -> None:
        self._understand, self._rules = understand, rules
        self.today: Final = today
        served = (policy.area for policy in rules.book.policies.values() if policy.area)
        self._danger = Danger(rules.book, emergency_area or min(served))
        self._dialogue = Dialogue(rules, today)
        self._by_intent: Mapping[Intent, Callable[[_Heard], Reply]] = {
            "emergency": self._emergency,
            "fraud": self._fraud,
            "progress": self._progress,
            "settings": self._settings,
            "complaint": self._complaint,
            "lost_paper": self._lost_paper,
            "my_details": self._my_details,
            "access": self._access,
            "person": self._person,
            "estimate": self._estimate,
            "policy": self._policy,
            "greeting": self._greeting,
            "out_of_scope": self._out_of_scope,
        }

    def reply(self, said: str, memory: Memory, known: Known) -> Reply:
        """What to say to an utterance. The same things known give the same reply."""
        if not said.strip():
            return Reply("greeting", (sayings.EMPTY,), memory)
        understood = self._understand(said, self.today)
        one = _Heard(said, normalise(said[:LONGEST]), understood, memory, known)
        reply = self._in_turn(one)
        place = known.area or reply.memory.area or understood.slots.area
        return self._danger.remembered(reply, place)

    def _in_turn(self, one: _Heard) -> Reply:
        understood, memory = one.understood, one.memory
        if understood.intent in AT_ONCE and (understood.sure or not is_order(one.heard)):
            return self._by_intent[understood.intent](one)
        if memory.sheet is not None:
            return self._in_dialogue(one, memory.sheet)
        if orders(slot_words().stop, one.heard):
            left = sayings.LEFT_IN_DANGER if memory.in_danger else sayings.LEFT
            return Reply("greeting", (left,), memory.without_question())
        if orders(slot_words().restart, one.heard):
            return self._estimate(replace(one, memory=memory.without_question()))
        if memory.waiting:
            return self._with_place(one)
        if is_order(one.heard) and understood.intent != "estimate":
            return self._greeting(one)
        return self._in_general(one)

    def _in_general(self, one: _Heard) -> Reply:
        place = place_alone(one.heard)
        if place is not None and one.memory.question:
            return self._policy(replace(one, said=one.memory.question), place)
        if place is not None and one.memory.in_danger:
            return Reply("emergency", (), structs.replace(one.memory, area=place))
        if one.understood.intent in _HANDED_OVER and not _says_enough(one):
            known = lexicon().instead(one.heard) is not None
            unclear = Reply("out_of_scope", (sayings.UNCLEAR,), one.memory)
            return self._policy(one) if known else unclear
        first = self._by_intent[one.understood.intent](one)
        if one.understood.also is None or first.hand_over is not None:
            return first
        second = self._by_intent[one.understood.also[0]](one.only(first.memory))
        return replace(
            second,
            intent=first.intent,
            texts=(*first.texts, *second.texts),
            card=first.card or second.card,
        )

    # -- an estimate that is under way -------------------------------------------------------------

    def _in_dialogue(self, one: _Heard, sheet: Sheet) -> Reply:
        intent = one.understood.intent
        if intent == "policy" and _ASKS_BACK.search(one.heard):
            return self._interrupted(one, sheet)
        turn = self._dialogue.answer(sheet, one.heard, one.understood.slots, one.known.area)
        if turn.understood or intent not in INTERRUPTING or not _says_more(one):
            return self._turned(one, turn)
        reply = self._interrupted(one, sheet)
        unanswered = intent == "policy" and reply.card is None
        return self._turned(one, turn) if unanswered else reply

    def _interrupted(self, one: _Heard, sheet: Sheet) -> Reply:
        """The answer to what was asked in between, then the open question again."""
        reply = self._by_intent[one.understood.intent](one)
        if reply.hand_over is not None or reply.memory.waiting:
            return reply
        texts = (*reply.texts, self._dialogue.repeat(sheet))
        return replace(reply, texts=texts, memory=structs.replace(reply.memory, sheet=sheet))

    def _turned(self, one: _Heard, turn: Turn) -> Reply:
        area = turn.area or one.memory.area
        memory = structs.replace(one.memory, sheet=turn.sheet, area=area)
        card = page("自己再算一算", pages.ESTIMATE, area=area) if turn.computed else None
        return Reply("estimate", (turn.text,), memory, card)

    # -- one intent each ---------------------------------------------------------------------------

    def _emergency(self, one: _Heard) -> Reply:
        low = lexicon().holds("self_harm", one.heard)
        if not low:
            return Reply("emergency", (sayings.AMBULANCE,), one.memory)
        named = one.understood.slots.area or one.memory.area
        place = one.known.area or named
        memory = structs.replace(one.memory.without_question(), sheet=None, area=named)
        if place is None:
            memory = structs.replace(memory, waiting="place_for_person", cause="emergency")
        handed, area = self._danger.handed(place)
        where = "" if place else sayings.WHERE_IN_DANGER
        texts = (f"{sayings.COMFORT}{handed}{where}",)
        return Reply("emergency", texts, memory, None, "emergency", area)

    def _fraud(self, one: _Heard) -> Reply:
        return Reply("fraud", (sayings.SWINDLE,), one.memory)

    def _progress(self, one: _Heard) -> Reply:
        if not one.known.person:
            card = page("去实名登记", pages.REAL_NAME)
            return Reply("progress", (NOT_KNOWN,), one.memory, card)
        card = page("查看办理进度", pages.PROGRESS)
        of_kin = lexicon().holds("kin", one.heard)
        said = told_of_family(one.known.stages) if of_kin else told(one.known.stages)
        return Reply("progress", (said,), one.memory, card)

    def _settings(self, one: _Heard) -> Reply:
        card = page("消息设置", pages.SETTINGS)
        return Reply("settings", (sayings.SETTINGS,), one.memory, card)

    def _complaint(self, one: _Heard) -> Reply:
        return self._to_person(one, sayings.COMPLAINT, "complaint")

    def _lost_paper(self, one: _Heard) -> Reply:
        card = page("查看给我的通知", pages.MESSAGES)
        return Reply("lost_paper", (sayings.LOST,), one.memory, card)

    def _my_details(self, one: _Heard) -> Reply:
        return self._to_person(one, sayings.DETAILS, "details")

    def _access(self, one: _Heard) -> Reply:
        return Reply("access", (sayings.ACCESS,), one.memory)

    def _person(self, one: _Heard) -> Reply:
        return self._to_person(one, sayings.HUMAN, "asked")

    def _estimate(self, one: _Heard) -> Reply:
        return self._turned(one, self._dialogue.start(one.understood.slots, one.area))

    def _policy(self, one: _Heard, place: str | None = None) -> Reply:
        """`place`: named after the question."""
        named = place or one.understood.slots.area
        asked, answer = answer_asked(one.said, named or one.area, self._rules.book, self.today)
        area = named or one.memory.area
        memory = structs.replace(one.memory, question=asked[:LONGEST], area=area)
        return Reply("policy", (answer.text,), memory, answer.card)

    def _greeting(self, one: _Heard) -> Reply:
        thanks = lexicon().holds("thanks", one.heard)
        text = sayings.THANKS if thanks else sayings.WELCOME
        return Reply("greeting", (text,), one.memory)

    def _out_of_scope(self, one: _Heard) -> Reply:
        return Reply("out_of_scope", (sayings.OUT_OF_SCOPE,), one.memory)

    # -- handing over ------------------------------------------------------------------------------

    def _to_person(self, one: _Heard, first: str, cause: Cause) -> Reply:
        intent, place = one.understood.intent, self._served(one)
        free = one.memory if one.memory.in_danger else one.memory.without_question()
        memory = structs.replace(free, sheet=None, area=place or free.area)
        if one.known.handed_over:
            return Reply(intent, (first + sayings.ALREADY,), memory)
        area = one.known.area or place
        if area is None:
            first_cause = "emergency" if memory.in_danger else cause
            waiting = structs.replace(memory, waiting="place_for_person", cause=first_cause)
            return Reply(intent, (first + sayings.WHERE_FOR_PERSON,), waiting)
        return self._handed_over(Reply(intent, (first,), memory, None, cause, area))

    def _served(self, one: _Heard) -> str | None:
        """The place that was named and has staff here. Any other is asked for: a place that is
        merely mentioned, as where somebody was treated, sends nobody away."""
        named = (one.understood.slots.area, one.memory.area)
        return next((area for area in named if area and self._rules.book.concerning(area)), None)

    def _handed_over(self, reply: Reply) -> Reply:
        """With the word that it is handed over; nobody reads the list of a place without policy."""
        area = reply.area or ""
        if not self._rules.book.concerning(area):
            texts = (f"{reply.texts[0]}{sayings.NOT_SERVED}",)
            return replace(reply, texts=texts, hand_over=None, area=None)
        name = areas.area_short_name(area) or "当地"
        return replace(reply, texts=(f"{reply.texts[0]}{sayings.HANDED_OVER.format(name)}",))

    def _with_place(self, one: _Heard) -> Reply:
        """What was said when the place was asked: the place, or something else."""
        area = one.understood.slots.area or place_in(one.heard)
        intent, free = one.understood.intent, one.memory.without_question()
        if area is not None and (free.in_danger or one.known.handed_over):
            texts = () if free.in_danger else (sayings.ALREADY,)
            return Reply(intent, texts, structs.replace(free, area=area))
        if area is not None:
            memory, cause = structs.replace(free, area=area), one.memory.cause or "asked"
            reply = self._handed_over(Reply(intent, ("",), memory, None, cause, area))
            if reply.hand_over is not None:
                return reply
            waiting = structs.replace(one.memory, area=area, asked_twice=True)
            text = f"{sayings.NOT_SERVED}{sayings.ELSEWHERE}"
            return replace(reply, texts=(text,), memory=waiting)
        thanks = lexicon().holds("thanks", one.heard)
        if thanks or intent in (*INTERRUPTING, "estimate"):
            return self._in_general(replace(one, memory=free))
        again = structs.replace(one.memory, asked_twice=True)
        text = sayings.WHERE_AGAIN_IN_DANGER if free.in_danger else sayings.WHERE_AGAIN
        return Reply("person", (text,), free if one.memory.asked_twice else again)


def _says_more(one: _Heard) -> bool:
    """Whether a text is more than an answer that missed: `不对` is no wish to change details."""
    long = len(one.heard) > _MISSED and one.understood.intent not in _HANDED_OVER
    return one.understood.sure or long


def _says_enough(one: _Heard) -> bool:
    """Whether a text says enough to be handed over though nobody asked for a person."""
    return one.understood.sure or len(one.heard) > _MISSED
