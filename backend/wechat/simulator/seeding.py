"""演示的预置 (seeding): the app that everybody knows, a few templates, a few invented people."""

from __future__ import annotations

from typing import Any, Final

from backend.kernel.settings_wechat import SIMULATOR_SECRET
from backend.wechat.simulator.control_shapes import NewApp, NewTemplate
from backend.wechat.simulator.state import App, Template, World

APPID: Final = "wxs1mulator0000001"
PUSH_TOKEN: Final = "simulatorpush"
PUSH_AES_KEY: Final = "Simu1atorSimu1atorSimu1atorSimu1atorSimu1at"
RISKY_WORD: Final = "违规词示例"
REVIEW_WORD: Final = "可疑词示例"
_ITEM: Final = (
    "事项:{{thing1.DATA}}\n状态:{{phrase2.DATA}}\n日期:{{date3.DATA}}\n提示:{{thing4.DATA}}"
)
_SERVICE: Final = "事项:{{thing1.DATA}}\n时间:{{time2.DATA}}\n提示:{{thing3.DATA}}"
TEMPLATES: Final = (
    NewTemplate("SIM-PROGRESS", "办理进度提醒", _ITEM),
    NewTemplate("SIM-RESULT", "办理结果通知", _ITEM),
    NewTemplate("SIM-SERVICE", "服务提醒", _SERVICE, kind=3),
)
USERS: Final = {
    "resident1": "19900000001",
    "resident2": "19900000002",
    "resident3": "19900000003",
    "family1": "19900000004",
    "jiangyin1": "19900000005",
    "zhangjiagang1": "19900000006",
    "yueqing1": "19900000007",
    "tinghu1": "19900000008",
}


def put_app(world: World, facts: NewApp) -> App:
    """A new app, or new facts of one."""
    with world.lock:
        app = world.data.apps.get(facts.appid)
        if app is None:
            app = App(facts.appid, facts.secret, f"gh_{world.made_bytes('original', 6).hex()}")
            world.data.apps[facts.appid] = app
        app.secret, app.pages, app.banned = facts.secret, facts.pages, facts.banned
        app.sensitive_words = facts.sensitive_words
        return app


def put_template(world: World, facts: NewTemplate) -> Template:
    """A new template, or new facts of one."""
    with world.lock:
        template = Template(facts.id, world.app(facts.appid).appid, facts.title, facts.content)
        template.kind, template.example = facts.kind, facts.example
        template.enums, template.banned = facts.enums, facts.banned
        world.data.templates[facts.id] = template
        return template


def seed(world: World) -> dict[str, Any]:
    """Make them, where they are not there yet; who and what they are."""
    with world.lock:
        put_app(world, NewApp(APPID, SIMULATOR_SECRET))
        for template in TEMPLATES:
            put_template(world, template)
        world.data.risky_words, world.data.review_words = [RISKY_WORD], [REVIEW_WORD]
        for name, phone in USERS.items():
            if name not in world.data.users:
                world.new_user(name, APPID).phone = phone
    push = {"token": PUSH_TOKEN, "aes_key": PUSH_AES_KEY}
    templates = [one.id for one in TEMPLATES]
    made = {"appid": APPID, "secret": SIMULATOR_SECRET, "push": push}
    return {**made, "templates": templates, "users": list(USERS)}
