"""`python cli.py …`: the same command line as the installed `pbx`, for a checkout."""

from pbx.cli.main import main

if __name__ == "__main__":
    main()
