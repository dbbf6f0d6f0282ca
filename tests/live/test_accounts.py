"""What somebody could do who has our accounts in Asterisk: no shell, no file, no address, no System (TRUST 19)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bench.figures import at_most
from pbx.adapters.asterisk.ami_once import ami_once
from pbx.adapters.asterisk.ari import AriError
from pbx.adapters.asterisk.embedded import is_ours
from pbx.adapters.asterisk.embedded.errors import BuildError
from pbx.adapters.asterisk.embedded.recipe import FORBIDDEN
from tests.live.stage import Scene, Stack
from tests.support.trust import Measured

EVIL = Path("/tmp/switchhook-must-not-be-there")
FUNCTIONS = (
    f"SHELL(touch {EVIL})",
    "CURL(http://127.0.0.1:1/)",
    "ENV(PATH)",
    "FILE(/etc/passwd)",
    "STAT(e,/etc/passwd)",
    "AST_CONFIG(manager.conf,switchhook,secret)",
    "ODBC_SQL(1)",
    "EVAL(${SHELL(id)})",
    "EVAL(${ENV(HOME)})",
    "DB(registrar/contact)",
    "SYSINFO(loadavg)",
    "JSON_DECODE(x,y)",
)
ACTIONS: tuple[dict[str, str], ...] = (
    {"Action": "Command", "Command": f"!touch {EVIL}"},
    {"Action": "Command", "Command": "core show version"},
    {"Action": "Command", "Command": "dialplan add extension 1,1,System,id into from-endpoint"},
    {"Action": "Originate", "Channel": "Local/1@from-endpoint", "Application": "System", "Data": f"touch {EVIL}"},
    {
        "Action": "Originate",
        "Channel": "Local/1@from-endpoint",
        "Context": "from-endpoint",
        "Exten": "1",
        "Priority": "1",
    },
    {"Action": "GetConfig", "Filename": "manager.conf"},
    {"Action": "GetConfigJSON", "Filename": "pjsip.conf"},
    {"Action": "UpdateConfig", "SrcFilename": "manager.conf", "DstFilename": "manager.conf", "Action-000000": "NewCat"},
    {"Action": "CreateConfig", "Filename": "evil.conf"},
    {"Action": "ListCategories", "Filename": "manager.conf"},
    {"Action": "ModuleLoad", "Module": "app_system.so", "LoadType": "load"},
    {"Action": "ModuleLoad", "LoadType": "reload"},
    {"Action": "Reload"},
    {"Action": "AGI", "Channel": "PJSIP/x", "Command": "EXEC System id"},
    {"Action": "DBPut", "Family": "x", "Key": "y", "Val": "z"},
    {"Action": "DBDel", "Family": "x", "Key": "y"},
    {
        "Action": "DialplanExtensionAdd",
        "Context": "from-endpoint",
        "Extension": "1",
        "Priority": "1",
        "Application": "System",
    },
    {"Action": "SendFlash", "Channel": "PJSIP/none"},
    {"Action": "UserEvent", "UserEvent": "x"},
    {"Action": "Filter", "Operation": "Add", "Filter": "x"},
    {"Action": "LoggerRotate"},
)
_HARMLESS = {"SendFlash", "UserEvent", "Filter", "LoggerRotate"}
"""Told apart so that the list shows that refusals are not for want of a link."""


async def ami(stack: Stack, action: dict[str, str], user: str = "switchhook") -> dict[str, str] | None:
    """The answer where the action was carried out."""
    secrets = stack.config.secrets()
    secret = secrets.ami if user == "switchhook" else secrets.ami_security
    try:
        return await ami_once(stack.config.ami_port, user, secret, action)
    except BuildError:
        return None


async def ari(stack: Stack, method: str, uri: str, query: dict[str, str], body: Any = None) -> Any:
    """What came back where it was carried out."""
    try:
        return await stack.engine.ari.call(method, uri, query, body)
    except AriError:
        return None


@pytest.mark.trust(19)
@pytest.mark.covers("TRUST19")
async def test_neither_account_of_the_manager_interface_reaches_more_than_it_needs(scene: Scene, measured: Measured):
    rep, there = await scene.rep(), scene.outside()
    call = await rep.phone.call(there.number)
    await (await there.incoming()).answer()
    await call.until_answered()
    reached = []
    for action in ACTIONS:
        for user in ("switchhook", "security"):
            answer = await ami(scene.stack, action, user)
            if answer is not None and not (user == "switchhook" and action["Action"] in _HARMLESS):
                reached.append(f"{user}: {action}")
    (channel, *_) = [each["id"] for each in await scene.stack.engine.ari.call("GET", "channels")]
    for function in FUNCTIONS:
        answer = await ami(scene.stack, {"Action": "Getvar", "Channel": channel, "Variable": function})
        if answer is not None and answer.get("Value"):
            reached.append(f"Getvar {function}: {answer}")
    evil = {"Action": "MixMonitor", "Channel": channel, "File": "/etc/evil.conf", "Command": f"touch {EVIL}"}
    await ami(scene.stack, evil)
    await call.hang_up()
    await asyncio.sleep(0.2)
    reached += [str(path) for path in (EVIL, Path("/etc/evil.conf")) if path.exists()]
    tried = 2 * len(ACTIONS) + len(FUNCTIONS) + 1
    print(*reached, sep="\n")
    measured(at_most(f"AMI: ways to a shell, a file or an address, of {tried} tried", len(reached), "ways", 0))


ROUTES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("POST", "asterisk/logging/evil", {"configuration": "verbose"}),
    ("POST", f"asterisk/logging/{str(EVIL).replace('/', '%2F')}", {"configuration": "notice,warning"}),
    *(("POST", f"asterisk/modules/{name}.so", {}) for name in FORBIDDEN),
    *(("PUT", f"asterisk/modules/{name}.so", {}) for name in FORBIDDEN),
    ("GET", "recordings/stored/..%2F..%2Fetc%2Fmanager/file", {}),
    ("GET", "recordings/stored/%2Fetc%2Fpasswd/file", {}),
    ("GET", "asterisk/config/dynamic/manager/user/switchhook", {}),
    ("POST", "channels/externalMedia", {"app": "switchhook", "external_host": "127.0.0.1:9", "format": "ulaw"}),
    ("POST", "channels", {"endpoint": "Local/1@from-endpoint", "context": "evil", "extension": "1"}),
    ("POST", "channels", {"endpoint": "Local/1@from-endpoint/n", "app": "nobody"}),
    ("POST", "channels", {"endpoint": "AGI/x", "app": "switchhook"}),
)


@pytest.mark.trust(19)
@pytest.mark.covers("TRUST19")
async def test_the_account_of_the_call_control_interface_reaches_no_shell_file_or_address(
    scene: Scene, measured: Measured
):
    """It may set up calls, which is what it is for; with ours, a call from nowhere to nowhere ends by itself."""
    stack, reached = scene.stack, []
    for function in FUNCTIONS:
        answer = await ari(stack, "GET", "asterisk/variable", {"variable": function})
        if answer and answer.get("value"):
            reached.append(f"{function}: {answer}")
        await ari(stack, "POST", "asterisk/variable", {"variable": function, "value": "x"})
    for method, uri, query in ROUTES:
        answer = await ari(stack, method, uri, query)
        if answer is not None:
            if uri == "channels":
                await ari(stack, "DELETE", f"channels/{answer['id']}", {})
                continue
            reached.append(f"{method} {uri}: {answer}")
    listing = [str(each["name"]) for each in await stack.engine.ari.call("GET", "asterisk/modules")]
    modules = {name.removesuffix(".so") for name in listing if name.endswith(".so")}  # the others are the core's own
    reached += sorted(modules & set(FORBIDDEN)) + [str(path) for path in (EVIL,) if path.exists()]
    listed = (stack.config.home / "asterisk/etc/modules.conf").read_text()
    reached += sorted(name for name in modules if f"load = {name}.so" not in listed)
    tried = 2 * len(FUNCTIONS) + len(ROUTES)
    assert is_ours(stack.asterisk.prefix)
    await stack.until_nothing_left(8)
    print(*reached, sep="\n")
    measured(at_most(f"ARI: ways to a shell, a file or an address, of {tried} tried", len(reached), "ways", 0))
