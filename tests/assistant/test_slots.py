from __future__ import annotations

from datetime import date

import pytest

from backend.assistant.slots import SlotReader, slot_words
from backend.assistant.understanding import Slots
from backend.policies.book import PolicyBook
from backend.policies.search.words import normalise

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def reader(book: PolicyBook) -> SlotReader:
    return SlotReader(book)


def read(reader: SlotReader, said: str) -> Slots:
    return reader.read(normalise(said), TODAY)


def test_one_breath_may_name_everything(reader: SlotReader) -> None:
    said = "江阴低保，去年三月住院花了三万二，医保付了两万，大病保险付了8千，自己掏了四千"
    assert read(reader, said) == Slots(
        categories=("subsistence_allowance",),
        setting="inpatient",
        day=date(2025, 3, 31),
        total=3_200_000,
        own=400_000,
        paid={"basic": 2_000_000, "serious_illness": 800_000},
        area="320281",
    )


def test_what_is_said_after_a_sum_counts_where_nothing_is_said_before(reader: SlotReader) -> None:
    slots = read(reader, "3万是医保报的，总共5万")
    assert (slots.total, slots.paid) == (5_000_000, {"basic": 3_000_000})


def test_a_category_that_is_denied_is_not_held(reader: SlotReader) -> None:
    for said in ("我不是低保", "没有低保", "低保被取消了", "低保没了"):
        assert read(reader, said).categories == ()


def test_the_longest_name_of_a_category_counts(reader: SlotReader) -> None:
    assert read(reader, "特困职工").categories == ("destitute_worker",)
    assert read(reader, "低保边缘户").categories == ("subsistence_marginal",)


def test_two_categories_are_both_held(reader: SlotReader) -> None:
    named = read(reader, "残疾证一级，又是低保").categories
    assert set(named) == {"severely_disabled", "subsistence_allowance"}


def test_sums_that_are_neither_cost_nor_payment_are_left_out(reader: SlotReader) -> None:
    slots = read(reader, "家里收入两万，自费药花了5000，总共三万")
    assert (slots.total, slots.paid, slots.own) == (3_000_000, {}, None)


def test_a_place_without_a_policy_is_taken_for_an_ordinary_word(reader: SlotReader) -> None:
    assert read(reader, "我在和平路的公安局").area is None


def test_every_category_of_the_file_is_one_of_the_vocabulary(book: PolicyBook) -> None:
    assert slot_words().categories.keys() == book.vocabulary.categories.keys()
    assert slot_words().settings.keys() == book.vocabulary.settings.keys()
    special = {"own", "in_scope", "ignored", "total"}
    assert slot_words().sums.keys() - special <= book.vocabulary.layers.keys()
