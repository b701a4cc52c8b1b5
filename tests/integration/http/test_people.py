"""People are found by their handle; administrators list accounts; collaborators are set by handle."""

import httpx
import pytest

from tests.support.people import Person, made, refused
from tests.support.server import eventually

ACCOUNTS = "/api/v1/accounts"


def query(client: httpx.Client, text: str, **variables: object) -> dict:
    return made(client.post("/graphql", json={"query": text, "variables": variables}), 200)


def test_anybody_finds_a_person_by_a_whole_handle(ada: Person, anybody: httpx.Client) -> None:
    for name in (ada.name, ada.name.upper()):
        found = made(anybody.get(ACCOUNTS, params={"name": name}), 200)
        assert [account["id"] for account in found["items"]] == [ada.id]
        assert found["items"][0].keys() == {"id", "name", "createdAt", "version"}
        assert found["nextCursor"] is None
    nobody = made(anybody.get(ACCOUNTS, params={"name": ada.name[:-1] + "-x"}), 200)
    assert nobody == {"items": [], "nextCursor": None}
    assert made(ada.client.get(ACCOUNTS, params={"name": ada.name}), 200)["items"][0]["email"] == ada.email
    refused(anybody.get(ACCOUNTS, params={"name": "@ada"}), 400, "invalid_input")


def test_graphql_finds_a_person_by_handle(ada: Person, anybody: httpx.Client) -> None:
    text = "query($name: String) { account(name: $name) { id email } accounts(name: $name) { nodes { id } } }"
    assert query(anybody, text, name=ada.name)["data"] == {
        "account": {"id": ada.id, "email": None},
        "accounts": {"nodes": [{"id": ada.id}]},
    }
    assert query(anybody, '{ account(name: "nobody-has-it") { id } }')["data"] == {"account": None}
    both = query(anybody, f'{{ account(id: "{ada.id}", name: "{ada.name}") {{ id }} }}')
    assert both["errors"][0]["extensions"]["code"] == "invalid"


def test_administrators_list_accounts_and_search_them(
    admin: httpx.Client, ada: Person, anybody: httpx.Client, new_person
) -> None:
    people = [new_person() for _ in range(3)]
    pages: list[str] = []
    cursor: str | None = None
    while len(pages) < 3:
        answer = made(admin.get(ACCOUNTS, params={"limit": 1, **({"cursor": cursor} if cursor else {})}), 200)
        pages += [account["id"] for account in answer["items"]]
        cursor = answer["nextCursor"]
    assert pages == [person.id for person in reversed(people)]
    for search in (people[0].name[:-2], people[0].name.upper(), people[0].email):
        (account,) = made(admin.get(ACCOUNTS, params={"search": search}), 200)["items"]
        assert (account["id"], account["email"]) == (people[0].id, people[0].email)
        assert not account.keys() & {"nameKeys", "addressKeys"}
    text = "query($search: String) { accounts(search: $search) { nodes { id email } } }"
    found = query(admin, text, search=people[1].name)["data"]["accounts"]["nodes"]
    assert found == [{"id": people[1].id, "email": people[1].email}]
    refused(ada.client.get(ACCOUNTS), 403, "role_required")
    refused(ada.client.get(ACCOUNTS, params={"search": "a"}), 403, "role_required")
    refused(anybody.get(ACCOUNTS), 401, "authentication_required")
    refused(admin.get(ACCOUNTS, params={"search": "a", "name": "ada"}), 400, "invalid")


def test_a_new_name_is_found_and_the_old_one_is_not(admin: httpx.Client, new_person) -> None:
    person = new_person()
    changed = made(person.client.patch("/api/v1/me", json={"name": f"x{person.name}"}), 200)
    for search, count in ((changed["name"], 1), (person.name, 0)):
        items = made(admin.get(ACCOUNTS, params={"search": search}), 200)["items"]
        assert len([item for item in items if item["name"].startswith(search)]) == count


def test_an_erased_person_is_found_by_no_name(admin: httpx.Client, new_person) -> None:
    person = new_person()
    assert person.client.delete("/api/v1/me").status_code in (202, 204)

    def gone() -> bool:
        answers = [made(admin.get(ACCOUNTS, params={key: person.name}), 200) for key in ("name", "search")]
        return all(answer["items"] == [] for answer in answers)

    eventually(gone, seconds=10)


def test_collaborators_are_set_by_handle(ada: Person, bob: Person, path: str) -> None:
    member = f"{path}/collaborators/@{bob.name}"
    assert made(ada.client.put(member, json={"role": "editor"}), 200)["id"] == bob.id
    assert made(ada.client.get(member), 200)["role"] == "editor"
    assert bob.client.get(path).status_code == 200
    assert ada.client.delete(member).status_code == 204
    assert bob.client.get(path).status_code == 404
    nobody = f"{path}/collaborators/@nobody-is-this"
    refused(ada.client.put(nobody, json={"role": "viewer"}), 404, "account_not_found")


@pytest.mark.parametrize("surface", ["commands", "graphql"])
def test_other_surfaces_take_handles_too(ada: Person, bob: Person, project: dict, surface: str) -> None:
    if surface == "commands":
        data = {"accountId": f"@{bob.name.lower()}", "role": "viewer"}
        command = {"id": "1", "type": "collaborator.set", "target": project["id"], "data": data}
        answer = made(ada.client.post("/api/v1/commands", json={"commands": [command]}), 200)
        assert answer["results"][0]["status"] == "accepted"
    else:
        collaborator = f'{{accountId: "@{bob.name}", role: VIEWER}}'
        field = f'setCollaborator(projectId: "{project["id"]}", input: {collaborator})'
        answer = query(ada.client, f"mutation {{ {field} {{ version }} }}")
        assert "errors" not in answer
    assert bob.client.get(f"/api/v1/projects/{project['id']}").status_code == 200
