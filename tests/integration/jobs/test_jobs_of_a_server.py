"""Mail that events ask for, and what administrators see and change of jobs, in both profiles."""

import json

import pytest

from tests.support.people import PASSWORD, made, refused
from tests.support.server import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

NOW = {"mentioned": {"live": True, "mail": "now"}}
PREFERENCES = "/api/v1/me/notifications"


def test_a_mention_that_stays_unread_is_told_of_by_one_mail(installation, people):
    ada, bob, project, _ = people
    made(ada.client.put(PREFERENCES, json=NOW), 200)
    reviews = f"/api/v1/projects/{project}/reviews"
    for title in ("First", "Second"):
        made(bob.client.post(reviews, json={"title": title, "description": "Look, @Ada"}))
    mails = eventually(lambda: installation.mails(ada.email), seconds=40)
    listed = "\n".join(mail.get_content() for mail in mails)
    assert "Bob mentioned you in the review “First”" in listed
    assert f"{reviews}/" in listed
    eventually(lambda: "“Second”" in "\n".join(mail.get_content() for mail in installation.mails(ada.email)))
    count = len(installation.mails(ada.email))
    made(bob.client.post(reviews, json={"title": "Third", "description": "@Ada"}))
    eventually(lambda: len(installation.mails(ada.email)) > count, seconds=40)
    last = installation.mails(ada.email)[-1].get_content()
    assert "“Third”" in last
    assert "“First”" not in last


def test_what_was_read_is_not_told_of(installation, people):
    ada, bob, project, admin = people
    made(bob.client.put(PREFERENCES, json=NOW), 200)
    reviews = f"/api/v1/projects/{project}/reviews"
    made(ada.client.post(reviews, json={"title": "Read at once", "description": "@Bob"}))
    made(bob.client.post("/api/v1/notifications/read", json={}), 204)
    ended = eventually(
        lambda: [
            job
            for job in made(admin.get("/api/v1/jobs", params={"status": "completed"}), 200)["items"]
            if job["data"].get("account") == bob.id and job["kind"] == "notification-mail"
        ],
        seconds=40,
    )
    assert ended[0]["queue"] == "background"
    assert installation.mails(bob.email) == []


def test_preferences_begin_with_those_of_a_new_account(people):
    bob = people[1]
    made(bob.client.put(PREFERENCES, json={}), 200)
    preferences = made(bob.client.get(PREFERENCES), 200)
    assert preferences["mentioned"] == {"live": True, "mail": "hourly"}
    assert preferences["reviewDecided"] == {"live": True, "mail": "off"}
    assert preferences["weeklyReport"] is True
    refused(bob.client.put(PREFERENCES, json={"mentioned": {"mail": "never"}}), 400, "invalid_input")


def test_a_change_of_the_password_is_told_of(installation, people):
    bob = people[1]
    new = {"currentPassword": PASSWORD, "newPassword": "battery staple horse"}
    made(bob.client.put("/api/v1/me/password", json=new), 204)
    assert "was changed" in installation.mail(bob.email, "Your password was changed")


def test_administrators_see_jobs_and_nobody_else_does(installation, people):
    ada, admin = people[0], people[3]
    made(ada.client.post("/api/v1/me/tokens", json={"name": "nightly", "scopes": ["read"]}))
    assert "nightly" in installation.mail(ada.email, "An API token was created")
    listed = eventually(
        lambda: made(admin.get("/api/v1/jobs", params={"queue": "critical", "status": "completed"}), 200)[
            "items"
        ]
    )
    job = listed[0]
    assert (job["kind"], job["queue"], job["attempts"], job["reason"]) == (
        "security-mail",
        "critical",
        1,
        None,
    )
    assert ada.email not in json.dumps(listed)
    assert made(admin.get(f"/api/v1/jobs/{job['id']}"), 200) == job
    for method, path in (("GET", ""), ("GET", f"/{job['id']}"), ("POST", f"/{job['id']}/retry")):
        refused(ada.client.request(method, f"/api/v1/jobs{path}"), 403, "role_required")
    refused(admin.post(f"/api/v1/jobs/{job['id']}/retry"), 409, "job_status")
    refused(admin.get("/api/v1/jobs/none-1"), 404, "job_not_found")
    refused(admin.get("/api/v1/jobs", params={"status": "lost"}), 400, "invalid_input")


def test_a_schedule_is_cancelled_and_retried_and_pages_lead_to_all_jobs(installation, people):
    admin = people[3]
    delayed = made(admin.get("/api/v1/jobs", params={"status": "delayed"}), 200)["items"]
    clean_up = next(job for job in delayed if job["kind"] == "clean-up")
    assert made(admin.post(f"/api/v1/jobs/{clean_up['id']}/cancel"), 200)["cancelled"]
    assert not made(admin.post(f"/api/v1/jobs/{clean_up['id']}/retry"), 200)["cancelled"]
    seen, cursor = [], None
    while True:
        page = made(
            admin.get("/api/v1/jobs", params={"limit": 1, **({"cursor": cursor} if cursor else {})}), 200
        )
        seen += [job["id"] for job in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) >= 3


def test_the_command_line_shows_the_same(installation, people):
    admin = people[3]
    shown = json.loads(installation.server.command("jobs", "list", "--status", "delayed", "--json"))["items"]
    assert {job["kind"] for job in shown} >= {"clean-up", "weekly-reports"}
    one = json.loads(installation.server.command("jobs", "show", shown[0]["id"], "--json"))
    assert one == made(admin.get(f"/api/v1/jobs/{shown[0]['id']}"), 200)
