"""FastAPI that verifies passwords as its documentation shows: `python -m bench.peers.argon2_fastapi PORT`.

A synchronous endpoint runs in the framework's pool of 40 threads, so 40 hashes may run at once.
"""

import sys

import uvicorn
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from bench.api import PASSWORD


class Credentials(BaseModel):
    """The body of a login."""

    email: str
    password: str


def build() -> FastAPI:
    """Return the web application; every account has the same password."""
    hasher = PasswordHasher()
    hashed = hasher.hash(PASSWORD)
    api = FastAPI()

    @api.get("/health/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @api.get("/api/v1/projects")
    async def projects() -> dict[str, list[str]]:
        return {"items": []}

    @api.post("/api/v1/auth/login")
    def login(credentials: Credentials) -> dict[str, str]:
        try:
            hasher.verify(hashed, credentials.password)
        except VerifyMismatchError as error:
            raise HTTPException(401) from error
        return {"accessToken": "token"}

    return api


if __name__ == "__main__":
    uvicorn.run(build(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
