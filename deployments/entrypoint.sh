#!/bin/sh
# Takes secrets from files: NAME_FILE=/run/secrets/name becomes NAME, as with the image of Postgres. Then it becomes the
# command itself, so that signals reach it.
set -eu
for name in SLUICE_DATABASE_URL SLUICE_PREFECT_DATABASE_URL SLUICE_UI_PASSWORD PREFECT_API_AUTH_STRING \
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; do
    eval "file=\${${name}_FILE:-}"
    [ -n "$file" ] || continue
    if [ ! -r "$file" ]; then
        echo "${name}_FILE: $file cannot be read by user $(id -u). Give it mode 0444, in a folder with mode 0700." >&2
        exit 3
    fi
    export "$name=$(cat "$file")"
done
exec "$@"
