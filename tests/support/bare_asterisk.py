"""A bare Asterisk for tests of the test phones: no engine, a few lines of dialplan, all directories its own.

Its users dial each other by name; `600` echoes, `700` plays our English prompt “unreachable”.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pbx.services.prompts import PACKAGED
from tests.support.free_ports import free_port
from tests.support.waiting import Missed, until

DIRECTORIES = """[directories]
astcachedir => {home}/cache
astetcdir => {home}/etc
astmoddir => {prefix}/lib/asterisk/modules
astvarlibdir => {home}/lib
astdbdir => {home}/lib
astkeydir => {home}/lib
astdatadir => {home}/lib
astagidir => {home}/lib/agi-bin
astspooldir => {home}/spool
astrundir => {home}/run
astlogdir => {home}/log
astsbindir => {prefix}/sbin

[options]
documentation_language = en_US
"""
MODULES = """res_timing_timerfd res_sorcery_config res_sorcery_memory res_sorcery_astdb res_http_websocket res_pjproject
res_rtp_asterisk res_srtp res_crypto bridge_simple bridge_native_rtp bridge_softmix bridge_holding
bridge_builtin_features pbx_config res_pjsip_pubsub res_pjsip res_pjsip_session res_pjsip_sdp_rtp
res_pjsip_registrar res_pjsip_authenticator_digest res_pjsip_endpoint_identifier_user res_pjsip_nat
res_pjsip_rfc3326 res_pjsip_dtmf_info res_pjsip_caller_id res_pjsip_header_funcs res_pjsip_logger
res_pjsip_refer res_pjsip_endpoint_identifier_ip chan_pjsip codec_ulaw codec_alaw codec_g722 codec_resample
codec_opus_open_source res_format_attr_opus format_wav format_pcm format_sln app_dial app_echo app_playback
app_verbose app_senddtmf app_mixmonitor res_musiconhold func_callerid func_channel func_strings app_stack"""
PJSIP_GLOBAL = """[global]
type=global
user_agent=bare

[udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}

[tcp]
type=transport
protocol=tcp
bind=127.0.0.1:{port}

[tls]
type=transport
protocol=tls
bind=127.0.0.1:{tls_port}
cert_file={home}/etc/phone.pem
priv_key_file={home}/etc/phone.pem
method=tlsv1_2
"""
PJSIP_USER = """
[{name}]
type=endpoint
context=phones
disallow=all
allow=opus,g722,ulaw,alaw
auth={name}
aors={name}
direct_media=no
rtp_symmetric=yes
force_rport=yes
rewrite_contact=yes
callerid="{name}" <{name}>
moh_suggest=default
{extra}

[{name}]
type=auth
auth_type=userpass
username={name}
password={secret}

[{name}]
type=aor
max_contacts=5
"""
EXTENSIONS = """[phones]
exten => 600,1,Answer()
 same => n,Echo()
exten => 700,1,Answer()
 same => n,Playback(PROMPT)
 same => n,Hangup()
exten => _[a-z]!,1,Dial(PJSIP/${EXTEN},20)
 same => n,Hangup(${HANGUPCAUSE})
"""


@dataclass
class BareAsterisk:
    """A running Asterisk; its users' secret is `secret`."""

    home: Path
    port: int
    tls_port: int
    secret: str
    process: subprocess.Popen[bytes]
    prefix: Path

    @property
    def server(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def tls_server(self) -> tuple[str, int]:
        return ("127.0.0.1", self.tls_port)

    def command(self, text: str) -> str:
        """Run one CLI command (`core show channels`) and give what it prints."""
        result = subprocess.run(
            [self.prefix / "sbin/asterisk", "-C", self.home / "etc/asterisk.conf", "-rx", text],
            env=_environment(self.prefix),
            capture_output=True,
            timeout=10,
            check=False,
        )
        return result.stdout.decode()

    async def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(self.process.wait, 10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)


async def start_bare_asterisk(
    prefix: Path,
    home: Path,
    users: Sequence[str],
    secret: str,
    srtp_users: Sequence[str] = (),
) -> BareAsterisk:
    """Write the configuration under `home`, start, and wait until it is fully booted."""
    port, tls_port = free_port(), free_port()
    for name in ("etc", "lib", "spool", "run", "log", "cache"):
        (home / name).mkdir(parents=True, exist_ok=True)
    _write_certificate(home / "etc/phone.pem")
    _write_configuration(prefix, home, port, tls_port, users, secret, srtp_users)
    process = _launch(prefix, home)
    asterisk = BareAsterisk(home, port, tls_port, secret, process, prefix)
    try:
        await until(lambda: _booted(asterisk), 20, f"Asterisk to be up; see {home}/log/console", every=0.2)
    except Missed:
        await asterisk.stop()
        raise
    return asterisk


def _launch(prefix: Path, home: Path) -> subprocess.Popen[bytes]:
    with (home / "log/console").open("wb") as console:
        return subprocess.Popen(
            [prefix / "sbin/asterisk", "-f", "-C", home / "etc/asterisk.conf"],
            env=_environment(prefix),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )


def _booted(asterisk: BareAsterisk) -> bool:
    if asterisk.process.poll() is not None:
        raise Missed("Asterisk ended at once:\n" + (asterisk.home / "log/console").read_text()[-2000:])
    return "fully booted" in asterisk.command("core waitfullybooted").lower()


def _environment(prefix: Path) -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": str(prefix / "lib"), "TERM": "dumb"}


def _write_certificate(path: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [*command, "-subj", "/CN=127.0.0.1", "-days", "2", "-keyout", path, "-out", f"{path}.crt"],
        check=True,
        capture_output=True,
        timeout=20,
    )
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())


def _write_configuration(
    prefix: Path,
    home: Path,
    port: int,
    tls_port: int,
    users: Sequence[str],
    secret: str,
    srtp_users: Sequence[str],
) -> None:
    names = dict.fromkeys([*users, *srtp_users])
    entries = [
        PJSIP_USER.format(name=name, secret=secret, extra="media_encryption=sdes" if name in srtp_users else "")
        for name in names
    ]
    rtp = free_port(width=402)
    files = {
        "asterisk.conf": DIRECTORIES.format(home=home, prefix=prefix),
        "modules.conf": "[modules]\nautoload=no\n" + "".join(f"load={name}.so\n" for name in MODULES.split()),
        "pjsip.conf": PJSIP_GLOBAL.format(home=home, port=port, tls_port=tls_port) + "".join(entries),
        "extensions.conf": EXTENSIONS.replace("PROMPT", f"{PACKAGED}/en/unreachable"),
        "rtp.conf": f"[general]\nrtpstart={rtp}\nrtpend={rtp + 400}\nstrictrtp=yes\n",
        "logger.conf": "[general]\n[logfiles]\nfull => notice,warning,error,verbose\n",
        "musiconhold.conf": f"[default]\nmode=files\ndirectory={PACKAGED / 'music'}\n",
        "http.conf": "[general]\nenabled=no\n",
    }
    for name, text in files.items():
        (home / "etc" / name).write_text(text)
