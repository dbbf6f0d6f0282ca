#!/bin/sh
# Writes .env for docker-compose.yml with a generated password for PostgreSQL, readable by its owner only.
# An .env that is there is left alone.
set -eu
cd "$(dirname "$0")/.."
[ ! -e .env ] || { echo ".env is there already: edit it, or delete it and its database first." >&2; exit 1; }
password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
umask 077
cat >.env <<ENV
SWITCHHOOK_POSTGRES_PASSWORD=$password
SWITCHHOOK_DATABASE_URL=postgresql://switchhook:$password@127.0.0.1:5432/switchhook
ENV
echo "Written to .env. Start with: docker compose --profile postgres up -d"
