"""Keys rotate while the server runs; what was erased stays so in backups; forgotten passwords."""

import json
import re
import shutil
import sqlite3
from email import message_from_bytes
from email.policy import default

import pyotp
import pytest

from codepark.data_directory import DataDirectory
from commands.keys import PersonalCipher
from commands.kms import KmsError
from commands.mapper import EventMapper
from commands.secrets import Secrets
from commands.sqlite.keys import SQLiteKeyStore
from commands.sqlite.reader import ReadOnlyLog
from tests.support.people import PASSWORD, Person, made, refused
from tests.support.server import Server, eventually, serving

AUTH = "/api/v1/auth"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    more = {"CODEPARK_TRUSTED_PROXIES": "127.0.0.1"}
    with serving(tmp_path_factory.mktemp("keys") / "data", more) as running:
        yield running


def back_up(server: Server, into) -> DataDirectory:
    """Copy log and keys as the guide says, with the secret and the master keys of today."""
    into.mkdir()
    for name in ("log.sqlite", "keys.sqlite"):
        source, target = sqlite3.connect(server.data / name), sqlite3.connect(into / name)
        source.backup(target)
        source.close()
        target.close()
    for name in ("secret.key", "master.keys"):
        if (server.data / name).exists():
            shutil.copy(server.data / name, into / name)
    return DataDirectory(into)


def events_of(backup: DataDirectory, keys: DataDirectory) -> str:
    """Read the whole log of a backup with the keys of another."""
    secrets = Secrets.from_base64((keys.path / "secret.key").read_text())
    store = SQLiteKeyStore(keys.keys, keys.kms(secrets))
    log = ReadOnlyLog(backup.log, EventMapper(PersonalCipher(store)))
    try:
        return "\n".join(str(log.event(record)) for record in log.read(0, 10_000))
    finally:
        log.close()
        store.close()


def test_an_erased_person_is_in_no_backup_that_todays_keys_open(server: Server, tmp_path) -> None:
    ada = Person(server, "Erased")
    server.command("keys", "rotate-master")  # from here on no master key is derived from the secret
    backup = back_up(server, tmp_path / "before")
    assert ada.email in events_of(backup, backup)
    for path in ("log.sqlite", "keys.sqlite"):
        assert ada.email.encode() not in (backup.path / path).read_bytes()
    with ada.client as client:
        assert client.delete("/api/v1/me").status_code == 204
    restored = back_up(server, tmp_path / "after")
    assert ada.email not in events_of(backup, restored)  # the old log, the keys of today
    rotated = json.loads(server.command("keys", "rotate-master", "--json"))
    assert rotated["version"] == 3
    for name in ("secret.key", "master.keys"):  # the old keys, opened with what is there today
        shutil.copy(server.data / name, backup.path / name)
    with pytest.raises(KmsError, match="version 2"):
        events_of(backup, backup)


def test_a_master_key_rotates_under_people_who_work(server: Server) -> None:
    bob = Person(server, "Bob")
    before = json.loads(server.command("keys", "rotate-master", "--json"))
    with bob.client as client:
        made(client.patch("/api/v1/me", json={"name": "Bobby"}), 200)
        assert client.get("/api/v1/me").json()["email"] == bob.email
    server.stop()
    server.start()
    with server.client(bob.token) as client:
        assert client.get("/api/v1/me").json()["name"] == "Bobby"
    assert json.loads(server.command("keys", "rotate-master", "--json"))["version"] == before["version"] + 1


def test_a_signing_key_is_announced_and_nobody_is_logged_out(server: Server) -> None:
    eve = Person(server, "Eve")
    with server.client() as visitor:
        keys = visitor.get("/.well-known/jwks.json").json()["keys"]
        rotated = json.loads(server.command("keys", "rotate-signing", "--json"))
        assert len(visitor.get("/.well-known/jwks.json").json()["keys"]) == len(keys) + 1
    assert rotated["generation"] >= 2
    with eve.client as client:
        assert client.get("/api/v1/me").status_code == 200


def test_who_guesses_elsewhere_does_not_keep_the_owner_out(server: Server) -> None:
    """Attempts from a device that signed in before are counted apart from those of other devices."""
    sam = Person(server, "Sam")
    right = {"email": sam.email, "password": PASSWORD}

    def log_in(client, body) -> int:
        return client.post(f"{AUTH}/login", json=body).status_code

    def slowed_down(client) -> bool:
        """Guess, and return whether the next guess has to wait for some seconds."""
        answer = client.post(f"{AUTH}/login", json={**right, "password": "a wrong one"})
        return answer.status_code == 429 and int(answer.headers["retry-after"]) >= 3

    with server.client() as owner, server.client() as thief, server.client() as elsewhere:
        owner.headers["X-Forwarded-For"] = "10.0.0.1"
        thief.headers["X-Forwarded-For"] = "10.0.0.2"
        elsewhere.headers["X-Forwarded-For"] = "10.0.0.3"
        assert log_in(owner, right) == 200
        eventually(lambda: slowed_down(thief))
        assert log_in(elsewhere, right) == 429
        assert log_in(owner, right) == 200


def mails_to(server: Server, address: str) -> list[str]:
    found = [
        message_from_bytes(path.read_bytes(), policy=default)
        for path in sorted((server.data / "mail").glob("*"))
    ]
    return [mail.get_content() for mail in found if mail["To"] == address]


def test_a_forgotten_password_is_set_anew_once(server: Server) -> None:
    dot = Person(server, "Dot")
    new = {"password": "a better horse battery"}
    with server.client() as visitor, dot.client as client:
        known = visitor.post(f"{AUTH}/password/forgot", json={"email": dot.email})
        unknown = visitor.post(f"{AUTH}/password/forgot", json={"email": "nobody@example.org"})
        assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (204, b"")
        (text,) = eventually(lambda: mails_to(server, dot.email))
        token = re.search(r"^ey\S+$", text, re.MULTILINE)[0]
        common = {"token": token, "password": "password1"}
        refused(visitor.post(f"{AUTH}/password/reset", json=common), 400, "password_common")
        assert visitor.post(f"{AUTH}/password/reset", json={"token": token, **new}).status_code == 204
        refused(visitor.post(f"{AUTH}/password/reset", json={"token": token, **new}), 403, "reset_used")
        refused(
            visitor.post(f"{AUTH}/password/reset", json={"token": dot.token, **new}), 401, "invalid_token"
        )
        refused(client.get("/api/v1/me"), 401, "invalid_token")
        old = {"email": dot.email, "password": PASSWORD}
        refused(visitor.post(f"{AUTH}/login", json=old), 401, "invalid_credentials")
        made(visitor.post(f"{AUTH}/login", json={"email": dot.email, **new}), 200)
        assert eventually(lambda: len(mails_to(server, dot.email)) == 2)


def test_a_reset_does_not_pass_by_the_second_factor(server: Server) -> None:
    zoe = Person(server, "Zoe")
    new = {"password": "a better horse battery"}
    with server.client() as visitor, zoe.client as client:
        setup = made(client.post(f"{AUTH}/mfa/setup", json={}), 200)
        made(client.post(f"{AUTH}/mfa/enable", json={"code": pyotp.TOTP(setup["secret"]).now()}), 200)
        visitor.post(f"{AUTH}/password/forgot", json={"email": zoe.email})
        tokens = eventually(
            lambda: re.findall(r"^ey\S+$", "\n".join(mails_to(server, zoe.email)), re.MULTILINE)
        )
        assert visitor.post(f"{AUTH}/password/reset", json={"token": tokens[0], **new}).status_code == 204
        answer = made(visitor.post(f"{AUTH}/login", json={"email": zoe.email, **new}), 200)
        assert answer.keys() == {"mfaRequired", "mfaToken"}


def test_no_secret_is_in_the_log_the_events_or_what_the_server_says(server: Server) -> None:
    """Sign in in every way, with right and wrong secrets; then look for secrets in all that is stored."""
    pat = Person(server, "Pat")
    with server.client() as visitor, pat.client as client:
        setup = made(client.post(f"{AUTH}/mfa/setup", json={}), 200)
        codes = made(
            client.post(f"{AUTH}/mfa/enable", json={"code": pyotp.TOTP(setup["secret"]).now()}), 200
        )["recoveryCodes"]
        login = {"email": pat.email, "password": PASSWORD}
        first = made(visitor.post(f"{AUTH}/login", json=login), 200)
        body = {"mfaToken": first["mfaToken"], "code": codes[0]}
        tokens = made(visitor.post(f"{AUTH}/mfa/verify", json=body), 200)
        visitor.post(f"{AUTH}/login", json={**login, "password": "a wrong secret password"})
        visitor.post(f"{AUTH}/login", json={**login, "unknown": PASSWORD})
        made(visitor.post(f"{AUTH}/refresh", json={"refreshToken": tokens["refreshToken"]}), 200)
        api = made(client.post("/api/v1/me/tokens", json={"name": "ci", "scopes": ["read"]}))["token"]
        visitor.get("/api/v1/events", headers={"Authorization": "Bearer not-a-token-at-all"})
    with server.client(server.token()) as admin:
        events = [item for page in pages(admin) for item in page]
    shown = json.dumps(events)
    kinds = {event["type"] for event in events}
    assert {"credentials.totp_enabled", "session.opened", "token.created"} <= kinds
    said = server.printed
    stored = b"".join(path.read_bytes() for path in server.data.glob("*.sqlite*")).decode("latin-1")
    secrets = [
        PASSWORD,
        "a wrong secret password",
        setup["secret"],
        *codes,
        *(code.replace("-", "") for code in codes),
        tokens["refreshToken"],
        tokens["accessToken"],
        first["mfaToken"],
        api,
        api.rpartition("_")[2],
        pat.token,
        "not-a-token-at-all",
    ]
    for secret in secrets:
        assert secret not in shown
        assert secret not in said
        assert secret not in stored
    hidden = {"passwordHash", "secret", "recoveryHashes", "tokenHash"}
    for event in events:
        for name in hidden & (event["data"] or {}).keys():
            assert event["data"][name] == "[erased]"


def pages(client):
    after = {}
    while True:
        page = made(client.get("/api/v1/events", params={"limit": 100, **after}), 200)
        yield page["items"]
        if page["nextCursor"] is None:
            return
        after = {"cursor": page["nextCursor"]}
