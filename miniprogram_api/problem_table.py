"""问题的对照表 (problem table): of every refusal of the domain its status, title and advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of refusal. `advice`: what a person does about it, used where there is no detail."""

    code: str
    status: int
    title: str
    advice: str


def by_code(*problems: Problem) -> Mapping[str, Problem]:
    """Problems by their codes."""
    return {problem.code: problem for problem in problems}


DOMAIN: Final = by_code(
    Problem("invalid-case", 422, "测算的内容有误", "请按 errors 中逐项说明改正后重新测算。"),
    Problem("invalid-what-if", 422, "试算的问题有误", "请按 errors 中逐项说明改正后重新试算。"),
    Problem("unknown-policy", 404, "没有这个政策", "请从 /api/v1/policies 列出的政策中选一个。"),
    Problem("unknown-area", 404, "没有这个地区", "请填写六位行政区划代码，例如 320281。"),
    Problem("unknown-clause", 404, "没有这一条", "请从政策的条款中选一条，例如 四(六)。"),
    Problem("dates-reversed", 422, "日期前后颠倒", "请核对两个日期，后一个不能早于前一个。"),
    Problem("unknown-work-item", 404, "没有这件待办", "请核对待办的编号。"),
    Problem("work-item-closed", 409, "这件待办已经办结", "请刷新后再看。"),
    Problem("work-item-outcome-unknown", 422, "没有这种办理结果", "请从该种待办的结果中选一个。"),
    Problem("unknown-chat", 404, "没有这段对话", "可能已经办结，请刷新后再看。"),
    Problem(
        "chat-ended",
        409,
        "对方已经注销账号，这里发不出去",
        "请打电话，或者请协管员上门告诉本人，然后办结这件待办。",
    ),
    Problem(
        "chat-said-since",
        409,
        "对方又说了话，还不能办结",
        "答复没有送出。请重新打开这段对话，看过新的话，再答复、办结。",
    ),
    Problem("unknown-message", 404, "没有这条消息", "请刷新后再看。"),
    Problem("unknown-warning", 404, "没有这条预警", "请核对预警的编号。"),
    Problem("warning-decided", 409, "这条预警已经办结", "请刷新后再看。"),
    Problem("warning-reason-missing", 422, "没有写明理由", "不属实的，请写明核查到的情况和理由。"),
    Problem("visit-day-impossible", 422, "入户的日期不对", "请填发出预警之日至今天之间的日期。"),
    Problem("dates-not-confirmable", 409, "施行期不需要确认", "文件已写明施行期，请以文件为准。"),
    Problem("unknown-payment", 404, "没有这笔支付", "请核对批次号或笔号。"),
    Problem("payment-wrong-state", 409, "支付的状态已有变化", "请重新查看后再办理。"),
    Problem("payment-same-person", 403, "须由另一人审批", "经办、复核、审批须是三个不同的人。"),
    Problem("unknown-run", 404, "没有这次运行", "请从 /api/v1/runs 列出的运行中选一个。"),
    Problem("run-not-computed", 409, "运行还不能放行", "请等它算完；已经放行的不必再放行。"),
    Problem("second-person-needed", 403, "须由另一人放行", "请由没有放行过的另一个人放行。"),
    Problem("unknown-bill", 404, "没有这张结算单", "请核对结算单的单号。"),
    Problem("unknown-file", 404, "没有这份文件", "请核对文件的编号。"),
    Problem("file-busy", 409, "文件正在导入", "请等它导入完成后再试。"),
    Problem(
        "roster-counties-missing", 409, "全量名册没有写明来自哪里", "请按说明写明名册来自哪个县。"
    ),
    Problem("file-loaded-otherwise", 409, "文件已按另一种情况导入", "请按说明先撤回，再重新导入。"),
    Problem("undo-impossible", 409, "文件不能撤回", "请按说明先撤回后来的文件。"),
    Problem("sign-in-refused", 422, "没有登录成功", "请核对工号、口令和动态码后再试。"),
    Problem("password-must-change", 403, "须先改口令", "请填写新口令，和原口令一起提交。"),
    Problem("weak-password", 422, "新口令不能用", "请按说明换一个新口令。"),
    Problem("no-duty", 409, "目前没有任职", "请联系系统管理员。"),
    Problem("unknown-duty", 404, "没有这项任职", "请核对任职的编号。"),
    Problem("duties-not-apart", 409, "任职不能兼任", "请先结束另一项任职，或换一个人。"),
    Problem("duty-area-wrong", 422, "任职的地区不对", "请填与职责相称的地区代码。"),
    Problem("duty-days-wrong", 422, "任职的日期不对", "请核对开始和结束的日期。"),
    Problem("unknown-staff", 404, "没有这个工号", "请核对工号。"),
    Problem("staff-number-taken", 409, "工号已有人用", "请换一个工号。"),
    Problem("staff-number-wrong", 422, "工号的写法不对", "请用英文字母和数字。"),
    Problem("successor-unfit", 409, "不能移交给此人", "请移交给另一位在用的人员。"),
    Problem("login-code-unusable", 422, "没有登录成功", "请退出小程序，重新打开，再登录一次。"),
    Problem("login-blocked", 403, "微信限制了登录", "请按微信的提示处理，或到柜台办理。"),
    Problem("phone-code-unusable", 422, "没有取得手机号", "请再点一次“获取手机号”。"),
    Problem("phone-unusable", 422, "手机号不能用", "请绑定中国内地的手机号。"),
    Problem("identity-malformed", 422, "姓名或身份证号的写法不对", "请对照身份证核对后再填。"),
    Problem("name-not-matched", 422, "没有核对上", "请对照身份证核对后再试，或到柜台办理。"),
    Problem("too-many-identity-tries", 429, "试的次数太多", "请过几个小时再试，或到柜台办理。"),
    Problem(
        "already-named",
        409,
        "这个账号已经实名",
        "一个账号只能实名一个人；要给家人办理的，请在“家人”或“委托代办”里添加。",
    ),
    Problem("person-has-account", 409, "已在另一个微信号上实名", "请用那个微信号，或到柜台更换。"),
    Problem("not-named", 403, "还没有实名", "请先完成实名认证，再办理此事。"),
    Problem("phone-missing", 403, "还没有绑定手机号", "请先绑定手机号，再办理此事。"),
    Problem("unknown-person", 404, "没有找到这个人", "请核对编号；可能不属于您能查看的范围。"),
    Problem("account-code-unknown", 422, "身份码不对", "请对方重新打开身份码，再填一次。"),
    Problem("identity-card-unseen", 422, "还没有核对身份证", "请先核对身份证原件，再确认。"),
    Problem("consent-outdated", 409, "同意书有了新的版本", "请重新阅读，再同意。"),
    Problem("consent-missing", 409, "还没有同意", "请先阅读并同意，再办理。"),
    Problem("unknown-consent", 404, "没有这份同意", "可能已经撤回，请刷新后再看。"),
    Problem("unknown-authority", 404, "没有这位家人", "可能已经移除，请刷新后再看。"),
    Problem("not-a-ward", 422, "登记中不是监护人", "请带户口簿或出生证明到柜台办理。"),
    Problem("guardianship-undeclared", 422, "还没有声明", "请先声明您是监护人，再添加。"),
    Problem("family-member-added", 409, "这位家人已经添加", "不必再添加。"),
    Problem("authority-days-wrong", 422, "授权的日期不对", "请核对结束的日期。"),
    Problem("delegate-unfit", 422, "不能委托给此人", "请核对工号，或请受托人出示身份码。"),
    Problem("delegation-days-wrong", 422, "委托的日期不对", "从今天或以后开始，最长一年。"),
    Problem("unknown-delegation", 404, "没有这项委托", "可能已经结束，请刷新后再看。"),
    Problem("unknown-paper", 404, "没有这份材料", "可能已经删除，请刷新后再看。"),
    Problem("no-case-for-papers", 404, "没有这件申请", "请刷新后再看。"),
    Problem("papers-closed", 409, "现在不能改材料", "要补充的，请等工作人员通知补正。"),
    Problem("too-many-papers", 409, "材料已经够多", "请先删除不用的，再上传。"),
    Problem("paper-too-large", 422, "文件太大", "请重新拍照，或分成几个文件上传。"),
    Problem("paper-key-used", 409, "编号已经用过", "请换一个新的编号，再上传。"),
    Problem("paper-piece-wrong", 422, "这一块不对", "请核对编号和长度，重传这一块。"),
    Problem("paper-piece-differs", 409, "这一块和以前传的不一样", "请重新选择文件，从头上传。"),
    Problem("paper-not-whole", 409, "文件没有传全", "请按说明补传，再提交一次。"),
    Problem("unknown-application", 404, "没有这件申请", "请刷新后再看。"),
    Problem("unknown-progress-code", 404, "没有查到这个查询码", "请核对 10 位查询码后再查。"),
    Problem("unknown-application-kind", 404, "这里没有这种申请", "请从列出的种类中选一种。"),
    Problem("application-moved", 409, "这件申请刚有人办过", "请刷新，看过新的进展再办。"),
    Problem("application-deed-impossible", 409, "现在不能这样办", "请刷新后再看。"),
    Problem("application-not-your-desk", 403, "不在您这里办", "请刷新清单后再看。"),
    Problem("application-another-person", 403, "须由另一人办理", "请交给没有办过、也无关的同事。"),
    Problem("application-reason-missing", 422, "没有写明理由", "请选择理由，写明情况。"),
    Problem("application-unknown-reason", 422, "没有这个理由", "请从列出的理由中选一个。"),
    Problem("application-already-going", 409, "同一件事已经在办", "请从“我的申请”里打开那一件。"),
    Problem("application-bill-claimed", 409, "费用单已在另一件申请里", "请改选，或打开那一件。"),
    Problem("application-promise-barred", 403, "暂时不能用承诺申请", "请带证明材料到窗口申请。"),
    Problem("application-grant-wrong", 409, "金额没有登记", "请按说明改正后再登记。"),
    Problem("application-answer-wrong", 422, "填写的内容不对", "请按说明改正后再保存。"),
    Problem("application-answer-changed", 409, "这一项刚在别处改过", "请刷新后再改。"),
    Problem("application-unknown-field", 404, "没有这一项", "请刷新页面后再填。"),
    Problem("application-key-used", 409, "编号已经用过", "请重新打开页面，再申请一次。"),
    Problem("application-no-fast-lane", 409, "没有急重病通道", "请按一般办法申请。"),
    Problem("application-not-complete", 422, "还没有填全", "请按列出的逐项补上，再提交。"),
    Problem("application-no-letter", 409, "不用签承诺书", "请直接提交。"),
    Problem("commitment-not-signed", 409, "承诺书还没有签字", "请阅读承诺书并签字，再提交。"),
    Problem("application-taken", 409, "同事已经领办", "请从清单里另选一件。"),
    Problem("application-not-taken", 409, "不是您领办的", "请先领办，或刷新清单。"),
    Problem("application-successor-unfit", 409, "不能转交给此人", "请转交给同岗位的另一位同事。"),
    Problem("unknown-letter", 404, "没有这份文书", "请从申请里重新打开。"),
    Problem("letter-moved", 409, "文书刚刚有了变化", "请刷新，看过再办。"),
    Problem("letter-deed-impossible", 409, "文书现在不能这样办", "请刷新后再看。"),
    Problem("letter-unread", 409, "还没有看完", "请打开文书，看到最后，再签名。"),
    Problem("letter-outdated", 409, "文书有了新的内容", "请重新打开，看过再签。"),
    Problem("signature-wrong", 422, "签名没有收下", "请在空白处写下姓名，再提交。"),
    Problem("letter-unprintable", 422, "文书排不出来", "请把特别少见的符号改掉，或到柜台办理。"),
    Problem("letter-seal-missing", 503, "还没有电子印章", "请到柜台签纸质的。"),
    Problem("payment-outdated", 409, "支付批次已过时", "请撤销批次，再重新生成。"),
    Problem("wechat-failed", 502, "微信没有办成", "请稍后再试。"),
    Problem("wechat-refused", 502, "微信没有接受", "请退出小程序，重新打开后再试。"),
    Problem("wechat-busy", 503, "微信正忙", "请过一分钟再试。"),
    Problem(
        "wechat-unknown",
        504,
        "微信没有答复",
        "不知道微信是否已经办了：请先查看结果，再决定是否重试。",
    ),
    Problem("wechat-unavailable", 503, "微信暂时连不上", "请稍后再试。"),
    Problem("wechat-not-configured", 503, "还没有接通小程序", "请联系管理员接通小程序。"),
)
