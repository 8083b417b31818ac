"""换密钥的范围 (keyed): what of the tables of people depends on the master and index keys."""

from __future__ import annotations

from typing import Final

from backend.kernel.rotation import BlindIndex, Keyed

_NUMBER: Final = BlindIndex("number_index", "id_number", sealed="number")
_PHONE: Final = BlindIndex("phone_index", "phone", sealed="phone")

KEYED: Final = (
    Keyed("person", row="id", person="id", wrapped="data_key", indexes=(_PHONE,)),
    Keyed("person_number", row="person_id", person="person_id", indexes=(_NUMBER,)),
    Keyed(
        "household",
        row="id",
        indexes=(BlindIndex("number_index", "household", sealed="number"),),
        shared=("number",),
    ),
    Keyed(
        "person_history",
        row="id",
        person="id",
        place="person",
        wrapped="data_key",
        indexes=(_PHONE,),
    ),
    Keyed(
        "person_number_history",
        row="person_id",
        person="person_id",
        place="person_number",
        indexes=(_NUMBER,),
    ),
)
