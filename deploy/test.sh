#!/bin/sh
# All tests: the console’s own, then those that need no quiet (unit, integration) beside those that listen in real time
# (live), which leaves a core of two to each. With arguments: one run of pytest with these.
set -eu

bin=$1
shift
if [ $# -gt 0 ]; then
    exec "$bin/python" -m pytest "$@"
fi
mkdir -p build
(
    cd console
    PATH=$(../deploy/prepare.sh node):$PATH
    npm run --silent test -- --reporter=dot
)
"$bin/python" -m pytest tests/unit tests/integration >build/test.log 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null || true' INT TERM
live=0
"$bin/python" -m pytest tests/live || live=$?
others=0
wait "$beside" || others=$?
echo "What ran beside them:"
cat build/test.log
[ "$live" -eq 0 ] && [ "$others" -eq 0 ]
