#!/bin/sh
# All tests, in two runs side by side, which leaves a core of two to each: those that listen to calls in real time, and
# all others with those of the console in a browser. With arguments: one run of pytest with these.
set -eu

bin=$1
shift
if [ $# -gt 0 ]; then
    exec "$bin/python" -m pytest "$@"
fi
mkdir -p build

others() {
    PATH=$(deploy/prepare.sh node):$PATH npm --prefix console run --silent test -- --reporter=dot &&
        "$bin/python" -m pytest tests/unit tests/integration tests/live/console
}

others >build/test.log 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null || true' INT TERM
live=0
"$bin/python" -m pytest tests/live --ignore tests/live/console || live=$?
others=0
wait "$beside" || others=$?
echo "What ran beside them:"
cat build/test.log
[ "$live" -eq 0 ] && [ "$others" -eq 0 ]
