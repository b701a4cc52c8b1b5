"""Archive projects through REST, `/commands` and GraphQL, in a tree in which the pages were followed.

`python -m tests.docs.archived_project FOLDER` serves a new data folder and acts as its clients. It ends with
status 1 and the reason if something is not as the pages promise.
"""

import sys
from pathlib import Path

import httpx

from tests.support.server import serving

PROJECTS = "/api/v1/projects"


def main(folder: Path) -> None:
    """Archive three projects: by its path, by its name, and over GraphQL."""
    folder.mkdir()
    with serving(folder / "data") as server, server.client(server.token()) as client:
        over_rest(client)
        by_name(client)
        over_graphql(client)


def over_rest(client: httpx.Client) -> None:
    """Archive a project by its path, read it, and change it on the condition that nobody else did."""
    project = created(client)
    check(client.get(f"{project}/archive").json() == {"archivedAt": None}, "a new project is not archived")
    archived = client.post(f"{project}/archive")
    check((archived.status_code, archived.headers["ETag"]) == (200, '"2"'), archived.text)
    events = client.get(f"{project}/history").json()["items"]
    check([event["type"] for event in events] == ["project.created", "project.archived"], str(events))
    again = client.post(f"{project}/archive")
    check((again.status_code, again.headers["ETag"]) == (200, '"2"'), "a second time changes nothing")
    read = client.get(project)
    check(read.json()["archivedAt"] == client.get(f"{project}/archive").json()["archivedAt"] > "2", read.text)
    condition = {"If-Match": read.headers["ETag"]}
    renamed = client.patch(project, json={"name": "renamed"}, headers=condition)
    check(renamed.status_code == httpx.codes.OK, f"the ETag of GET is of no use: {renamed.text}")


def by_name(client: httpx.Client) -> None:
    """Archive a project with the command."""
    target = created(client).removeprefix(f"{PROJECTS}/")
    body = {"commands": [{"type": "project.archive", "target": target, "data": {}}]}
    (result,) = client.post("/api/v1/commands", json=body).json()["results"]
    check((result["status"], result["version"]) == ("accepted", 2), str(result))


def over_graphql(client: httpx.Client) -> None:
    """Archive a project with the mutation."""
    id_ = created(client).removeprefix(f"{PROJECTS}/")
    query = f'mutation {{ archiveProject(projectId: "{id_}") {{ version project {{ archivedAt }} }} }}'
    answer = client.post("/graphql", json={"query": query}).json()
    payload = answer["data"]["archiveProject"]
    check(payload["version"] == 2 and payload["project"]["archivedAt"] is not None, str(answer))


def created(client: httpx.Client) -> str:
    """Create a project; return its path."""
    answer = client.post(PROJECTS, json={"name": "old"})
    check(answer.status_code == httpx.codes.CREATED, answer.text)
    return f"{PROJECTS}/{answer.json()['id']}"


def check(holds: bool, otherwise: str) -> None:
    """End the program if something does not hold."""
    if not holds:
        sys.exit(otherwise)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
