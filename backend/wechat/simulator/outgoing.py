"""推送内容 (outgoing): what the platform tells the app's server about a user."""

from __future__ import annotations

from typing import Any

from backend.wechat.simulator.state import App, Outgoing, User, World


def tell_event(world: World, user: User, event: str, more: dict[str, Any]) -> None:
    """Push an event about a user."""
    tell(world, user, {"MsgType": "event", "Event": event, **more})


def tell(world: World, user: User, message: dict[str, Any]) -> None:
    """Push a message of a user; nothing happens when the app has no push configured."""
    app = world.app(user.appid)
    if app.push is None:
        return
    headed = _headed(world, app, user, message)
    world.outgoing.put(Outgoing(world.age, app.appid, user.openid, headed))


def _headed(world: World, app: App, user: User, message: dict[str, Any]) -> dict[str, Any]:
    moment = int(world.now())
    return {
        "ToUserName": app.original,
        "FromUserName": user.openid,
        "CreateTime": str(moment) if world.data.quirks.create_time_is_text else moment,
        **message,
    }
