"""`pbx`: finds the command that is asked for, and turns what goes wrong into one sentence.

Exit codes: 0 done, 1 refused or impossible (the sentence on stderr says why and what to do), 2 wrong usage, 130
interrupted. Groups are imported only when used, so that `pbx --help` and completion answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from pbx.cli.app import App, json_option

# Command -> (module, help); the module has the command as `<name>_command`.
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("up", "Run everything on this machine; Ctrl-C stops it."),
    "serve": ("serve", "Run the engine alone."),
    "node": ("node", "Machines that run an Asterisk each: list, run."),
    "drain": ("drain", "Before a planned restart: take no more calls, wait for those that are up."),
    "doctor": ("doctor", "Look at every layer and say what is wrong and what to do."),
    "logs": ("logs", "Show what engine and Asterisk wrote."),
    "user": ("user", "People with a login: add, list, show, change, remove, password, sign-out."),
    "number": ("number", "Telephone numbers and who has them."),
    "device": ("device", "Phones of users and their secrets."),
    "trunk": ("trunk", "Carriers, in the order in which they are tried."),
    "group": ("group", "Groups of users."),
    "outcome": ("outcome", "What a call can have come to: add, list, show, change, remove."),
    "notice": ("notice", "What must be accepted about law and consent."),
    "script": ("script", "What users say in calls."),
    "setting": ("setting", "Settings of the organisation."),
    "list": ("call_list", "Call lists: add, fill, entries, progress, export."),
    "law": ("law", "Rules of the law with their sources, and legal holds: list, show, change, reset, hold, release."),
    "erase": ("erase", "Destroy what is known of a person, on their request."),
    "dnc": ("dnc", "Numbers that must not be called."),
    "token": ("token", "API tokens."),
    "digest": ("digest", "Figures of a day or a week by e-mail: show, set."),
    "webhook": ("webhook", "Webhooks: add, list, show, change, remove, rotate, test, deliveries, redeliver."),
    "block": ("block", "Addresses that are kept out: list, add, remove."),
    "audit": ("audit", "Who changed what: list, verify."),
    "alert": ("alert", "What somebody must look at now."),
    "calls": ("calls", "Calls that run now, or the log with --log."),
    "call": ("calls", "One call: its legs and its timeline."),
    "recordings": ("recordings", "Recordings of many calls at once: destroy them."),
    "dial": ("calls", "Have a user's phone rung, and then a number."),
    "gate": ("gate", "Ask whether a call may go out, and why not."),
    "text": ("text", "Texts: send, list, show, cancel; templates, transports, opt-outs, 10DLC."),
    "filter": ("saved_filter", "Filters of lists that are kept under a name: add, list, show, change, remove."),
    "search": ("people", "Find leads, contacts and companies."),
    "import": ("people", "Read leads, contacts, companies or deals from CSV."),
    "export": ("people", "Write them as CSV."),
    "rate": ("rate", "What calls and texts cost, by prefix: import, list, show, price, remove."),
    "balance": ("money", "The account: what is left, top-up, adjust, statement."),
    "bill": ("money", "What a month has cost: list, show, export as CSV or PDF."),
    "report": ("report", "Calls, texts, deals and call lists in figures; as a table, JSON or CSV."),
    "asterisk": ("asterisk", "The Asterisk that carries the calls: status, build, selftest."),
    "edge": ("edge", "The SIP load balancer before several nodes: config, run."),
    "practice": ("practice", "The practice carrier: have somebody call."),
    "migrate": ("database", "Make the database, or bring it up to date."),
    "backup": ("database", "Copy database, recordings and secrets into one file."),
    "restore": ("database", "Put a backup back into an empty home."),
}


class Commands(click.Group):
    """The top: knows the names, loads the rest on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = import_module(f"pbx.cli.{COMMANDS[name][0]}")
        command: click.Command = getattr(module, f"{name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--home", type=click.Path(path_type=Path), help="Where state is kept; else $SWITCHHOOK_HOME, else ./var.")
@json_option
@click.version_option(package_name="switchhook", message="%(version)s")
@click.pass_context
def cli(ctx: click.Context, home: Path | None) -> None:
    """Switchhook: calls for sales teams, on your own Asterisk."""
    ctx.ensure_object(App).home = home


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and exit."""
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    try:
        result = cli.main(args=list(argv) if argv is not None else None, prog_name="pbx", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        return _complain(_usage(error), 2)
    except click.ClickException as error:
        return _complain(_said(error.format_message()), 1)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:
        return _complain(_system(error), 1)
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        return _complain(sentence, 1)
    return result if isinstance(result, int) else 0


def _sentence(error: Exception) -> str | None:
    """What to tell of an error that says itself what to do; None for a fault of ours."""
    from crm.errors import Refused
    from pbx.adapters.asterisk.embedded.errors import BuildError
    from pbx.adapters.store.live_log import EngineRuns
    from pbx.config import ConfigError

    if isinstance(error, Refused):
        return f"{error.field}: {_said(error.message)}" if error.field else _said(error.message)
    return _said(str(error)) if isinstance(error, (BuildError, ConfigError, EngineRuns)) else None


def _usage(error: click.UsageError) -> str:
    where = error.ctx.command_path if error.ctx else "pbx"
    told = error.format_message().rstrip(".")
    return f"{told}{'' if told.endswith('?') else '.'} See “{where} --help”."


def _system(error: OSError) -> str:
    what = f"{error.filename}: " if error.filename else ""
    return f"{what}{error.strerror or error}. Check that the place exists, is yours, and has room."


def _complain(sentence: str, code: int) -> int:
    click.echo(sentence, err=True)
    return code


def _said(sentence: str) -> str:
    """Imported where something is to be said: most commands have nothing to complain of."""
    from pbx.cli import spoken

    return spoken.said(sentence)


def _drop_output() -> None:
    """Whoever read our output has gone: let the interpreter's own flush at exit go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
