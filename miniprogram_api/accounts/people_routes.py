"""/api/v1/people/{person}: what staff confirm and record of residents, at counters and bedsides."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from backend.accounts import counter, family_records
from backend.accounts.codes import CodeUnknown
from backend.accounts.consents import ConsentMissing, ConsentOutdated
from backend.accounts.counter import ConfirmedUnseen, confirm_at_counter
from backend.accounts.delegation_list import delegations_about
from backend.accounts.delegations import (
    AtBedside,
    DelegationDaysWrong,
    UnknownDelegation,
    delegate_at_bedside,
    end_for_person,
)
from backend.accounts.family_records import (
    AuthorityDaysWrong,
    FamilyMemberAdded,
    record_family,
)
from backend.accounts.real_name import AlreadyNamed, PersonHasAccount
from backend.accounts.residents import UnknownPerson
from backend.accounts.staff_tables import DECIDERS, VISITORS
from backend.kernel import keys
from backend.kernel.clock import today
from miniprogram_api import limiting
from miniprogram_api.access import access, acting_transaction, actor
from miniprogram_api.accounts.acting_routes import TOLD
from miniprogram_api.accounts.acting_schemas import (
    BEDSIDE,
    CONFIRMATION,
    DELEGATIONS_ABOUT,
    ENDING,
    MADE,
    RECORDED,
    confirmation_of,
    recorded_of,
    terms_of,
)
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.openapi import Blueprint

people = Blueprint("people", __name__, title="柜台和床旁（工作人员）")

ONE: Final = f"/people/<int(max={LARGEST_ID}):person>"
PATH: Final = {"person": "此人在登记里的编号"}
WHO_SEES: Final = (*VISITORS, *DECIDERS)


@people.route(
    f"{ONE}/confirmations",
    methods=("POST",),
    summary="柜台实名：确认身份码的账号是此人的",
    description="核对身份证原件和本人，请本人在小程序里打开身份码。",
    path=PATH,
)
@access("staff", roles=counter.ROLES)
@people.arguments(CONFIRMATION)
@people.response(204, description="已实名")
@people.refuses(UnknownPerson, ConfirmedUnseen, CodeUnknown, AlreadyNamed, PersonHasAccount)
def confirm_person(sent: dict[str, Any], person: int) -> tuple[str, int]:
    """The account whose code was told is the person's."""
    limiting.by_account(actor(), TOLD)
    with acting_transaction() as session:
        confirm_at_counter(session, actor(), confirmation_of(person, sent), today())
    return "", 204


@people.route(
    f"{ONE}/family",
    methods=("POST",),
    summary="登记谁可以代此人办理",
    description="核对凭据（户口簿、结婚证、授权书等），请代办的家人打开身份码。",
    path=PATH,
)
@access("staff", roles=family_records.ROLES)
@people.arguments(RECORDED)
@people.response(201, MADE, description="已登记")
@people.refuses(
    UnknownPerson, CodeUnknown, FamilyMemberAdded, AuthorityDaysWrong, ConsentMissing,
    ConsentOutdated,
)  # fmt: skip
def record_family_of(sent: dict[str, Any], person: int) -> tuple[Response, int]:
    """The account whose code was told may act for the person."""
    limiting.by_account(actor(), TOLD)
    with acting_transaction() as session:
        recorded = recorded_of(person, sent)
        made = record_family(session, keys.keyring(), actor(), recorded, today())
    return jsonify(MADE.dump({"id": made})), 201


@people.route(f"{ONE}/delegates", summary="谁受此人委托", path=PATH)
@access("staff", roles=WHO_SEES)
@people.response(200, DELEGATIONS_ABOUT, description="委托")
@people.refuses(UnknownPerson)
def show_delegations_of(person: int) -> Response:
    """Of one person."""
    with acting_transaction() as session:
        found = delegations_about(session, keys.keyring(), actor(), person, today())
    return jsonify(DELEGATIONS_ABOUT.dump({"delegations": found}))


@people.route(
    f"{ONE}/delegations",
    methods=("POST",),
    summary="床旁委托：此人委托我代办",
    description="把同意书读给本人听，本人同意后填写凭据。本人随时可以结束。",
    path=PATH,
)
@access("staff", roles=VISITORS)
@people.arguments(BEDSIDE)
@people.response(201, MADE, description="已委托")
@people.refuses(UnknownPerson, DelegationDaysWrong, ConsentOutdated)
def delegate_to_me(sent: dict[str, Any], person: int) -> tuple[Response, int]:
    """Recorded by the one who receives it, with proof."""
    with acting_transaction() as session:
        asked = AtBedside(terms_of(person, sent), sent["proof"])
        made = delegate_at_bedside(session, keys.keyring(), actor(), asked, today())
    return jsonify(MADE.dump({"id": made})), 201


@people.route(
    f"/delegations/<int(max={LARGEST_ID}):delegation>/ending",
    methods=("POST",),
    summary="本人要求结束一项委托",
    path={"delegation": "委托的编号"},
)
@access("staff", roles=WHO_SEES)
@people.arguments(ENDING)
@people.response(204, description="已结束")
@people.refuses(UnknownDelegation)
def end_delegation_at(sent: dict[str, Any], delegation: int) -> tuple[str, int]:
    """On the person's word, told to staff."""
    with acting_transaction() as session:
        end_for_person(session, actor(), delegation, sent["channel"])
    return "", 204
