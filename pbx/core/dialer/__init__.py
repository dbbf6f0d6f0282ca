"""Working through a call list: the runner as a value that takes events, as a call is one (L2)."""

from pbx.core.dialer.run import Phase, Run, Terms, Want, handle

__all__ = ["Phase", "Run", "Terms", "Want", "handle"]
