#!/bin/sh
# All tests of Python, shared out among as many workers as there are processors: with more, what waits for calls in real
# time would wait for a processor, too. A file stays with one worker, as its tests share what they have started. With
# arguments: one run of pytest with these. At the end stands what failed, and what was tried twice.
set -eu

bin=$1
shift
[ $# -gt 0 ] || set -- -n "$(nproc)" --maxprocesses 8 --dist loadfile --no-loadscope-reorder --durations=25 -r fER tests
exec "$bin/python" -m pytest "$@"
