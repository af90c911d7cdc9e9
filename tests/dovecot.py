"""A real IMAP server on loopback: Debian's Dovecot, unprivileged, with TLS and XOAUTH2; mails lie in its maildirs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import pwd
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.imap_server import PASSWORD, ImapServer

PROGRAM = Path("/usr/sbin/dovecot")
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
ssl = yes
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


def _somebody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


@dataclass
class Dovecot(ImapServer):
    """Its mails lie in maildirs, and stay there when it stops.

    Attributes:
        user: as whom it runs.
    """

    user: pwd.struct_passwd = field(default_factory=_somebody)
    delivered: int = 0

    def configure(self, *, capabilities: str = "") -> None:
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
            password=base64.b64encode(PASSWORD.encode()).decode(),
            mechanisms="xoauth2",
            port=self.port,
            plain_port=self.plain_port,
            capabilities=capabilities,
        )
        (self.home / "dovecot.conf").write_text(text)
        self._give_away(self.home)

    def start(self) -> None:
        self.process = subprocess.Popen([PROGRAM, "-F", "-c", self.home / "dovecot.conf"], **self._as_user())
        self._until_it_answers(self.home / "dovecot.log")

    def refusals(self) -> int:
        return (self.home / "dovecot.log").read_text().count("auth failed")

    def doveadm(self, *arguments: str) -> str:
        """Asks or changes something, as its administrator does."""
        command = ["/usr/bin/doveadm", "-c", str(self.home / "dovecot.conf"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._as_user())
        assert done.returncode in (0, 68), done.stderr  # 68: nobody there to be kicked
        return done.stdout

    def make_folder(self, user: str, folder: str) -> None:
        self.maildir(user, folder)

    def delete_folder(self, user: str, folder: str) -> None:
        self.doveadm("mailbox", "delete", "-u", user, folder)

    def renumber(self, user: str, uidvalidity: int, folder: str = "INBOX") -> None:
        self.doveadm("mailbox", "update", "-u", user, "--uid-validity", str(uidvalidity), folder)

    def deliver(self, user: str, mail: bytes, folder: str = "INBOX", *, at: float | None = None) -> None:
        self.lay(user, mail, folder, at=at)

    def lay(self, user: str, mail: bytes, folder: str = "INBOX", *, at: float | None = None) -> Path:
        """Lays a mail into a maildir, as a delivery agent does; its file."""
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

    def _as_user(self) -> dict[str, Any]:
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}

    def _give_away(self, folder: Path) -> None:
        if os.geteuid() == 0:
            for place, _, files in os.walk(folder):
                for path in (Path(place), *(Path(place) / name for name in files)):
                    os.chown(path, self.user.pw_uid, self.user.pw_gid)


def _group(number: int) -> str:
    import grp

    return grp.getgrgid(number).gr_name


def _coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
