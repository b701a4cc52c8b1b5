"""A rotation of the signing key ends the operator's tokens, in requests and in connections that stay open."""

import asyncio

from domain.actor import SERVICE
from read_api.gateway.caller import Caller
from tests.support.mailbox import installation


def test_a_rotation_of_the_signing_key_ends_the_operators_tokens_alone(tmp_path) -> None:
    async def run():
        async with installation(tmp_path) as here:
            ada = await here.client("ada")
            tokens, operator = here.identity.tokens, here.app.client
            caller = Caller(here.identity, operator.headers["Authorization"])
            assert caller.signed_in().id == SERVICE.id
            assert (await operator.get("/api/v1/accounts")).status_code == 200
            rotated = await operator.post("/internal/rotate-signing-key", json={"arguments": {}})
            assert rotated.status_code == 200, rotated.text
            assert not caller.is_still_authorized()  # an open connection asks this
            assert (await operator.get("/api/v1/accounts")).status_code == 401
            again = here.acting(tokens.issue_access(SERVICE.id, SERVICE.roles, operator=True))
            assert (await again.get("/api/v1/accounts")).status_code == 200
            assert (await ada.get("/api/v1/me")).status_code == 200

    asyncio.run(run())
