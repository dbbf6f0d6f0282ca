"""`pbx serve`: the engine alone, for service managers and containers. Asterisk runs beside it."""

from __future__ import annotations

import gc

import click

from pbx.cli.app import App


@click.command("serve")
@click.option("--standby", is_flag=True, help="Wait until the engine that runs has ended, then take its place.")
@click.pass_obj
def serve_command(app: App, standby: bool) -> None:
    """Run the engine in the foreground until SIGTERM. Calls that are up stay up in Asterisk."""
    gc.disable()  # until all of it stands: nothing loaded goes away again, and looking takes a tenth of the start
    from pbx import serving

    serving.serve(app.config, standby=standby)
