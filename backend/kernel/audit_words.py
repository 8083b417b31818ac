"""审计用语 (audit words): what people read of the audit: which role, why, which part of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ROLES: Final[Mapping[str, str]] = {
    "family_doctor": "家庭医生",
    "village_coordinator": "村居协管员",
    "cadre": "帮扶干部",
    "township_reviewer": "乡镇（街道）初审员",
    "county_officer": "县级经办人员",
    "city_officer": "市级经办人员",
    "auditor": "审计员",
    "system_admin": "系统管理员",
    "resident": "本人或家人",
    "operator": "系统运行人员",
}
"""Role → its name. `operator`: who runs commands on the server."""

PURPOSES: Final[Mapping[str, str]] = {
    "own": "查看本人或家人的情况",
    "visit": "入户走访、核实情况",
    "review": "审核救助",
    "decide": "决定救助",
    "pay": "发放救助金",
    "statement": "送达化解清单",
    "delegated": "受委托代为办理",
    "acted_for": "查看谁代为办理",
    "counsel": "答复咨询",
    "correct": "更正登记信息",
    "verify": "核对本人身份",
    "export": "导出数据",
    "explain": "说明救助金怎么算出来",
}
"""Purpose → what a resident is told."""

FIELDS: Final[Mapping[str, str]] = {
    "name": "姓名",
    "basic": "姓名和住址",
    "number": "身份证号码",
    "phone": "电话",
    "household": "家庭情况",
    "identities": "救助身份",
    "bills": "医疗费用",
    "diagnosis": "诊断",
    "grants": "救助金",
    "account": "收款账户",
    "visits": "走访记录",
    "applications": "申请和进度",
    "papers": "申请材料",
    "messages": "消息和对话",
    "consents": "同意和委托",
    "viewers": "查看记录",
}
"""Part of a file → its name."""
