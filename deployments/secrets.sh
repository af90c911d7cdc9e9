#!/bin/sh
# Makes the passwords that compose.yaml needs, once: deployments/secrets/, which only its owner can enter. The files in
# it can be read by all who get there, since the containers' user is another than yours.
set -eu
folder=${1:-"$(dirname "$0")/secrets"}
if [ -e "$folder" ]; then
    echo "$folder is there already; nothing was changed."
    exit 0
fi
drawn() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }
umask 077
mkdir "$folder"
password=$(drawn)
printf '%s' "$password" > "$folder/postgres_password"
printf 'postgresql://sluice:%s@postgres:5432/leads' "$password" > "$folder/database_url"
printf 'postgresql://sluice:%s@postgres:5432/prefect' "$password" > "$folder/prefect_database_url"
printf 'sluice:%s' "$(drawn)" > "$folder/ui_password"
chmod 444 "$folder"/*
echo "Made $folder. The Prefect UI asks for user and password: $folder/ui_password"
