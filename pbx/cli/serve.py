"""`pbx serve`: the engine alone, for service managers and containers. Asterisk runs beside it."""

from __future__ import annotations

import click

from pbx.cli.app import App


@click.command("serve")
@click.pass_obj
def serve_command(app: App) -> None:
    """Run the engine in the foreground until SIGTERM. Calls that are up stay up in Asterisk."""
    from pbx import bootstrap

    bootstrap.serve(app.config)
