"""The child of tests/pymap_server.py: pymap's server with its mails in memory, told by lines of JSON what comes.

It is pymap from PyPI but for this: everybody may log in, TLS is spoken from the first byte on a second port, numbers of
mails begin at 1, and UIDVALIDITY can be set. It ends when its input does, so that it never outlives the tests.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sys
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from proxyprotocol.reader import ProxyProtocolReader
from proxyprotocol.version import ProxyProtocolVersion
from pymap.backend.dict import Config, Identity, Login
from pymap.backend.dict import mailbox as storage
from pymap.exceptions import InvalidAuth
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.creds.server import ServerCredentials
from pysasl.hashing import BuiltinHash

from tests.imap_server import PASSWORD

HASH = BuiltinHash(rounds=1)  # Cleartext takes ASCII alone


class Box(storage.MailboxData):
    """A folder whose mails are numbered from 1."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._max_uid = 0


class Settings(Config):
    """What it says it can is `said`, if that is anything."""

    said: Sequence[bytes] = ()

    @property
    def login_capability(self) -> Sequence[bytes]:
        return self.said or super().login_capability


class Everybody(dict[str, UserMetadata]):
    """A user of any name."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.password = HASH.hash(config.password_prep(PASSWORD))

    def get(self, name: str, default: Any = None) -> UserMetadata:
        return UserMetadata(self.config, name, password=self.password)


class Door(Login):
    """Counts whom it refused."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.users_dict = Everybody(config)
        self.refusals = 0

    async def authenticate(self, credentials: ServerCredentials) -> Identity:
        try:
            return await super().authenticate(credentials)
        except InvalidAuth:
            self.refusals += 1
            raise


class Office:
    """Does what a line says."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def folder(self, user: str, folder: str) -> Any:
        """A folder, which is made if there is none."""
        async with Identity(user, self.door, None, frozenset()).new_session() as session:
            boxes = session.mailbox_set
            try:
                return await boxes.get_mailbox(folder)
            except KeyError:
                await boxes.add_mailbox(folder)
                return await boxes.get_mailbox(folder)

    async def deliver(self, user: str, folder: str, mail: str, at: float | None) -> None:
        when = datetime.fromtimestamp(at, UTC) if at is not None else datetime.now(UTC)
        box = await self.folder(user, folder)
        await box.append(AppendMessage(base64.b64decode(mail), when, frozenset()), recent=True)

    async def make_folder(self, user: str, folder: str) -> None:
        await self.folder(user, folder)

    async def delete_folder(self, user: str, folder: str) -> None:
        async with Identity(user, self.door, None, frozenset()).new_session() as session:
            await session.mailbox_set.delete_mailbox(folder)

    async def renumber(self, user: str, folder: str, uidvalidity: int) -> None:
        (await self.folder(user, folder))._uid_validity = uidvalidity

    async def refusals(self) -> int:
        return self.door.refusals


async def serve(port: str, plain_port: str, certificate: str, capabilities: str) -> None:
    """Serves until the input ends."""
    storage.MailboxData = Box
    config = Settings(
        Namespace(passlib_cfg=None, proxy_protocol=None),
        host="127.0.0.1", port=plain_port, cert_file=certificate, hash_context=HASH,
        demo_data=False, demo_user="", demo_password="",
    )  # fmt: skip
    config.said = capabilities.encode().split()
    config.apply_context()
    door = Door(config)
    talk = ProxyProtocolReader(ProxyProtocolVersion.get(None)).get_callback(IMAPServer(door, config))
    await asyncio.start_server(talk, "127.0.0.1", int(port), ssl=config.ssl_context)
    await asyncio.start_server(talk, "127.0.0.1", int(plain_port))
    lines = asyncio.StreamReader(limit=1 << 28)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    office = Office(door)
    while line := await lines.readline():
        name, wishes = json.loads(line)
        sys.stdout.write(json.dumps(await getattr(office, name)(**wishes)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(serve(*sys.argv[1:]))
