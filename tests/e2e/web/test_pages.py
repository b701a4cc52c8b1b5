"""The pages in a real browser: what they show, that they follow events, and that the console stays silent."""

import json

import pytest

from tests.e2e.web.chromium import browser, executable
from tests.support.server import Server

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.skipif(executable() is None, reason="no Chromium is installed"),
]

NESTED = "def pick(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(12))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    process = Server(tmp_path_factory.mktemp("web") / "data").start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def client(server):
    with server.client(server.token()) as client:
        yield client


@pytest.fixture(scope="module")
def project(client):
    """A public project with three commits, and a private one."""
    about = {"name": "Wunderkammer", "description": "<b>Curious</b> things", "visibility": "public"}
    project = client.post("/api/v1/projects", json=about).json()["id"]
    for number in range(1, 4):
        record(client, project, number)
    client.post("/api/v1/projects", json={"name": "Hidden"})
    return project


def record(client, project, number):
    changes = [
        {"path": "src/pick.py", "status": "M", "content": f"{NESTED}# {number}\n"},
        {"path": f"notes/{number}.md", "status": "A", "content": f"# Note {number}\n"},
    ]
    commit = {
        "message": f"Step {number}",
        "author": {"name": "Ada"},
        "authoredAt": f"2024-05-0{number}T10:00:00Z",
    }
    answer = client.post(f"/api/v1/projects/{project}/commits", json={**commit, "changes": changes})
    assert answer.status_code == 201, answer.text


@pytest.fixture
def page(tmp_path):
    with browser(tmp_path / "profile") as page:
        page.size(1280, 900)
        yield page


def text(selector):
    return f"document.querySelector({json.dumps(selector)})?.textContent"


def has(selector, words):
    return f"({text(selector)} ?? '').includes({json.dumps(words)})"


def fits(page):
    return page.ask("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_first_page_lists_public_projects_and_finds_them(server, project, page):
    page.open(f"{server.url}/")
    page.wait(has(".cards", "Wunderkammer"))
    assert "Hidden" not in page.ask("document.body.textContent")
    assert page.ask(text(".about")) == "<b>Curious</b> things"
    page.ask(
        "(i => { i.value = 'nothing'; i.dispatchEvent(new Event('input')); })"
        "(document.getElementById('search'))"
    )
    page.wait(has(".state", "No project"))
    page.size(390, 844, phone=True)
    assert fits(page)
    assert page.problems == []


def test_a_token_shows_private_projects_until_it_is_forgotten(server, project, page):
    page.open(f"{server.url}/")
    page.wait(has(".cards", "Wunderkammer"))
    page.ask("document.getElementById('sign').click()")
    page.ask(f"document.getElementById('token').value = {json.dumps(server.token())}")
    page.ask("document.querySelector('#token-form button[type=submit]').click()")
    page.wait(has(".cards", "Hidden"))
    page.ask("document.getElementById('sign').click()")
    page.wait(f"!{has('.cards', 'Hidden')}")
    assert page.ask("sessionStorage.length") == 0
    assert page.problems == []


def test_a_project_now_and_as_it_was(server, project, page):
    page.open(f"{server.url}/#/projects/{project}?file=src/pick.py")
    page.wait(has(".code", "# 3"))
    page.wait(has(".suggestions", "complexity"))
    page.wait("document.getElementById('past').max === '3'")
    page.ask(
        "(i => { i.value = '0'; i.dispatchEvent(new Event('input')); })(document.getElementById('past'))"
    )
    page.wait(has(".at", "Commit 1 of 3"))
    page.wait(has(".code", "# 1"))
    assert "2.md" not in page.ask(text(".tree"))
    page.ask("[...document.querySelectorAll('.steps button')].at(-1).click()")
    page.wait(has(".code", "# 3"))
    page.size(390, 844, phone=True)
    assert fits(page)
    assert page.problems == []


def test_a_project_s_page_asks_for_little(server, project, page):
    """A person who reloads it, or opens it in several tabs, must not exceed the limit of an address."""
    page.open(f"{server.url}/#/projects/{project}")
    page.wait("document.querySelector('.live')?.dataset.state === 'live'")
    page.wait(has(".figures", "functions"))  # the last thing that it loads
    asked = (
        "performance.getEntriesByType('resource').filter(e => e.initiatorType === 'fetch')"
        ".map(e => new URL(e.name).pathname.split('/').slice(5).join('/'))"
    )
    assert sorted(page.ask(asked)) == ["", "insights", "timeline"]
    assert page.problems == []


def test_the_date_field_shows_a_history_by_its_own_time(server, project, page):
    page.open(f"{server.url}/#/projects/{project}?file=src/pick.py")
    page.wait("document.getElementById('past').max === '3'")
    page.ask(
        "(i => { i.value = '2024-05-02T23:00:00'; i.dispatchEvent(new Event('change')); })"
        "(document.getElementById('moment'))"
    )
    page.wait(has(".code", "# 2"))
    assert "3.md" not in page.ask(text(".tree"))
    assert page.ask("document.getElementById('past').value") == "1"
    page.ask(
        "(i => { i.value = '2019-01-01T00:00:00'; i.dispatchEvent(new Event('change')); })"
        "(document.getElementById('moment'))"
    )
    page.wait(has("[role=alert]", "not there yet"))


def test_commits_and_history(server, project, page):
    page.open(f"{server.url}/#/projects/{project}?tab=commits")
    page.wait(has(".commits", "Step 3"))
    page.ask("document.querySelector('.commits summary').click()")
    page.wait(has(".changes", "src/pick.py"))
    page.open(f"{server.url}/#/projects/{project}?tab=history")
    page.wait(has(".left .events", "project.created"))
    assert page.problems == []


def test_events_appear_as_they_come_and_a_lost_connection_resumes(server, client, project, page):
    page.open(f"{server.url}/#/projects/{project}")
    page.wait("document.querySelector('.live')?.dataset.state === 'live'")
    assert client.put(f"/api/v1/projects/{project}/files/live.txt", json={"content": "1"}).is_success
    page.wait(has("[role=log]", "live.txt"))
    page.wait(has(".tree", "live.txt"))
    assert page.problems == []

    server.stop()
    page.wait("document.querySelector('.live').dataset.state === 'waiting'")
    server.start()
    assert client.put(f"/api/v1/projects/{project}/files/late.txt", json={"content": "1"}).is_success
    page.wait(has("[role=log]", "late.txt"))
    page.wait("document.querySelector('.live').dataset.state === 'live'")
    events = "[...document.querySelectorAll('[role=log] .event .what')].map(e => e.textContent)"
    assert page.ask(events) == ["late.txt", "live.txt"]


def test_what_cannot_be_shown_is_said(server, page):
    page.open(f"{server.url}/#/projects/01900000-0000-7000-8000-000000000000")
    page.wait(has("[role=alert]", "use a token"))


def test_the_api_page_shows_the_operations_without_a_network(server, page):
    page.open(f"{server.url}/docs")
    page.wait("document.querySelectorAll('.opblock').length > 30")
    page.ask("document.querySelector('.opblock-summary-control').click()")
    page.wait("document.querySelector('.opblock.is-open .responses-table')")
    hosts = "[...new Set(performance.getEntriesByType('resource').map(e => new URL(e.name).host))]"
    assert page.ask(hosts) == [server.url.removeprefix("http://")]
    page.size(390, 844, phone=True)
    assert fits(page)
    assert page.problems == []


def test_the_api_page_leads_to_a_project_and_executes_at_the_first_click(server, project, page):
    page.open(f"{server.url}/docs")
    page.wait("document.querySelectorAll('.opblock').length > 30")
    page.ask("document.querySelector('#step-register [name=password]').value = 'correct horse battery'")
    page.ask("document.querySelector('#step-register button').click()")
    page.wait(has("#begin-answer", "201"))
    page.ask("document.querySelector('#step-login button').click()")
    page.wait(has("#begin-answer", "accessToken"))
    page.ask("document.querySelector('#step-project button').click()")
    page.wait(has("#begin-answer", '"name": "counter"'))
    page.wait("document.getElementById('docs').ariaBusy === 'false'")  # the examples are of this project now
    page.ask(
        "document.querySelector('[id=operations-Projects-get_project] .opblock-summary-control').click()"
    )
    page.wait("document.querySelector('[id=operations-Projects-get_project] .execute')")
    page.wait("document.querySelector('[id=operations-Projects-get_project] input')?.value.length === 36")
    page.ask("document.querySelector('[id=operations-Projects-get_project] .execute').click()")
    page.wait("document.querySelector('[id=operations-Projects-get_project] .live-responses-table')")
    shown = page.ask(text("[id=operations-Projects-get_project] .live-responses-table tbody td"))
    assert shown.startswith("200")
    assert page.problems == []


def test_an_address_without_a_hash_opens_the_project(server, project, page):
    page.open(f"{server.url}/projects/{project}")
    page.wait(has("h1", "Wunderkammer"))
    assert page.ask("location.pathname + location.hash") == f"/#/projects/{project}"
    assert page.problems == []


def test_the_graphql_page_asks_and_follows_without_a_network(server, client, project, page):
    page.open(f"{server.url}/graphql")
    page.wait("document.querySelector('.graphiql-execute-button')")
    page.wait(has(".graphiql-query-editor", "aiInsights"))
    page.ask("document.querySelector('.graphiql-execute-button').click()")
    page.wait(has(".result-window", "Wunderkammer"))
    after = client.patch(f"/api/v1/projects/{project}", json={}).headers["codepark-position"]
    query = f'subscription Live {{ events(projects: ["{project}"], after: "{after}") {{ data }} }}'
    page.ask(f"document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.setValue({query!r})")
    read = """localStorage.getItem('graphiql:tabState').includes('"operationName":"Live"')"""
    page.wait(read)  # the editor has taken it in
    page.ask("document.querySelector('.graphiql-execute-button').click()")
    client.put(f"/api/v1/projects/{project}/files/graphiql.txt", json={"content": "1"}).raise_for_status()
    page.wait(has(".result-window", "graphiql.txt"))
    hosts = "[...new Set(performance.getEntriesByType('resource').map(e => new URL(e.name).host))]"
    assert page.ask(hosts) == [server.url.removeprefix("http://")]
    assert page.problems == []
