"""What Asterisk still holds of the calls of an engine that died."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pbx.adapters.asterisk.ari import AriClient, Json
from pbx.core.ids import CallId, bridge_id, call_of, holding_id, voicemail_id


class Remains:
    """``known`` tells whether a channel belongs to a call of this run."""

    def __init__(self, ari: AriClient, known: Callable[[str], bool]) -> None:
        self._ari = ari
        self._known = known

    async def standing(self) -> Mapping[CallId, Sequence[str]]:
        """The calls that Asterisk has bridges of, with the channels in them. Raises AriError."""
        bridges = await self._ari.call("GET", "bridges")
        found: dict[CallId, list[str]] = {}
        for bridge in bridges:
            call = call_of(str(bridge["id"]))
            if call is not None:
                found.setdefault(call, []).extend(str(channel) for channel in bridge["channels"])
        return found

    async def strays(self) -> Mapping[str, bool]:
        """Channels that wait for an engine and are of no call of this run; True where somebody waits who called in.

        A channel that runs through the dialplan by itself, because no engine was there, is none. Raises AriError.
        """
        channels = await self._ari.call("GET", "channels")
        return {
            str(channel["id"]): _called_in(channel)
            for channel in channels
            if not self._known(str(channel["id"]))
            and (str(channel["id"]).startswith("leg_") or channel["dialplan"].get("app_name") == "Stasis")
        }

    def hang_up(self, channel: str) -> None:
        self._ari.send("DELETE", f"channels/{channel}", {"reason_code": "41"})

    def begin_again(self, channel: str) -> None:
        """Through the dialplan once more, where it still stands at what was dialled: it comes to us as a new call."""
        self._ari.send("POST", f"channels/{channel}/continue", {"priority": "1"})

    def close(self, call: CallId) -> None:
        """Its bridges, and the message that was being left: only then is the file whole."""
        self._ari.send("POST", f"recordings/live/{voicemail_id(call)}/stop")
        for bridge in (bridge_id(call), holding_id(call)):
            self._ari.send("DELETE", f"bridges/{bridge}")


def _called_in(channel: Json) -> bool:
    """From a trunk, or from a phone that has not been answered. Our own legs have the context of their endpoint too."""
    context, ours = channel["dialplan"]["context"], str(channel["id"]).startswith("leg_")
    return not ours and (context == "from-trunk" or (context == "from-endpoint" and channel["state"] != "Up"))
