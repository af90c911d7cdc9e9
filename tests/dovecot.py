"""A real IMAP server on loopback: Debian's Dovecot, unprivileged, with TLS and XOAUTH2; mails lie in its maildirs."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from tests.certificates import Authority
from tests.conftest import absent

PROGRAM = Path("/usr/sbin/dovecot")
PASSWORD = "Föhn & Meer 7"  # letters that are no ASCII, a blank: all of it must arrive
TOKEN_KEY = b"the key that tokens of the tests are signed with"

CONFIG = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
protocols = imap
ssl = {ssl}
ssl_cert = <{certificate}
ssl_key = <{certificate}
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login {mechanisms}
mail_location = maildir:{home}/mail/%u:LAYOUT=fs
mail_max_userip_connections = 100
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = static
  mechanisms = plain login none
  args = password={{PLAIN.b64}}{password}
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {home}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {plain_port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
protocol imap {{
  imap_capability = {capabilities}
}}
"""
OAUTH2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={home}/keys/
username_attribute = sub
"""


@dataclass
class Dovecot:
    """A server that is there or not.

    Attributes:
        port: TLS from the first byte.
        plain_port: without TLS, or STARTTLS.
    """

    home: Path
    authority: Authority
    user: pwd.struct_passwd
    port: int
    plain_port: int
    process: subprocess.Popen[bytes] | None = None
    delivered: int = 0

    def configure(self, *, capabilities: str = "", tls: bool = True) -> None:
        """Writes its configuration; `capabilities` are all that it says it can."""
        for name in ("run", "state", "mail", "keys/default/HS256"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        (self.home / "keys/default/HS256/default").write_bytes(base64.b64encode(TOKEN_KEY))
        (self.home / "oauth2.conf").write_text(OAUTH2.format(home=self.home))
        text = CONFIG.format(
            home=self.home,
            user=self.user.pw_name,
            group=_group(self.user.pw_gid),
            uid=self.user.pw_uid,
            gid=self.user.pw_gid,
            certificate=self.authority.issue("server"),
            ssl="yes" if tls else "no",
            password=base64.b64encode(PASSWORD.encode()).decode(),
            mechanisms="xoauth2",
            port=self.port,
            plain_port=self.plain_port,
            capabilities=capabilities,
        )
        (self.home / "dovecot.conf").write_text(text)
        self._give_away(self.home)

    def start(self) -> None:
        """Starts it; it answers when this returns."""
        self.process = subprocess.Popen([PROGRAM, "-F", "-c", self.home / "dovecot.conf"], **self._as_user())
        until = time.monotonic() + 20
        while not _answers(self.plain_port):
            assert time.monotonic() < until and self.process.poll() is None, self.log()
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it, and whatever it started."""
        if self.process:
            self.process.send_signal(number)
            self.process.wait(20)
            self.process = None
            until = time.monotonic() + 10
            while _answers(self.plain_port) and time.monotonic() < until:
                time.sleep(0.05)

    def log(self) -> str:
        """What it says of itself."""
        with contextlib.suppress(OSError):
            return (self.home / "dovecot.log").read_text()[-3_000:]
        return "no log"

    def doveadm(self, *arguments: str) -> str:
        """Asks or changes something, as its administrator does."""
        command = ["/usr/bin/doveadm", "-c", str(self.home / "dovecot.conf"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._as_user())
        assert done.returncode in (0, 68), done.stderr  # 68: nobody there to be kicked
        return done.stdout

    def deliver(self, user: str, mail: bytes, folder: str = "INBOX", *, at: float | None = None) -> Path:
        """Lays a mail into a maildir, as a delivery agent does; `at` becomes its INTERNALDATE."""
        self.delivered += 1
        maildir = self.maildir(user, folder)
        name = f"{time.time_ns()}.{self.delivered:06}.test"
        path = maildir / "tmp" / name
        path.write_bytes(mail)
        path.chmod(0o644)
        if at is not None:
            os.utime(path, (at, at))
        return path.rename(maildir / "new" / name)

    def maildir(self, user: str, folder: str = "INBOX") -> Path:
        """A folder's maildir, which is made if there is none."""
        maildir = self.home / "mail" / user / ("" if folder == "INBOX" else folder)
        for name in ("cur", "new", "tmp"):
            (maildir / name).mkdir(parents=True, exist_ok=True)
        self._give_away(self.home / "mail" / user)
        return maildir

    def token(self, user: str, seconds: float = 3_600) -> str:
        """An access token; with negative seconds it has expired."""
        now = int(time.time())
        claims = {"sub": user, "iat": now - 7_200, "exp": now + int(seconds), "scope": "mail"}
        said = ".".join(_coded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{said}.{_coded(hmac.new(TOKEN_KEY, said.encode(), hashlib.sha256).digest())}"

    @contextmanager
    def person(self, user: str, folder: str = "INBOX") -> Generator[IMAPClient]:
        """Somebody who reads their mail."""
        context = ssl.create_default_context(cafile=str(self.authority.path))
        with IMAPClient("localhost", self.port, ssl_context=context, timeout=20) as client:
            client.plain_login(user, PASSWORD)
            client.select_folder(folder)
            yield client

    def flags(self, user: str, folder: str = "INBOX") -> dict[int, tuple[bytes, ...]]:
        """The flags of each mail, as somebody sees them who only looks."""
        context = ssl.create_default_context(cafile=str(self.authority.path))
        with IMAPClient("localhost", self.port, ssl_context=context, timeout=20) as client:
            client.plain_login(user, PASSWORD)
            client.select_folder(folder, readonly=True)
            seen: Any = client.get_flags(client.search())
            return {uid: tuple(sorted(flag for flag in flags if flag != b"\\Recent")) for uid, flags in seen.items()}

    def _as_user(self) -> dict[str, Any]:
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}

    def _give_away(self, folder: Path) -> None:
        if os.geteuid() == 0:
            for place, _, files in os.walk(folder):
                for path in (Path(place), *(Path(place) / name for name in files)):
                    os.chown(path, self.user.pw_uid, self.user.pw_gid)


@pytest.fixture(scope="session")
def make_dovecot(make_home: Callable[[], Path]) -> Iterator[Callable[..., Dovecot]]:
    """Servers of a test's own."""
    made: list[Dovecot] = []

    def make(**wishes: Any) -> Dovecot:
        if not PROGRAM.exists():
            absent(f"{PROGRAM} (Debian's package dovecot-imapd)")
        home = make_home()
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        server = Dovecot(home, Authority.made(home), user, _free_port(), _free_port())
        server.configure(**wishes)
        server.start()
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="session")
def shared_dovecot(make_dovecot: Callable[..., Dovecot]) -> Dovecot:
    """One server for all tests; each has a user of its own."""
    return make_dovecot()


@pytest.fixture
def dovecot(shared_dovecot: Dovecot) -> Dovecot:
    """The server, running."""
    if shared_dovecot.process is None or shared_dovecot.process.poll() is not None:
        shared_dovecot.start()
    return shared_dovecot


def _group(number: int) -> str:
    import grp

    return grp.getgrgid(number).gr_name


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as there:
        there.settimeout(5)
        return there.recv(4) == b"* OK"
    return False


def _coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def emptied(server: Dovecot, user: str) -> None:
    """Takes a user's mails away."""
    shutil.rmtree(server.home / "mail" / user, ignore_errors=True)
