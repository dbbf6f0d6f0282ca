"""Which Asterisk is built and of what: versions, patches left out, modules, switches, packages.

Everything that changes the result stands here or in ``modules.txt`` and is hashed into the name of
the cache directory, so an old build is never taken for a new recipe.
"""

from __future__ import annotations

import hashlib
import re
from fnmatch import fnmatch
from pathlib import Path

SUITE = "forky"
MAJOR = 22
OLDEST = (22, 10, 1)  # closes 20 advisories, one of which lets a NOTIFY disable PJSIP

PATCHES_LEFT_OUT = (
    "2016_opus_plc*",  # drops every frame whose RTP sequence number is behind: minutes of silence
    "2006_enable_test_framework*",  # costs calls per second
    "2010_astdatadir*",  # moves data files out of our prefix
    "*amr*",
    "*mp3*",
    "*ffmpeg*",
    "*systemd*",
)

CATEGORIES_OFF = tuple(
    f"MENUSELECT_{name}"
    for name in (
        *("ADDONS", "APPS", "BRIDGES", "CDR", "CEL", "CHANNELS", "CODECS", "FORMATS", "FUNCS", "PBX", "RES"),
        *("TESTS", "UTILS", "AGIS", "CORE_SOUNDS", "MOH", "EXTRA_SOUNDS"),
    )
)
FLAGS_OFF = ("BUILD_NATIVE",)  # the cache may be copied to another machine

CONFIGURE = ("--with-pjproject-bundled", "--disable-xmldoc")

FORBIDDEN = ("func_curl", "func_shell", "func_env", "app_system", "res_agi", "pbx_spool", "res_http_media_cache")
"""Shell, files, addresses: never built, so that no account of ours can reach them (TRUST 19)."""

PACKAGES = (
    *("build-essential", "autoconf", "automake", "libtool", "pkg-config", "dpkg-dev", "bzip2", "xz-utils", "patch"),
    *("libedit-dev", "libjansson-dev", "libsqlite3-dev", "libssl-dev", "libsrtp2-dev", "uuid-dev", "libxml2-dev"),
    *("libopus-dev", "libopusenc-dev", "libopusfile-dev", "libspeexdsp-dev", "debian-archive-keyring"),
)

DISK_NEEDED = 1_500_000_000  # bytes: sources and objects 900 MB, result 80 MB, and room to breathe


def modules() -> list[str]:
    """The modules to build: Asterisk's in the order of ``modules.txt``, then ours."""
    lines = Path(__file__).with_name("modules.txt").read_text().splitlines()
    theirs = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [*theirs, *(source.stem for source in own_sources())]


def own_sources() -> list[Path]:
    """Modules of our own, built with Asterisk's: what SIP has to say and no module of Asterisk can be told to."""
    return sorted((Path(__file__).parent / "sources").glob("res_*.c"))


def own_headers() -> list[Path]:
    """What they share."""
    return sorted((Path(__file__).parent / "sources").glob("*.h"))


def own_patches() -> list[Path]:
    """Our own hardening, applied after Debian's patches."""
    return sorted((Path(__file__).parent / "patches").glob("*.patch"))


def speed_patches() -> list[Path]:
    """What only makes calls cheaper: one that a later Asterisk has no place for is left out."""
    return sorted((Path(__file__).parent / "patches" / "speed").glob("*.patch"))


def is_left_out(patch: str) -> bool:
    return any(fnmatch(patch, rule) for rule in PATCHES_LEFT_OUT)


def fingerprint() -> str:
    """Ten characters that change when the recipe does."""
    parts = [SUITE, *PATCHES_LEFT_OUT, *CATEGORIES_OFF, *FLAGS_OFF, *CONFIGURE, *sorted(modules())]
    parts += [path.read_text() for path in [*own_patches(), *speed_patches(), *own_headers(), *own_sources()]]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:10]


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The upstream version in ``Asterisk 22.10.1~dfsg…``, ``1:22.10.1+dfsg-1``; None for anything else.

    A release candidate is no version: 22.11.0-rc1 crashes on a websocket PONG.
    """
    if re.search(r"[~-](rc|beta|alpha)", text):
        return None
    found = re.search(r"(?<![\d.])(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def is_recent(version: tuple[int, int, int] | None) -> bool:
    return version is not None and version[0] == MAJOR and version >= OLDEST


def dotted(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))
