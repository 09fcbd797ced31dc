"""PostgreSQL as Debian packs it, on a folder of its own."""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from demo.private import UMASK, kept_password, private_file
from stack.ports import LOOPBACK
from stack.process import Process


class Postgres(Process):
    """Run a PostgreSQL cluster with one role, whose password is asked even on loopback."""

    name: ClassVar[str] = "postgres"
    port_variable: ClassVar[str] = "POSTGRES_PORT"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # fast shutdown: does not wait for clients

    def __init__(self, folder: Path | str, port: int = 0, *, role: str = "fhir", password: str | None = None) -> None:
        super().__init__(folder, port)
        self.role = role
        self._password = password

    @property
    def password(self) -> str:
        """Return the role's password; made up once a folder when none was given."""
        if self._password is None:
            self._password = kept_password(self.folder / "password")
        return self._password

    @property
    def data(self) -> Path:
        """Return the cluster's folder: ours, unless the server's own user cannot get there."""
        if self.user() is None or all(parent.stat().st_mode & 0o001 for parent in self._parents()):
            return self.folder / "data"
        return Path("/var/lib/postgresql") / ("orthanc-fhir-" + _digest(str(self.folder)))

    def jdbc_url(self, database: str = "fhir") -> str:
        """Return where Java finds the database."""
        return f"jdbc:postgresql://{LOOPBACK}:{self.port}/{database}"

    def sqlalchemy_url(self, database: str = "fhir") -> str:
        """Return where SQLAlchemy finds the database, the password included."""
        return f"postgresql+psycopg://{self.role}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its SQLAlchemy URL."""
        self._client("createdb", name)
        return self.sqlalchemy_url(name)

    def user(self) -> str | None:
        """Return Debian's user for the server; it refuses to run as root."""
        return "postgres" if os.geteuid() == 0 else None

    def command(self) -> Sequence[str]:
        """Return the server itself, without the socket folder of the system's own cluster."""
        options = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "log_min_messages": "warning",
            "log_min_error_statement": "panic",  # a statement holds values
            "log_error_verbosity": "terse",
        }
        return [_program("postgres"), "-D", str(self.data)] + [
            part for name, value in options.items() for part in ("-c", f"{name}={value}")
        ]

    def prepare(self) -> None:
        """Make the cluster and its database once; a half-made one is thrown away."""
        password = self.password.replace("'", "''")
        set_password = f"ALTER ROLE {self.role} PASSWORD '{password}';\n"
        if self.data.exists():
            if self.folder not in self.data.parents:  # it may have outlived the folder, and the password in it
                self._alone(self.data, set_password)
            return
        fresh = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._give_to_server(fresh)
        self._run(
            _program("initdb"), "-D", str(fresh), f"--username={self.role}", "--auth-host=scram-sha-256",
            "--auth-local=peer", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        self._alone(fresh, set_password + "CREATE DATABASE fhir;\n")
        fresh.rename(self.data)

    def ready(self) -> bool:
        """Ask the server whether it takes connections."""
        asked = subprocess.run([_program("pg_isready"), "-q", "-h", LOOPBACK, "-p", str(self.port)], check=False)
        return asked.returncode == 0

    def clean(self) -> None:
        """Stop the server and remove the cluster, wherever it lies."""
        data = self.data
        super().clean()
        shutil.rmtree(data, ignore_errors=True)

    def _parents(self) -> list[Path]:
        self.folder.mkdir(parents=True, exist_ok=True)
        return [self.folder, *self.folder.parents]

    def _give_to_server(self, folder: Path) -> None:
        if (user := self.user()) is not None:
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)

    def _client(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [_program(program), "-h", LOOPBACK, "-p", str(self.port), "-U", self.role, "-w", *arguments],
            env={**os.environ, "PGPASSWORD": self.password},
            check=True,
        )

    def _alone(self, data: Path, statements: str) -> None:
        """Run statements, one a line, while no server runs."""
        self._run(_program("postgres"), "--single", "-D", str(data), "postgres", text=statements)

    def _run(self, *command: str, text: str = "") -> None:
        with private_file(self.log).open("ab") as log:
            subprocess.run(
                command,
                input=text.encode(),
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                umask=UMASK,
                user=self.user(),
                group=self.user(),
                extra_groups=[] if self.user() else None,
                check=True,
            )


def _program(name: str) -> str:
    """Return the newest installed version's program; Debian keeps the server's out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if not found:
        raise FileNotFoundError(f"PostgreSQL's {name} is not installed: run setup/native.sh")
    return str(found[-1])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
