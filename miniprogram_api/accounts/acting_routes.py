"""/api/v1/me/family, consents, delegations: for whom residents act, what they agree to."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from backend.accounts.codes import CodeUnknown
from backend.accounts.consents import ConsentMissing, ConsentOutdated, UnknownConsent
from backend.accounts.delegation_list import delegations_of
from backend.accounts.delegations import (
    Asked,
    DelegateUnfit,
    DelegationDaysWrong,
    UnknownDelegation,
    delegate,
    end_delegation,
)
from backend.accounts.family import UnknownAuthority, end_authority, family_of
from backend.accounts.family_records import (
    Declared,
    FamilyMemberAdded,
    GuardianshipUndeclared,
    NotAWard,
    take_up_ward,
)
from backend.accounts.own_consents import Agreement, agree, own_consents, take_back
from backend.accounts.residents import PhoneMissing, UnknownPerson
from backend.kernel import keys
from backend.kernel.clock import today
from miniprogram_api import limiting
from miniprogram_api.access import access, acting_for, acting_transaction, actor
from miniprogram_api.accounts.acting_schemas import (
    CONSENTS,
    DECLARED,
    DELEGATING,
    DELEGATIONS,
    FAMILY,
    GIVING,
    MADE,
    delegate_of,
    terms_of,
)
from miniprogram_api.accounts.presenter import present_consents
from miniprogram_api.fields import LARGEST_ID
from miniprogram_api.limiting import Limit
from miniprogram_api.openapi import Blueprint

family = Blueprint("family", __name__, title="家人")
consents = Blueprint("consents", __name__, title="同意")
delegations = Blueprint("delegations", __name__, title="委托代办")

TOLD: Final = Limit("code_told", 20, 3_600)
"""Codes of others that an account may try."""
_MAX: Final = f"int(max={LARGEST_ID})"


@family.route("/me/family", summary="我的家人：我可以代办的，可以添加的孩子，可以代我办理的")
@access("resident", level=2)
@family.response(200, FAMILY, description="家人")
def show_family() -> Response:
    """Those on record."""
    with acting_transaction() as session:
        found = family_of(session, keys.keyring(), actor(), today())
    return jsonify(FAMILY.dump(found))


@family.route(
    "/me/family",
    methods=("POST",),
    summary="添加登记里由我监护的孩子",
    description="声明是监护人；不满十四周岁的，同时同意 children_data。其他家人带凭据到柜台登记。",
)
@access("resident", level=2)
@family.arguments(DECLARED)
@family.response(201, MADE, description="已添加，到孩子成年为止")
@family.refuses(
    NotAWard, GuardianshipUndeclared, FamilyMemberAdded, ConsentMissing, ConsentOutdated
)
def add_to_family(declared: Declared) -> tuple[Response, int]:
    """A guardian takes up a minor."""
    with acting_transaction() as session:
        made = take_up_ward(session, keys.keyring(), actor(), declared, today())
    return jsonify(MADE.dump({"id": made})), 201


@family.route(
    f"/me/family/<{_MAX}:authority>",
    methods=("DELETE",),
    summary="移除一位家人，或不再让一位家人代我办理",
    path={"authority": "编号，从 members 或 helpers 中选"},
)
@access("resident", level=2)
@family.response(204, description="已移除，随即看不到信息")
@family.refuses(UnknownAuthority)
def remove_from_family(authority: int) -> tuple[str, int]:
    """One acts for the other no more."""
    with acting_transaction() as session:
        end_authority(session, actor(), authority)
    return "", 204


@consents.route("/me/consents", summary="同意书，和我给出过的同意")
@access("resident")
@consents.response(200, CONSENTS, description="一事一项")
def show_consents() -> Response:
    """The texts in force, and what was agreed to."""
    with acting_transaction() as session:
        given = own_consents(session, actor())
    return jsonify(CONSENTS.dump(present_consents(given)))


@consents.route(
    "/me/consents",
    methods=("POST",),
    summary="同意一项",
    description="填写读过的版本；同意书有了新版本的，要重新读。已经同意着的，再同意一次还是原来那一份。短信提醒要先绑定手机号。"
    "委托代办、添加孩子的同意，和委托、添加一起给出。",
)
@access("resident", level=2)
@consents.arguments(GIVING)
@consents.response(201, MADE, description="已记下")
@consents.refuses(ConsentOutdated, UnknownPerson, PhoneMissing)
def give_my_consent(sent: dict[str, Any]) -> tuple[Response, int]:
    """One purpose."""
    with acting_transaction() as session:
        whose = acting_for(sent["person"])
        agreement = Agreement(whose, sent["purpose"], sent["version"])
        made = agree(session, keys.keyring(), actor(), agreement)
    return jsonify(MADE.dump({"id": made})), 201


@consents.route(
    f"/me/consents/<{_MAX}:consent>",
    methods=("DELETE",),
    summary="撤回一项同意",
    description="同一项的同意一起撤回（委托代办的，是给同一位受托人的），以它为前提的事随即停止："
    "委托结束，孩子从家人中移除。",
    path={"consent": "编号，从 given 中选"},
)
@access("resident", level=2)
@consents.response(204, description="已撤回")
@consents.refuses(UnknownConsent)
def withdraw_my_consent(consent: int) -> tuple[str, int]:
    """As easily as it was given."""
    with acting_transaction() as session:
        take_back(session, actor(), consent)
    return "", 204


@delegations.route("/me/delegations", summary="我的委托，和委托给我的")
@access("resident", level=2)
@delegations.response(200, DELEGATIONS, description="委托")
def show_delegations() -> Response:
    """Both sides."""
    with acting_transaction() as session:
        found = delegations_of(session, keys.keyring(), actor(), today())
    return jsonify(DELEGATIONS.dump(found))


@delegations.route(
    "/me/delegations",
    methods=("POST",),
    summary="委托：给家庭医生、村居协管员、帮扶干部，或者亲友",
    description="写明代办哪些事、从哪天到哪天，并同意 delegation。委托给亲友的，"
    "请他在自己的小程序里打开身份码。一模一样的委托，再提交一次还是原来那一项。",
)
@access("resident", level=2)
@delegations.arguments(DELEGATING)
@delegations.response(201, MADE, description="已委托")
@delegations.refuses(
    UnknownPerson, DelegationDaysWrong, DelegateUnfit, CodeUnknown, ConsentOutdated
)
def delegate_mine(sent: dict[str, Any]) -> tuple[Response, int]:
    """To one person, for named matters and days."""
    limiting.by_account(actor(), TOLD)
    with acting_transaction() as session:
        terms = terms_of(acting_for(sent["person"]), sent)
        asked = Asked(terms, delegate_of(sent))
        made = delegate(session, keys.keyring(), actor(), asked, today())
    return jsonify(MADE.dump({"id": made})), 201


@delegations.route(
    f"/me/delegations/<{_MAX}:delegation>",
    methods=("DELETE",),
    summary="结束一项委托，或者不再受托",
    description="给同一位受托人的委托一起结束。",
    path={"delegation": "编号"},
)
@access("resident", level=2)
@delegations.response(204, description="已结束，受托人随即看不到委托人的信息")
@delegations.refuses(UnknownDelegation)
def end_my_delegation(delegation: int) -> tuple[str, int]:
    """By either side."""
    with acting_transaction() as session:
        end_delegation(session, actor(), delegation)
    return "", 204
