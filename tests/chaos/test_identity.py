"""Kill the server while people sign in and are erased: revocations hold, and each erasure is completed."""

import threading

import httpx
import pytest

from tests.support.people import Person, made, refused
from tests.support.proof import size
from tests.support.server import eventually, serving
from tests.support.traces import stored

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300), pytest.mark.proof("erasure interrupted", rounds=5)]

AUTH = "/api/v1/auth"
MOST_KILLS = 25


def test_a_refresh_token_that_was_used_is_known_after_kill_9(tmp_path) -> None:
    with serving(tmp_path / "data") as server:
        ada = Person(server, "Ada")
        login = {"email": ada.email, "password": "correct horse battery"}
        with server.client() as client:
            first = made(client.post(f"{AUTH}/login", json=login), 200)
            second = made(client.post(f"{AUTH}/refresh", json={"refreshToken": first["refreshToken"]}), 200)
        server.kill()
        server.start()
        with server.client() as client:
            third = made(client.post(f"{AUTH}/refresh", json={"refreshToken": second["refreshToken"]}), 200)
            refused(
                client.post(f"{AUTH}/refresh", json={"refreshToken": first["refreshToken"]}),
                401,
                "refresh_reused",
            )
        server.kill()
        server.start()
        with server.client(third["accessToken"]) as client:
            refused(client.get("/api/v1/me"), 401, "invalid_token")
            refused(
                client.post(f"{AUTH}/refresh", json={"refreshToken": third["refreshToken"]}),
                401,
                "invalid_token",
            )


def test_an_erasure_comes_to_its_end_whatever_dies(tmp_path) -> None:
    """Kill at another moment each turn: as soon as the erasure is in the log, or a little later.

    At least once the next start must have something left to do; where each kill came too early or too late,
    more are tried.
    """
    taken_up = [erased_across_a_kill(tmp_path / f"data{turn}", turn) for turn in range(size(3, 5))]
    while not any(taken_up):
        assert len(taken_up) < MOST_KILLS
        taken_up.append(erased_across_a_kill(tmp_path / f"data{len(taken_up)}", 0))


def erased_across_a_kill(data, turn) -> bool:
    """Kill the server while it erases somebody, start it, and check; return whether it had to go on then."""
    with serving(data) as server:
        ada = Person(server, "Ada")
        title = "words that are nowhere else"
        with ada.client as client:
            project = made(client.post("/api/v1/projects", json={"name": "p", "visibility": "public"}))["id"]
            for number in range(30):
                body = {"title": f"{title} {number}"}
                made(client.post(f"/api/v1/projects/{project}/reviews", json=body))
            assert title.encode() in stored(server)
            asked = threading.Thread(target=erase, args=(client,))
            log = server.data / "log.sqlite-wal"
            before = log.stat().st_size
            asked.start()
            eventually(lambda: log.stat().st_size > before)
            threading.Event().wait(turn * 0.01)  # another moment each turn: there is nothing to wait for
            server.kill()
            asked.join()
        done = server.printed.count("a person was erased")
        server.start()
        with server.client(server.token()) as admin:
            erased = eventually(lambda: completed(admin) or not erased_events(admin))
            assert erased
            if completed(admin):
                reviews = admin.get(f"/api/v1/projects/{project}/reviews", params={"limit": 100}).json()[
                    "items"
                ]
                assert {review["title"] for review in reviews} == {"[erased]"}
                assert title.encode() not in stored(server)
            return server.printed.count("a person was erased") > done


def erase(client) -> None:
    try:
        client.delete("/api/v1/me")
    except httpx.TransportError:
        return  # the server died in between


def erased_events(admin) -> list:
    return made(admin.get("/api/v1/events", params={"type": "account.erased"}), 200)["items"]


def completed(admin) -> list:
    return made(admin.get("/api/v1/events", params={"type": "erasure.completed"}), 200)["items"]
