"""The shared vocabulary with the names of a day, ready for its schema."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from backend.policies.book import PolicyBook, Vocabulary
from backend.policies.shared_shapes import CategoryShape


def terms_on(book: PolicyBook, day: date) -> Mapping[str, Any]:
    """Every code with its Chinese name on the day, in the order of the law; how all is computed."""
    vocabulary, shape = book.vocabulary, book.vocabulary.shape
    return {
        "on": day,
        "categories": [_category(one, vocabulary, day) for one in shape.categories],
        "settings": shape.settings,
        "layers": shape.layers,
        "disease_groups": shape.disease_groups,
        "flags": shape.flags,
        "departments": [_department(code, vocabulary) for code in shape.departments],
        "conventions": book.conventions,
    }


def _category(category: CategoryShape, vocabulary: Vocabulary, day: date) -> Mapping[str, Any]:
    return {
        "code": category.code,
        "name": vocabulary.category_name(category.code, day),
        "aliases": category.aliases,
        "departments": [_department(code, vocabulary) for code in category.departments],
        "child": category.child,
    }


def _department(code: str, vocabulary: Vocabulary) -> Mapping[str, str]:
    return {"code": code, "name": vocabulary.shape.departments[code]}
