#!/bin/sh
# Brings a fresh clone to the point where everything else can run: dependencies (Node 26 among them) and the build.
# Quiet and quick when there is nothing to do.
set -e
cd "$(dirname "$0")/.."
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "installing dependencies ..." >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  touch node_modules/.package-lock.json
fi
PATH="$PWD/node_modules/.bin:$PATH" node scripts/build.ts
