"""Every command is a mutation, carried out as over REST."""

import base64
from typing import Any
from uuid import uuid4

import httpx

from commands.table.registry import CLIENT_COMMANDS
from tests.support.graphql import data, refused, send
from tests.support.insights import measured
from tests.support.people import Person, made

PROJECTS = "/api/v1/projects"
OUTCOME = "version position commandId replayed changed"
CREATE = (
    "mutation ($name: String!, $key: String) { createProject(input: {name: $name}, idempotencyKey: $key)"
    f" {{ project {{ id name version }} {OUTCOME} }} }}"
)
RENAME = (
    "mutation ($id: ID!, $name: String!, $expected: Int) {"
    " updateProject(projectId: $id, input: {name: $name}, expectedVersion: $expected) { project"
    " { name } version } }"
)
COMMIT = (
    '{message: "m", author: {name: "A"}, authoredAt: "2024-05-01T10:00:00Z",'
    ' changes: [{path: "c", status: ADDED, content: "c"}]}'
)


def test_every_command_is_a_mutation(anybody: httpx.Client) -> None:
    introspection = data(anybody, "{ __schema { mutationType { fields { name } } } }")
    names = {field["name"] for field in introspection["__schema"]["mutationType"]["fields"]}
    nouns = {name: (name.partition(".")[2] + name.partition(".")[0].capitalize()) for name in CLIENT_COMMANDS}
    assert set(nouns.values()) <= names


def test_a_project_through_its_life(ada: Person, bob: Person) -> None:
    id_ = data(ada.client, CREATE, name="Loom")["createProject"]["project"]["id"]
    steps: list[tuple[str, dict[str, Any]]] = [
        (
            (
                'updateProject(projectId: $id, input: {description: "d", visibility: PUBLIC})'
                " { version project { visibility } }"
            ),
            {"version": 2, "project": {"visibility": "PUBLIC"}},
        ),
        (
            (
                f'setCollaborator(projectId: $id, input: {{accountId: "{bob.id}", role: EDITOR}}) {{'
                f" project {{ collaborators {{ name role }} }} }}"
            ),
            {"project": {"collaborators": [{"name": "Bob", "role": "EDITOR"}]}},
        ),
        (
            (
                f'removeCollaborator(projectId: $id, input: {{accountId: "{bob.id}"}}) {{ project {{'
                f" collaborators {{ id }} }} }}"
            ),
            {"project": {"collaborators": []}},
        ),
        (
            (
                'writeFile(projectId: $id, input: {path: "a.py", content: "1"}) { file'
                " { content version encoding } }"
            ),
            {"file": {"content": "1", "version": 1, "encoding": "UTF8"}},
        ),
        (
            (
                'writeFile(projectId: $id, input: {path: "b", content: "AAE=", encoding: BASE64})'
                " { file { size encoding } }"
            ),
            {"file": {"size": 2, "encoding": "BASE64"}},
        ),
        (
            'deleteFile(projectId: $id, input: {path: "a.py"}) { version changed }',
            {"version": 2, "changed": True},
        ),
        (
            (
                f"recordCommit(projectId: $id, input: {COMMIT}) {{ commit {{ message changes {{ path"
                f" status }} }} }}"
            ),
            {"commit": {"message": "m", "changes": [{"path": "c", "status": "ADDED"}]}},
        ),
        (
            "queueBuild(projectId: $id) { build { name status } }",
            {"build": {"name": "build", "status": "QUEUED"}},
        ),
    ]
    for step, expected in steps:
        (payload,) = data(ada.client, f"mutation ($id: ID!) {{ {step} }}", id=id_).values()
        assert payload == expected
    shown = ada.client.get(f"{PROJECTS}/{id_}").json()
    assert [file["path"] for file in shown["files"]] == ["b", "c"]
    data(ada.client, "mutation ($id: ID!) { deleteProject(projectId: $id) { version } }", id=id_)
    assert ada.client.get(f"{PROJECTS}/{id_}").status_code == 404


def test_reviews_builds_and_suggestions(ada: Person, bob: Person, project: Any, path: str) -> None:
    made(ada.client.put(f"{path}/collaborators/{bob.id}", json={"role": "editor"}), 200)
    opened = data(
        ada.client,
        'mutation ($p: ID!) { openReview(projectId: $p, input: {title: "Look"}) { review { id status } } }',
        p=project["id"],
    )["openReview"]["review"]
    about = {"p": project["id"], "r": opened["id"]}
    steps = [
        (
            ada,
            (
                'commentReview(projectId: $p, input: {reviewId: $r, text: "Hm"}) { review { comments'
                " { text } } }"
            ),
            {"comments": [{"text": "Hm"}]},
        ),
        (
            bob,
            (
                "decideReview(projectId: $p, input: {reviewId: $r, decision: APPROVED}) { review"
                " { decisions { decision reviewer { name } } } }"
            ),
            {"decisions": [{"decision": "APPROVED", "reviewer": {"name": "Bob"}}]},
        ),
        (
            ada,
            "closeReview(projectId: $p, input: {reviewId: $r}) { review { status } }",
            {"status": "closed"},
        ),
    ]
    for person, step, expected in steps:
        (payload,) = data(person.client, f"mutation ($p: ID!, $r: ID!) {{ {step} }}", **about).values()
        assert payload == {"review": expected}
    own = "mutation ($p: ID!, $r: ID!) { closeReview(projectId: $p, input: {reviewId: $r}) { version } }"
    refused(ada.client, own, 404, "review_not_found", p=project["id"], r=str(uuid4()))
    build = made(ada.client.post(f"{path}/builds", json={}))["id"]
    move = (
        "mutation ($p: ID!, $b: ID!, $s: BuildStatus!)"
        " { moveBuild(projectId: $p, input: {buildId: $b, status: $s}) { build { status } } }"
    )
    for status in ("RUNNING", "PASSED"):
        moved = data(bob.client, move, p=project["id"], b=build, s=status)
        assert moved["moveBuild"]["build"] == {"status": status}
    refused(bob.client, move, 409, "build_status", p=project["id"], b=build, s="RUNNING")
    nested = "def f(a):\n" + "".join(f"    if a == {n}:\n        return {n}\n" for n in range(12))
    measured(ada.client, path, ada.client.put(f"{path}/files/f.py", json={"content": nested}))
    insights = "query ($p: ID!) { insights(projectId: $p) { suggestions { id status } } }"
    (suggestion,) = data(ada.client, insights, p=project["id"])["insights"]["suggestions"]
    dismiss = (
        "mutation ($p: ID!, $s: ID!) { dismissSuggestion(projectId: $p, input: {suggestionId: $s})"
        " { insights { complexity suggestions { id } } } }"
    )
    left = data(ada.client, dismiss, p=project["id"], s=suggestion["id"])["dismissSuggestion"]["insights"]
    assert left == {"complexity": 13, "suggestions": []}


def test_a_key_gets_the_first_outcome_again_by_either_surface(ada: Person) -> None:
    key = uuid4().hex
    first = data(ada.client, CREATE, name="Once", key=key)["createProject"]
    again = data(ada.client, CREATE, name="Once", key=key)["createProject"]
    assert again == {**first, "replayed": True}
    by_rest = ada.client.post(PROJECTS, json={"name": "Once"}, headers={"Idempotency-Key": key})
    assert made(by_rest)["id"] == first["project"]["id"]
    assert by_rest.headers["idempotency-replayed"] == "true"
    refused(ada.client, CREATE, 422, "idempotency_key_reused", name="Twice", key=key)
    refused(ada.client, CREATE, 400, "invalid_input", name="Twice", key="not one key")


def test_the_header_s_key_serves_every_mutation_of_the_operation(ada: Person) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    one = data(ada.client, CREATE, headers, name="H")["createProject"]
    assert data(ada.client, CREATE, headers, name="H")["createProject"] == {**one, "replayed": True}
    two = (
        'mutation { a: createProject(input: {name: "a"})'
        ' { commandId } b: createProject(input: {name: "a"}) { commandId } }'
    )
    payloads = data(ada.client, two, headers)
    assert payloads["a"] != payloads["b"]
    assert data(ada.client, two, headers) == payloads


def test_an_expected_version_that_has_moved_on_is_refused(ada: Person, project: Any) -> None:
    assert data(ada.client, RENAME, id=project["id"], name="A", expected=1)["updateProject"]["version"] == 2
    refused(ada.client, RENAME, 412, "version_mismatch", id=project["id"], name="B", expected=1)
    refused(ada.client, RENAME, 400, "invalid_input", id=project["id"], name="B", expected=-1)
    assert ada.client.get(f"{PROJECTS}/{project['id']}").json()["name"] == "A"


def test_refusals_are_those_of_rest(ada: Person, bob: Person, project: Any, public: Any) -> None:
    refused(bob.client, RENAME, 404, "project_not_found", id=project["id"], name="x")
    refused(bob.client, RENAME, 403, "role_required", id=public["id"], name="x")
    long = refused(ada.client, RENAME, 400, "invalid_input", id=project["id"], name="x" * 101)
    assert long["extensions"]["pointer"] == "/name"
    wrong = 'mutation { createProject(input: {name: "x", colour: "red"}) { version } }'
    refused(ada.client, wrong, 400, "invalid_query")
    refused(
        ada.client,
        'mutation { publishAnnouncement(input: {title: "t", text: ""}) { version } }',
        403,
        "role_required",
    )
    odd = 'mutation ($id: ID!) { writeFile(projectId: $id, input: {path: "../x", content: ""}) { version } }'
    refused(ada.client, odd, 400, "invalid_path", id=project["id"])
    large = base64.b64encode(bytes(600_000)).decode()
    written = send(
        ada.client,
        (
            'mutation ($id: ID!, $c: String) { writeFile(projectId: $id, input: {path: "x", content: $c})'
            " { version } }"
        ),
        id=project["id"],
        c=large,
    )
    assert "errors" not in written.json(), written.text[:300]
    assert written.json()["data"]["writeFile"] == {"version": 1}


def test_mutations_run_one_after_the_other_and_one_refused_leaves_the_others(
    ada: Person, project: Any
) -> None:
    query = (
        'mutation ($id: ID!) { a: updateProject(projectId: $id, input: {name: "A"}, expectedVersion:'
        " 1) { version }"
        ' b: updateProject(projectId: $id, input: {name: "B"}, expectedVersion: 2) { version } }'
    )
    assert data(ada.client, query, id=project["id"]) == {"a": {"version": 2}, "b": {"version": 3}}
    made(ada.client.patch(f"{PROJECTS}/{project['id']}", json={"name": "C"}), 200)  # version 4
    mixed = query.replace("expectedVersion: 2", "expectedVersion: 4")
    answer = send(ada.client, mixed, id=project["id"]).json()
    assert [(e["path"], e["extensions"]["code"]) for e in answer["errors"]] == [(["a"], "version_mismatch")]
    assert answer["data"] == {"a": None, "b": {"version": 5}}


def test_null_removes_a_value_and_absent_fields_stay(ada: Person) -> None:
    id_ = made(ada.client.post(PROJECTS, json={"name": "N", "description": "d", "language": "Python"}))["id"]
    patch = (
        "mutation ($id: ID!, $p: ProjectPatch) { updateProject(projectId: $id, input: $p)"
        " { changed project { name description language } } }"
    )
    payload = data(ada.client, patch, id=id_, p={"language": None})["updateProject"]
    assert payload == {"changed": True, "project": {"name": "N", "description": "d", "language": None}}
    assert data(ada.client, patch, id=id_)["updateProject"]["changed"] is False
    refused(ada.client, patch, 400, "invalid_input", id=id_, p={"name": None})
