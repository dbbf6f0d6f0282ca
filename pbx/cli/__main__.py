"""`python -m pbx.cli`: the same command line as `pbx`."""

from pbx.cli.main import main

main()
