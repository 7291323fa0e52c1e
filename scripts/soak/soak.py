"""Asks every route that openapi.json describes for whatever its schema allows and forbids, as everybody.

HAProxy is the lab's, Sluice has an account of each role. schemathesis compares what is answered with what is described;
any finding ends this with 1. Programs: SLUICE_BIN and SLUICE_LAB_BIN, otherwise those in target/release. Arguments go to
`schemathesis run`, as --seed=1 or --max-examples=1000.
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

RELEASE = pathlib.Path(__file__).resolve().parents[2] / "target/release"
SLUICE = os.environ.get("SLUICE_BIN", RELEASE / "sluice")
LAB = os.environ.get("SLUICE_LAB_BIN", RELEASE / "sluice-lab")
SCHEMATHESIS = pathlib.Path(sys.executable).with_name("schemathesis")
HERE = pathlib.Path(__file__).resolve().parent
CONFIG = HERE / "schemathesis.toml"

LAB_PORTS = 19  # consecutive ones, beginning with the first
PATIENCE = 30  # seconds for a program to begin or to end
LONGEST_RUN = 900  # seconds; a run that takes so long hangs
EXAMPLES = 40  # requests that schemathesis makes up for each operation in each phase
PASSWORD = "a password of the soak"
ROLES = ("viewer", "operator", "admin")

# They end what the run itself is logged in with, and everything after them would be answered 401: each of these has a run
# of its own, with a session of its own.
ENDING = ("log_out", "end_session")


class Failure(Exception):
    """What can't be gone on without."""


def free_port(count=1):
    """The first of so many consecutive ports that nobody listens on."""
    for first in range(20000 + os.getpid() % 5000, 60000, count):
        sockets = []
        try:
            for port in range(first, first + count):
                sockets.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise Failure("no ports are free")


class Program:
    """A program that runs while this one does."""

    def __init__(self, words, log):
        self.log = log
        with open(log, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(
                [str(word) for word in words], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    def until(self, is_there):
        """Waits until the program has begun."""
        end = time.monotonic() + PATIENCE
        while not is_there():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failure(f"{self.process.args[0]} did not begin:\n{self.log.read_text(encoding='utf-8')}")
            time.sleep(0.1)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Sluice:
    """Sluice on the lab, with accounts or without."""

    def __init__(self, config, folder, has_accounts):
        self.config, self.data, self.port = config, folder, free_port()
        folder.mkdir()
        if has_accounts:
            for role in ROLES:
                self.command("user", "add", role, "--role", role, "--password-stdin", given=PASSWORD + "\n")
        words = [SLUICE, "serve", "--config", config, "--data", folder, "--listen", f"127.0.0.1:{self.port}"]
        self.program = Program(words, folder.with_suffix(".log"))
        self.program.until(lambda: self.ask("GET", "/healthz") is not None)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self, *words, given=""):
        """What a command line of Sluice's prints."""
        words = [str(SLUICE), *words, "--data", str(self.data)]
        return subprocess.run(words, input=given, capture_output=True, text=True, check=True).stdout.strip()

    def ask(self, method, path, body=None):
        """An answer; None where nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, {"content-type": "application/json"} if body else {})
            answer = connection.getresponse()
            answer.read()
            return answer
        except ConnectionError:
            return None
        finally:
            connection.close()

    def session(self, role):
        """The cookie of a new session."""
        answer = self.ask("POST", "/api/v1/login", json.dumps({"user": role, "password": PASSWORD}))
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie" and value.startswith("sluice="):
                return value.split(";")[0].split("=", 1)[1]
        raise Failure(f"{role} can't log in: {answer.status}")

    def token(self, scope):
        """A new API token of the admin's."""
        return self.command("token", "add", "--user", "admin", "--scope", scope, "--expires", "1d")


def fuzz(sluice, who, shown, more, folder):
    """One run of schemathesis; whether it found nothing. `shown` is what a request shows, in schemathesis's words."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG.read_text(encoding="utf-8") + shown, encoding="utf-8")
    words = [SCHEMATHESIS, f"--config-file={config}", "run", f"{sluice.url}/api/v1/openapi.json"]
    words += ["--checks=all", f"--max-examples={EXAMPLES}", *more, *sys.argv[1:]]
    print(f"\nsoak: {who}", flush=True)
    try:
        # In a folder that goes: schemathesis leaves a cache where it runs.
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
        run = subprocess.run(
            [str(word) for word in words], check=False, timeout=LONGEST_RUN, cwd=folder, env=environment
        )
        code = run.returncode
    except subprocess.TimeoutExpired:
        print(f"soak: {who} took longer than {LONGEST_RUN} s")
        code = 1
    if sluice.program.process.poll() is not None:
        raise Failure(f"Sluice has ended:\n{sluice.program.log.read_text(encoding='utf-8')}")
    return code == 0


def by_session(secret):
    return f'\n[auth.openapi.session]\napi_key = "{secret}"\n'


def by_token(secret):
    return f'\n[auth.openapi.token]\nbearer = "{secret}"\n'


def runs(opened, closed):
    """Everybody who asks: whom, who, what they show, further arguments."""
    without = [f"--exclude-operation-id={operation}" for operation in ENDING]
    # Without accounts nobody has to show anything, whatever the description says for those with accounts.
    open_to_all = ["--exclude-checks=ignored_auth", "--generation-with-security-parameters=false"]
    yield opened, "somebody without accounts", "", open_to_all
    yield closed, "nobody", "", []
    for role in ROLES:
        yield closed, role, by_session(closed.session(role)), without
        for operation in ENDING:
            yield closed, f"{role}: {operation}", by_session(closed.session(role)), [f"--include-operation-id={operation}"]
    for scope in ("read", "act"):
        yield closed, f"a token to {scope}", by_token(closed.token(scope)), without


def soak(folder):
    lab_port = free_port(LAB_PORTS)
    programs = []
    try:
        lab = Program([LAB, "--dir", folder / "lab", "--port", lab_port], folder / "lab.log")
        programs.append(lab)
        config = folder / "lab/sluice.toml"
        lab.until(config.exists)
        opened = Sluice(config, folder / "open", has_accounts=False)
        programs.append(opened.program)
        closed = Sluice(config, folder / "closed", has_accounts=True)
        programs.append(closed.program)
        found = [who for sluice, who, shown, more in runs(opened, closed) if not fuzz(sluice, who, shown, more, folder)]
    finally:
        for program in reversed(programs):
            program.end()
    return found


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-soak-"))
    try:
        found = soak(folder)
    except Failure as failure:
        sys.exit(f"soak: {failure}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if found:
        sys.exit(f"soak: there are findings, as {', '.join(found)}")
    print("\nsoak: nothing was found")


if __name__ == "__main__":
    main()
