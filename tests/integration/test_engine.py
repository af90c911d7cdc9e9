"""Reaching Postgres, and errors that say what is wrong without saying who is in the table."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

import pytest

from sluice.errors import ConfigError, DatabaseUnavailable, SluiceError
from sluice.settings import Settings
from sluice.store.engine import Database, driver
from sluice.store.faults import Retry, StoreError

CANARY = "anna.canary@example.com"


def at(url: str) -> Settings:
    return Settings.read({"SLUICE_DATABASE_URL": url})


@pytest.mark.both_servers
def test_what_a_session_is(database: Database) -> None:
    with database.connection() as connection:
        said = connection.exec_driver_sql(
            "select current_setting('search_path'), current_setting('timezone'), current_setting('application_name')"
        ).one()
    assert tuple(said) == ("sluice", "UTC", "sluice")


def test_a_transaction_is_all_or_nothing(empty_database: Database) -> None:
    with empty_database.connection() as connection:
        connection.exec_driver_sql("create schema sluice; create table people (name text)")
    with pytest.raises(ZeroDivisionError), empty_database.transaction() as connection:
        connection.exec_driver_sql("insert into people values ('Anna')")
        _ = 1 // 0
    with empty_database.connection() as connection:
        assert connection.exec_driver_sql("select count(*) from people").scalar() == 0


def test_it_reconnects_after_its_connections_were_cut(database: Database) -> None:
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid = %s"
    with database.connection() as connection:
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar()
    other = Database.open(at(database.url))
    with other.connection() as connection:
        connection.exec_driver_sql(cut, (pid,))
    other.dispose()
    with database.connection() as connection:
        assert connection.exec_driver_sql("select 1").scalar() == 1


def test_a_connection_cut_in_a_transaction(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="it is stopping"), database.transaction() as connection:
        connection.exec_driver_sql("select pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(
            lambda url: url.replace("sluice:", "sluice:wrong"), "refuses the user or the password", id="password"
        ),
        pytest.param(lambda url: url + "_none", "there is no such database", id="no such database"),
        pytest.param(lambda _: "postgresql://a:secret@127.0.0.1:1/leads", "it cannot be reached", id="nobody there"),
        pytest.param(lambda _: "postgresql://a:secret@db.invalid/leads", "it cannot be reached", id="no such host"),
        pytest.param(lambda url: url + "?sslmode=require", "it cannot be reached", id="TLS asked of a server without"),
    ],
)
def test_a_server_out_of_reach(database: Database, change: Callable[[str], str], words: str) -> None:
    url = change(database.url)
    with pytest.raises(DatabaseUnavailable, match=words) as caught:
        Database.open(at(url))
    said = "".join(traceback.format_exception(caught.value))
    assert url.split(":")[2].split("@")[0] not in said, "the password"


@pytest.mark.parametrize(
    "url", [pytest.param("postgresql://a:p@host:none/x", id="port"), pytest.param("postgresql://a:p@[::1/x", id="host")]
)
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError, match="it cannot be read as a URL"):
        Database.open(at(url))


def test_another_encoding_is_refused(database: Database) -> None:
    with database.connection() as connection:
        connection.exec_driver_sql("create database latin template template0 encoding 'LATIN1' locale 'C'")
    with pytest.raises(DatabaseUnavailable, match=r"its encoding is LATIN1\. Allowed: UTF8"):
        Database.open(at(database.url.rpartition("/")[0] + "/latin"))
    with database.connection() as connection:
        connection.exec_driver_sql("drop database latin")


def by_unique(database: Database) -> None:
    with database.transaction() as connection:
        for _ in range(2):
            connection.exec_driver_sql("insert into people (mail) values (%s)", (CANARY,))


def by_check(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("insert into people (mail, age) values (%s, -1)", (CANARY,))


def by_type(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("select %s::text::integer", (CANARY,))


def by_copy(database: Database) -> None:
    copy = "copy people (mail, age) from stdin"
    with database.transaction() as connection, driver(connection).cursor().copy(copy) as stream:
        stream.write_row((CANARY, "old"))


def by_nul(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("insert into people (mail) values (%s)", (CANARY + "\0",))


def by_surrogate(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("insert into people (mail) values (%s)", (CANARY + "\udc80",))


@pytest.mark.parametrize(
    ("fail", "kind", "said"),
    [
        pytest.param(
            by_unique, Retry, "23505 (UniqueViolation), constraint people_mail_key, table people", id="unique"
        ),
        pytest.param(
            by_check, StoreError, "23514 (CheckViolation), constraint people_age_check, table people", id="check"
        ),
        pytest.param(by_type, StoreError, "22P02 (InvalidTextRepresentation)", id="type"),
        pytest.param(by_copy, StoreError, "22P02 (InvalidTextRepresentation)", id="COPY"),
        pytest.param(by_nul, StoreError, "of the driver (DataError)", id="NUL"),
        pytest.param(by_surrogate, StoreError, "of the driver (UnicodeEncodeError)", id="lone surrogate"),
    ],
)
def test_no_value_of_a_row_is_in_an_error(
    empty_database: Database,
    caplog: pytest.LogCaptureFixture,
    fail: Callable[[Database], None],
    kind: type[SluiceError],
    said: str,
) -> None:
    table = "create schema sluice; create table people (mail text unique, age integer check (age > 0))"
    with empty_database.connection() as connection:
        connection.exec_driver_sql(table)
    with caplog.at_level(logging.DEBUG), pytest.raises(kind) as caught:
        fail(empty_database)
    assert type(caught.value) is kind
    assert str(caught.value) == f"Postgres error {said}"
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + caplog.text
