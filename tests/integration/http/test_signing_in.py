"""Sign in, refresh, sign out; second factors; what a stolen token can do."""

import json
import time

import httpx
import jwt
import pyotp
import pytest

from read_api.auth.keys import SigningKeys
from tests.support.live import open_socket
from tests.support.people import PASSWORD, Person, made, refused
from tests.support.server import Server, eventually

AUTH = "/api/v1/auth"


def log_in(client: httpx.Client, person: Person, password: str = PASSWORD) -> httpx.Response:
    return client.post(f"{AUTH}/login", json={"email": person.email, "password": password})


def refresh(client: httpx.Client, token: str) -> httpx.Response:
    return client.post(f"{AUTH}/refresh", json={"refreshToken": token})


def me(server: Server, token: str) -> httpx.Response:
    with server.client(token) as client:
        return client.get("/api/v1/me")


def test_the_claims_of_the_tokens(server: Server, new_person, anybody: httpx.Client) -> None:
    person = new_person()
    tokens = made(log_in(anybody, person), 200)
    assert (tokens["tokenType"], tokens["expiresIn"]) == ("Bearer", 900)
    keys = {key["kid"]: key for key in anybody.get("/.well-known/jwks.json").json()["keys"]}
    header = jwt.get_unverified_header(tokens["accessToken"])
    assert (header["alg"], header["typ"]) == ("EdDSA", "at+jwt")
    key = jwt.PyJWK(keys[header["kid"]])
    claims = jwt.decode(
        tokens["accessToken"], key, algorithms=["EdDSA"], audience="codepark", issuer="codepark"
    )
    assert claims["sub"] == person.id
    assert claims["email"] == person.email
    assert claims["roles"] == ["user"]
    assert claims["exp"] - claims["iat"] == 900
    assert claims["jti"]
    refreshing = jwt.decode(
        tokens["refreshToken"], key, algorithms=["EdDSA"], audience="codepark", issuer="codepark"
    )
    assert (refreshing["sub"], refreshing["type"]) == (person.id, "refresh")


def test_a_refresh_token_is_good_once_and_a_second_use_ends_the_session(
    server: Server, new_person, anybody: httpx.Client
) -> None:
    first = made(log_in(anybody, new_person()), 200)
    second = made(refresh(anybody, first["refreshToken"]), 200)
    third = made(refresh(anybody, second["refreshToken"]), 200)
    assert me(server, third["accessToken"]).status_code == 200
    refused(refresh(anybody, first["refreshToken"]), 401, "refresh_reused")
    refused(refresh(anybody, third["refreshToken"]), 401, "invalid_token")
    refused(me(server, third["accessToken"]), 401, "invalid_token")


def test_each_kind_of_token_is_valid_only_for_its_use(
    server: Server, new_person, anybody: httpx.Client
) -> None:
    tokens = made(log_in(anybody, new_person()), 200)
    refused(me(server, tokens["refreshToken"]), 401, "invalid_token")
    refused(refresh(anybody, tokens["accessToken"]), 401, "invalid_token")


def test_signing_out_ends_the_session_at_once(server: Server, new_person, anybody: httpx.Client) -> None:
    tokens = made(log_in(anybody, new_person()), 200)
    answer = anybody.post(f"{AUTH}/logout", json={"refreshToken": tokens["refreshToken"]})
    assert answer.status_code == 204
    refused(me(server, tokens["accessToken"]), 401, "invalid_token")
    refused(refresh(anybody, tokens["refreshToken"]), 401, "invalid_token")


def test_sessions_are_listed_and_ended(server: Server, new_person, anybody: httpx.Client) -> None:
    person = new_person()
    phone = made(log_in(anybody, person), 200)
    tablet = made(log_in(anybody, person), 200)
    sessions = person.client.get("/api/v1/me/sessions").json()["items"]
    assert len(sessions) == 3
    assert [item["current"] for item in sessions].count(True) == 1
    assert {"createdAt", "lastUsedAt", "expiresAt", "userAgent", "address"} <= sessions[0].keys()
    newest = sessions[0]["id"]
    assert person.client.delete(f"/api/v1/me/sessions/{newest}").status_code == 204
    refused(me(server, tablet["accessToken"]), 401, "invalid_token")
    assert me(server, phone["accessToken"]).status_code == 200
    refused(person.client.delete("/api/v1/me/sessions/none"), 404, "session_not_found")
    assert person.client.delete("/api/v1/me/sessions?keepCurrent=true").status_code == 204
    refused(me(server, phone["accessToken"]), 401, "invalid_token")
    assert len(person.client.get("/api/v1/me/sessions").json()["items"]) == 1
    assert person.client.delete("/api/v1/me/sessions").status_code == 204
    refused(person.client.get("/api/v1/me"), 401, "invalid_token")


def test_nobody_ends_anothers_session(ada: Person, new_person) -> None:
    other = new_person()
    (session,) = other.client.get("/api/v1/me/sessions").json()["items"]
    refused(ada.client.delete(f"/api/v1/me/sessions/{session['id']}"), 404, "session_not_found")
    assert other.client.get("/api/v1/me").status_code == 200


def test_an_administrator_ends_all_sessions_of_an_account(
    admin: httpx.Client, ada: Person, new_person
) -> None:
    other = new_person()
    refused(ada.client.delete(f"/api/v1/accounts/{other.id}/sessions"), 403, "role_required")
    assert admin.delete(f"/api/v1/accounts/{other.id}/sessions").status_code == 204
    refused(other.client.get("/api/v1/me"), 401, "invalid_token")


def test_a_change_of_roles_counts_at_once(admin: httpx.Client, new_person) -> None:
    person = new_person()
    body = {"title": "t", "text": "x"}
    refused(person.client.post("/api/v1/announcements", json=body), 403, "role_required")
    made(admin.patch(f"/api/v1/accounts/{person.id}", json={"roles": ["admin"]}), 200)
    made(person.client.post("/api/v1/announcements", json=body))
    made(admin.patch(f"/api/v1/accounts/{person.id}", json={"roles": ["auditor"]}), 200)
    refused(person.client.post("/api/v1/announcements", json=body), 403, "role_required")
    refused(person.client.post("/api/v1/projects", json={"name": "x"}), 403, "role_required")


def test_a_change_of_password_ends_the_other_sessions(
    server: Server, new_person, anybody: httpx.Client
) -> None:
    person = new_person()
    other = made(log_in(anybody, person), 200)
    body = {"currentPassword": "wrong", "newPassword": "battery staple horse"}
    refused(person.client.put("/api/v1/me/password", json=body), 401, "invalid_credentials")
    body["currentPassword"] = PASSWORD
    assert person.client.put("/api/v1/me/password", json=body).status_code == 204
    assert person.client.get("/api/v1/me").status_code == 200
    refused(me(server, other["accessToken"]), 401, "invalid_token")
    refused(log_in(anybody, person), 401, "invalid_credentials")
    made(log_in(anybody, person, "battery staple horse"), 200)


@pytest.mark.parametrize("password", ["password1", "Qwerty123", "12345678"])
def test_common_passwords_are_refused(anybody: httpx.Client, password: str) -> None:
    body = {"email": "common@example.org", "name": "common", "password": password}
    problem = refused(anybody.post(f"{AUTH}/register", json=body), 400, "password_common")
    assert problem["errors"][0]["pointer"] == "/password"


def test_ones_own_address_and_name_are_no_passwords(new_person, anybody: httpx.Client) -> None:
    body = {"email": "longenough@example.org", "name": "Longer-Still"}
    for password in (body["email"], "longenough", "longer-still"):
        refused(anybody.post(f"{AUTH}/register", json=body | {"password": password}), 400, "password_common")
    person = new_person()
    for password in (person.email, person.name):
        change = {"currentPassword": PASSWORD, "newPassword": password}
        refused(person.client.put("/api/v1/me/password", json=change), 400, "password_common")


def test_guessing_is_slowed_down_and_the_right_password_waits_too(new_person, anybody: httpx.Client) -> None:
    person = new_person()
    known = guess(anybody, person.email)
    assert len(known) >= 5
    nobodys = f"nobody-{person.name}@example.org"
    assert guess(anybody, nobodys)[:5] == known[:5]

    def the_right_one_waits() -> bool:
        guess(anybody, person.email)
        return log_in(anybody, person).status_code == 429

    eventually(the_right_one_waits)  # on a busy machine the login may come after the wait


def guess(client: httpx.Client, email: str) -> list[str]:
    """Guess until the next guess has to wait; return what was said to the others."""
    said: list[str] = []
    for _ in range(100):
        answer = client.post(f"{AUTH}/login", json={"email": email, "password": "a wrong one"})
        if answer.status_code == 429:
            refused(answer, 429, "too_many_attempts")
            assert int(answer.headers["retry-after"]) >= 1
            return said
        said.append(refused(answer, 401, "invalid_credentials")["detail"])
    raise AssertionError("no guess of a hundred had to wait")


def with_totp(person: Person) -> tuple[str, list[str], str]:
    """Enable one-time passwords; return the secret, the recovery codes and the code that was used."""
    setup = made(person.client.post(f"{AUTH}/mfa/setup", json={}), 200)
    assert setup["otpauthUrl"].startswith("otpauth://totp/CodePark:")
    assert setup["qrCode"].startswith("data:image/png;base64,")
    code = pyotp.TOTP(setup["secret"]).now()
    enabled = made(person.client.post(f"{AUTH}/mfa/enable", json={"code": code}), 200)
    return setup["secret"], enabled["recoveryCodes"], code


def verify(client: httpx.Client, token: str, code: str) -> httpx.Response:
    return client.post(f"{AUTH}/mfa/verify", json={"mfaToken": token, "code": code})


def next_code(secret: str) -> str:
    """Return the code of the next time step, which is within the window."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30)


def wrong_code(secret: str) -> str:
    """Return a code that is right neither now nor in the next minutes."""
    near = {pyotp.TOTP(secret).at(int(time.time()) + 30 * step) for step in range(-2, 8)}
    return next(code for number in range(11) if (code := f"{number:06}") not in near)


def test_a_login_with_a_second_factor(server: Server, new_person, anybody: httpx.Client) -> None:
    person = new_person()
    secret, recovery, used = with_totp(person)
    login = made(log_in(anybody, person), 200)
    assert login.keys() == {"mfaRequired", "mfaToken"}
    refused(me(server, login["mfaToken"]), 401, "invalid_token")
    refused(verify(anybody, login["mfaToken"], used), 401, "invalid_code")
    refused(verify(anybody, login["mfaToken"], wrong_code(secret)), 401, "invalid_code")
    code = next_code(secret)  # kept: in another time step there is another one
    tokens = made(verify(anybody, login["mfaToken"], code), 200)
    assert me(server, tokens["accessToken"]).status_code == 200
    again = made(log_in(anybody, person), 200)
    refused(verify(anybody, again["mfaToken"], code), 401, "invalid_code")
    made(verify(anybody, again["mfaToken"], recovery[3].upper()), 200)
    once_more = made(log_in(anybody, person), 200)
    refused(verify(anybody, once_more["mfaToken"], recovery[3]), 401, "invalid_code")
    made(verify(anybody, once_more["mfaToken"], recovery[4]), 200)
    refused(verify(anybody, once_more["mfaToken"], recovery[5]), 409, "session_exists")


def test_a_login_takes_at_most_five_codes(new_person, anybody: httpx.Client) -> None:
    person = new_person()
    secret, recovery, _ = with_totp(person)
    login = made(log_in(anybody, person), 200)
    for _ in range(5):
        refused(verify(anybody, login["mfaToken"], wrong_code(secret)), 401, "invalid_code")
    refused(verify(anybody, login["mfaToken"], recovery[0]), 401, "invalid_token")


def test_second_factors_are_switched_off_with_one(new_person, anybody: httpx.Client) -> None:
    person = new_person()
    _, recovery, used = with_totp(person)
    refused(person.client.post(f"{AUTH}/mfa/setup", json={}), 409, "mfa_enabled")
    refused(person.client.post(f"{AUTH}/mfa/disable", json={"code": used}), 401, "invalid_code")
    assert person.client.post(f"{AUTH}/mfa/disable", json={"code": recovery[0]}).status_code == 204
    assert "accessToken" in made(log_in(anybody, person), 200)
    refused(person.client.post(f"{AUTH}/mfa/disable", json={"code": recovery[1]}), 409, "mfa_not_enabled")


def test_a_code_is_needed_to_enable(new_person) -> None:
    person = new_person()
    refused(person.client.post(f"{AUTH}/mfa/enable", json={"code": "123456"}), 409, "mfa_not_prepared")
    secret = made(person.client.post(f"{AUTH}/mfa/setup", json={}), 200)["secret"]
    refused(person.client.post(f"{AUTH}/mfa/enable", json={"code": wrong_code(secret)}), 401, "invalid_code")


def test_api_tokens_do_what_they_were_made_for(
    server: Server, new_person, ada: Person, anybody: httpx.Client
) -> None:
    person = new_person()
    body = {"name": "ci", "scopes": ["read", "write"], "days": 7}
    headers = {"Idempotency-Key": "one"}
    token = made(person.client.post("/api/v1/me/tokens", json=body, headers=headers))
    assert made(person.client.post("/api/v1/me/tokens", json=body, headers=headers)) == token
    assert token["token"].startswith("cp_")
    with server.client(token["token"]) as service:
        project = made(service.post("/api/v1/projects", json={"name": "by a service"}))
        assert project["ownerId"] == person.id
        refused(service.get("/api/v1/me/tokens"), 403, "scope_required")
        refused(service.delete("/api/v1/me"), 403, "scope_required")
    (listed,) = person.client.get("/api/v1/me/tokens").json()["items"]
    assert listed == {name: value for name, value in token.items() if name != "token"}
    refused(ada.client.delete(f"/api/v1/me/tokens/{token['id']}"), 404, "token_not_found")
    assert person.client.delete(f"/api/v1/me/tokens/{token['id']}").status_code == 204
    refused(me(server, token["token"]), 401, "invalid_token")
    refused(me(server, token["token"][:-1] + "x"), 401, "invalid_token")


def test_a_read_token_of_an_administrator_administers_nothing(
    server: Server, admin: httpx.Client, new_person
) -> None:
    person = new_person()
    made(admin.patch(f"/api/v1/accounts/{person.id}", json={"roles": ["admin"]}), 200)
    token = made(person.client.post("/api/v1/me/tokens", json={"name": "r", "scopes": ["read", "write"]}))
    other = new_person()
    private = made(other.client.post("/api/v1/projects", json={"name": "theirs"}))
    assert person.client.get(f"/api/v1/projects/{private['id']}").status_code == 200
    with server.client(token["token"]) as service:
        refused(service.get(f"/api/v1/projects/{private['id']}"), 404, "project_not_found")
        refused(service.post("/api/v1/announcements", json={"title": "t", "text": "x"}), 403, "role_required")


def test_a_token_signed_by_others_or_not_at_all_is_refused(server: Server, ada: Person) -> None:
    from commands.secrets import Secrets

    claims = jwt.decode(ada.token, options={"verify_signature": False})
    header = jwt.get_unverified_header(ada.token)
    foreign = SigningKeys(Secrets(bytes(32))).signing()
    for token in (
        jwt.encode(claims, foreign.private, algorithm="EdDSA", headers=header),
        jwt.encode(claims, None, algorithm="none", headers={"typ": "at+jwt", "kid": header["kid"]}),
        jwt.encode(claims, "secret" * 10, algorithm="HS256", headers={"typ": "at+jwt", "kid": header["kid"]}),
    ):
        refused(me(server, token), 401, "invalid_token")


@pytest.mark.parametrize("password", ["        ", "пароль-密码-🔑", "x" * 1_024, " leading and trailing "])
def test_a_password_of_any_letters_is_taken_as_it_is(
    anybody: httpx.Client, new_person, password: str
) -> None:
    person = new_person()
    body = {"currentPassword": PASSWORD, "newPassword": password}
    assert person.client.put("/api/v1/me/password", json=body).status_code == 204
    made(log_in(anybody, person, password), 200)
    other = password.strip() if password.strip() != password else password[:-1]
    refused(log_in(anybody, person, other), 401, "invalid_credentials")


@pytest.mark.parametrize("scopes", [["write"], ["account"]])
def test_a_token_without_the_scope_gets_no_events(server: Server, new_person, scopes: list[str]) -> None:
    person = new_person()
    body = {"name": "t", "scopes": scopes}
    token = made(person.client.post("/api/v1/me/tokens", json=body))["token"]
    project = made(person.client.post("/api/v1/projects", json={"name": "p"}))["id"]
    with server.client(token) as service:
        for path in ("/api/v1/events", "/api/v1/events/stream", f"/api/v1/projects/{project}"):
            refused(service.get(path), 403, "scope_required")
    with open_socket(server, token=token) as socket:
        assert json.loads(socket.recv())["problem"]["code"] == "scope_required"


def test_a_token_that_only_writes_is_shown_nothing_over_graphql(server: Server, new_person) -> None:
    person = new_person()
    token = made(person.client.post("/api/v1/me/tokens", json={"name": "t", "scopes": ["write"]}))["token"]
    project = made(person.client.post("/api/v1/projects", json={"name": "p"}))["id"]
    field = f'updateProject(projectId: "{project}", input: {{name: "q"}})'
    query = f"mutation {{ {field} {{ version project {{ name }} }} }}"
    with server.client(token) as service:
        answer = made(service.post("/graphql", json={"query": query}), 200)
    assert answer["data"]["updateProject"] == {"version": 2, "project": None}


@pytest.mark.parametrize("token", ["cp_none_x", "cp_" + "y" * 3_000, "cp_" + "y" * 5_000, "x" * 5_000])
def test_invented_tokens_are_not_looked_up(server: Server, token: str) -> None:
    refused(me(server, token), 401, "invalid_token")


def test_a_code_of_other_digits_is_wrong(new_person) -> None:
    person = new_person()
    made(person.client.post(f"{AUTH}/mfa/setup", json={}), 200)
    refused(person.client.post(f"{AUTH}/mfa/enable", json={"code": "éééééé"}), 401, "invalid_code")


def test_a_password_that_changed_meanwhile_completes_no_login(new_person, anybody: httpx.Client) -> None:
    person = new_person()
    _, recovery, _ = with_totp(person)
    login = made(log_in(anybody, person), 200)
    body = {"currentPassword": PASSWORD, "newPassword": "battery staple horse"}
    assert person.client.put("/api/v1/me/password", json=body).status_code == 204
    refused(verify(anybody, login["mfaToken"], recovery[0]), 403, "session_ended")


@pytest.mark.parametrize("email", ["x,victim@example.org", "a(c)@x.org", "=?utf-8?q?a?=@x.org", "a b@x.org"])
def test_an_address_is_one_however_it_is_read(anybody: httpx.Client, email: str) -> None:
    body = {"email": email, "name": "several", "password": PASSWORD}
    assert anybody.post(f"{AUTH}/register", json=body).status_code == 400
