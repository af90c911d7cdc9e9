#!/bin/sh
# The system's parts that some tests need: installs the missing ones where it may, else says which tests are left out.
# With SLUICE_REQUIRE_PARTS=1 (as in .ci/run) a part that is still missing is an error.
# One part a line: a file it brings (a shell pattern) | Debian's package | the tests that need it.
parts='/usr/lib/postgresql/*/bin/postgres|postgresql|the second leg of the database tests, on a Postgres from Debian
/usr/bin/chromium|chromium|the tests of the Prefect UI and its pictures in the docs
/usr/bin/faketime|faketime|the tests with clocks that are wrong
/usr/sbin/dovecot|dovecot-imapd|those tests of mailboxes that pymap cannot serve in its stead'

lacks() { # shellcheck disable=SC2086  # the pattern is meant to be expanded
    for file in $1; do
        [ -x "$file" ] && return 1
    done
    return 0
}

missing=0
updated=no
while IFS='|' read -r file package tests; do
    lacks "$file" || continue
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $package with apt-get"
        export DEBIAN_FRONTEND=noninteractive
        [ "$updated" = yes ] || apt-get update -qq >/dev/null && updated=yes
        apt-get install -y -qq --no-install-recommends "$package" >/dev/null </dev/null || echo "apt-get could not install $package"
        lacks "$file" || continue
    fi
    echo "Left out: $tests. To have them: apt-get install $package"
    missing=1
done <<END
$parts
END

[ "$missing" = 0 ] || [ "${SLUICE_REQUIRE_PARTS:-}" != 1 ]
