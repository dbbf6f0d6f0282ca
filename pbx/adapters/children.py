"""Starting processes that end with the one that started them, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# Run by a fresh interpreter rather than after fork in ours, which may have threads: asks the kernel to end the
# process with its parent, and gives up at once where the parent has died meanwhile.
_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, int(signal.SIGTERM), 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def with_parent(command: Sequence[str]) -> list[str]:
    """``command`` (its program an absolute path) as one that gets SIGTERM when this process is gone."""
    return [sys.executable, "-I", "-S", "-c", _WITH_PARENT, str(os.getpid()), *command]
