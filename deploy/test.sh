#!/bin/sh
# All tests of Python, shared out among some workers: most wait for calls in real time, so there is one more than
# processors. A file stays with one worker, as its tests share what they have started. With arguments: one run of pytest
# with these.
set -eu

bin=$1
shift
[ $# -gt 0 ] || set -- -n "$(($(nproc) + 1))" --maxprocesses 8 --dist loadfile --no-loadscope-reorder tests
exec "$bin/python" -m pytest "$@"
