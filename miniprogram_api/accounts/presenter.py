"""Residents' files, who looked at them, and consents, with the names that people know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from backend.accounts.consent_texts import consent_texts
from backend.accounts.consents import Consent
from backend.accounts.own_file import OwnFile
from backend.kernel.audit_seen import Seen
from backend.kernel.audit_words import FIELDS, PURPOSES, ROLES
from backend.policies.book import Vocabulary

Json = dict[str, Any]


def present_file(file: OwnFile, vocabulary: Vocabulary) -> Json:
    """The file with names of categories, roles and places."""
    return asdict(file) | {
        "area": {"code": file.area, "name": file.area_name},
        "lives_in": {"code": file.lives_in, "name": file.lives_in_name},
        "identities": [
            asdict(one) | {"category": _category(vocabulary, one.category)}
            for one in file.identities
        ],
        "carers": [asdict(one) | {"role": ROLES.get(one.role, one.role)} for one in file.carers],
    }


def present_viewers(viewers: Sequence[Seen], most: int) -> Json:
    """A page of looks in words; `most`: that were asked for."""
    return {
        "next": viewers[-1].id if len(viewers) == most else None,
        "viewers": [
            {
                "at": one.at,
                "by": one.by,
                "why": PURPOSES.get(one.purpose),
                "parts": [FIELDS[part] for part in one.fields if part in FIELDS],
                "sentence": one.sentence,
            }
            for one in viewers
        ],
    }


def present_consents(given: Mapping[str, tuple[Consent, ...]]) -> Json:
    """Every purpose with the text in force and the consents given to it."""
    texts = consent_texts()
    return {
        "statutory": texts.statutory,
        "purposes": [
            {
                "purpose": code,
                "title": purpose.title,
                "basis": purpose.basis,
                "alone": purpose.alone,
                "version": purpose.current.version,
                "text": purpose.current.text,
                "sha256": purpose.current.sha256,
                "given": [asdict(one) for one in given.get(code, ())],
            }
            for code, purpose in texts.purposes.items()
        ],
    }


def _category(vocabulary: Vocabulary, code: str) -> Json:
    known = code in vocabulary.categories
    return {"code": code, "name": vocabulary.category_name(code) if known else code}
