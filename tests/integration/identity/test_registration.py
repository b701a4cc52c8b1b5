"""Registration: one address has one account, and a repeated key shows nobody's password."""

import asyncio

import msgspec

from commands.bus import accepted
from commands.intake import CommandMetadata, keyed_command_id
from commands.log import CommandEvents
from commands.stream_event import StreamEvent
from domain.account.commands import RegisterAccount
from domain.account.events import AccountRegistered, ClaimTaken
from domain.actor import ANONYMOUS, Role, Tier
from domain.identifiers import ACCOUNTS_HOME, account_stream, claim_stream
from tests.support.mailbox import AUTH, PASSWORD, installation

KEY = {"Idempotency-Key": "k1"}
COMPOSED, DECOMPOSED = "\u00e9@example.org", "e\u0301@example.org"


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def register(here, name, email, password=PASSWORD, headers=KEY):
    body = {"email": email, "name": name, "password": password}
    return await here.visitor.post(f"{AUTH}/register", json=body, headers=headers)


def test_the_log_has_no_hash_over_the_password_but_the_slow_one(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            answer = await register(here, "ada", "ada@example.org")
            log, profile = here.app.profile.logs.accounts, here.app.profile
            stored = log.command_records(answer.headers["codepark-command"])[0].fingerprint
            body = ("account.register", ("ada@example.org", "ada"))
            encoded = msgspec.json.encode(body).decode()
            assert stored == profile.secrets.keyed_hash("fingerprint", encoded)

    asyncio.run(run())


def test_a_repeated_key_with_another_password_is_a_guess(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            first = await register(here, "ada", "ada@example.org")
            again = await register(here, "ada", "ada@example.org")
            assert (again.status_code, again.json()) == (201, first.json())
            assert again.headers["idempotency-replayed"] == "true"
            codes = []
            for number in range(8):
                guess = await register(here, "ada", "ada@example.org", f"a wrong guess {number}")
                codes.append(guess.json()["code"])
            assert codes[0] == "idempotency_key_reused"
            assert codes[-1] == "too_many_attempts"
            login = {"email": "ada@example.org", "password": PASSWORD}
            refused(await here.visitor.post(f"{AUTH}/login", json=login), 429, "too_many_attempts")

    asyncio.run(run())


def test_two_people_with_one_key_are_not_in_each_others_way(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = (await register(here, "ada", "ada@example.org")).json()
            bob = await register(here, "bob", "bob@example.org")
            assert bob.status_code == 201, bob.text
            assert bob.json()["id"] != ada["id"]
            refused(await register(here, "eve", "ada@example.org"), 422, "idempotency_key_reused")

    asyncio.run(run())


def test_the_id_of_an_account_does_not_follow_from_the_key(tmp_path) -> None:
    async def run():
        ids = []
        for number in range(2):
            async with installation(tmp_path / str(number)) as here:
                ids.append((await register(here, "ada", "ada@example.org")).json()["id"])
        assert ids[0] != ids[1]

    asyncio.run(run())


def test_the_outcome_of_an_earlier_release_is_repeated(tmp_path) -> None:
    """Then all visitors shared their keys, and the fingerprint covered the password."""

    async def run():
        async with installation(tmp_path) as here:
            profile = here.app.profile
            command = RegisterAccount(
                account_id="01900000-0000-8000-8000-000000000001",
                email="ada@example.org",
                name="ada",
                password_hash=await here.identity.passwords.hash(PASSWORD),
                email_claim=profile.intake.claim("email", "ada@example.org"),
                name_claim=profile.intake.claim("name", "ada"),
            )
            metadata = CommandMetadata(actor=ANONYMOUS, key="k1")
            body = {"email": "ada@example.org", "name": "ada", "password": PASSWORD}
            submission = profile.intake.submit(command, body, metadata)
            assert submission.command_id == keyed_command_id("", ACCOUNTS_HOME, "k1")
            accepted((await profile.bus.execute([submission]))[0])
            again = await register(here, "ada", "ada@example.org")
            assert (again.status_code, again.json()["id"]) == (201, command.account_id)
            assert again.headers["idempotency-replayed"] == "true"
            wrong = await register(here, "ada", "ada@example.org", "a wrong guess")
            refused(wrong, 422, "idempotency_key_reused")
            assert (await register(here, "bob", "bob@example.org")).status_code == 201

    asyncio.run(run())


def test_two_spellings_of_one_address_are_one_account(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            await here.register("ada", COMPOSED)
            await here.register("idn", "ada@\u00e9xample.org")
            for number, email in enumerate((DECOMPOSED, "\u00c9@EXAMPLE.org", "ADA@xn--xample-9ua.org")):
                taken = await register(here, f"other{number}", email, headers={})
                refused(taken, 409, "email_taken")
            assert await here.log_in(DECOMPOSED)
            assert await here.log_in("ada@E\u0301xample.org")
            refused(await register(here, "lig", "a\ufb00@example.org", headers={}), 400, "invalid")

    asyncio.run(run())


def test_accounts_with_addresses_of_before_the_rule_still_work_and_are_unique(tmp_path) -> None:
    async def run():
        async with installation(tmp_path, verifies=False) as here:
            profile = here.app.profile
            hashed = await here.identity.passwords.hash(PASSWORD)
            _stored_before(profile, 1, "ada", DECOMPOSED, hashed)
            _stored_before(profile, 2, "lig", "a\ufb00@example.org", hashed)
            for email in (DECOMPOSED, COMPOSED, "a\ufb00@example.org"):
                assert await here.log_in(email)
            refused(await register(here, "new", COMPOSED, headers={}), 409, "email_taken")
            refused(await register(here, "new", DECOMPOSED, headers={}), 409, "email_taken")
            eve = here.acting((await here.log_in("a\ufb00@example.org"))["accessToken"])
            refused(await eve.patch("/api/v1/me", json={"email": COMPOSED}), 409, "email_taken")
            ada = here.acting((await here.log_in(COMPOSED))["accessToken"])
            assert (await ada.patch("/api/v1/me", json={"email": COMPOSED})).status_code == 200
            assert await here.log_in(COMPOSED)

    asyncio.run(run())


def _stored_before(profile, number: int, name: str, email: str, password_hash: str) -> None:
    """Append what an earlier release stored for an account."""
    account_id = f"01900000-0000-8000-8000-00000000000{number}"
    claims = {
        "email_claim": profile.secrets.claim("email", email),
        "name_claim": profile.intake.claim("name", name),
    }
    registered = AccountRegistered(
        account_id=account_id,
        email=email,
        name=name,
        password_hash=password_hash,
        roles=(Role.USER,),
        tier=Tier.FREE,
        verified=True,
        **claims,
    )
    taken = ClaimTaken(account_id=account_id)
    events = [StreamEvent(account_stream(account_id), 1, registered)]
    events += [StreamEvent(claim_stream(claim), 1, taken) for claim in claims.values()]
    log = profile.logs.accounts
    stored = CommandEvents(
        command=f"before-{number}",
        home=ACCOUNTS_HOME,
        fingerprint=None,
        actor="",
        correlation="c",
        causation=None,
        traceparent=None,
        occurred_at=log.tip().occurred_at,
        events=tuple(events),
    )
    log.append(log.tip(), [stored])
