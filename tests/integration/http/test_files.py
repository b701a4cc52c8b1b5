import base64
import hashlib
from typing import Any

import pytest

from tests.support.people import Person, made, refused
from tests.support.server import Raw, Server

MIB = 1024 * 1024


def auth(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"}


def put(server: Server, ada: Person, path: str, target: str) -> Raw:
    return server.raw("PUT", f"{path}/files/{target}", b'{"content": "x"}', auth(ada))


def test_a_file_is_written_read_changed_and_deleted(ada: Person, path: str) -> None:
    url = f"{path}/files/src/main.py"
    written = ada.client.put(url, json={"content": "x = 1\n"})
    file = made(written)
    assert (written.headers["location"], written.headers["etag"]) == (url, '"1"')
    assert file | {"updatedAt": ""} == {
        "path": "src/main.py",
        "content": "x = 1\n",
        "encoding": "utf-8",
        "version": 1,
        "size": 6,
        "language": "Python",
        "updatedAt": "",
    }
    assert ada.client.get(url).json() == file
    same = ada.client.put(url, json={"content": "x = 1\n"})
    assert made(same, 200)["version"] == 1
    assert "location" not in same.headers
    assert made(ada.client.put(url, json={"content": "x = 2\n"}), 200)["version"] == 2
    refused(ada.client.put(url, json={"content": ""}, headers={"If-Match": '"1"'}), 412, "version_mismatch")
    assert ada.client.get(url, headers={"If-None-Match": '"2"'}).status_code == 304
    assert ada.client.delete(url).status_code == 204
    refused(ada.client.get(url), 404, "file_not_found")
    refused(ada.client.delete(url), 404, "file_not_found")


def test_bytes_travel_as_base64_and_null_keeps_an_entry(ada: Person, path: str) -> None:
    data = bytes(range(256))
    binary = {"content": base64.b64encode(data).decode(), "encoding": "base64"}
    file = made(ada.client.put(f"{path}/files/b.bin", json=binary))
    assert (file["size"], file["encoding"], base64.b64decode(file["content"])) == (256, "base64", data)
    empty = made(ada.client.put(f"{path}/files/n.bin", json={"content": None}))
    assert (empty["content"], empty["encoding"], empty["size"]) == (None, None, 0)
    problem = refused(
        ada.client.put(f"{path}/files/w", json={"content": "%%%", "encoding": "base64"}), 400, "invalid"
    )
    assert problem["errors"][0]["pointer"] == "/content"


def test_lists_have_paths_below_a_prefix(ada: Person, path: str) -> None:
    for name in ("a.py", "lib/a.go", "lib/b.go", "z.txt"):
        made(ada.client.put(f"{path}/files/{name}", json={"content": name}))
    items = ada.client.get(f"{path}/files", params={"path": "lib/"}).json()["items"]
    digest = hashlib.sha256(b"lib/a.go").hexdigest()
    assert items[0] == {
        "path": "lib/a.go",
        "version": 1,
        "size": 8,
        "language": "Go",
        "digest": digest,
    }
    assert [item["path"] for item in items] == ["lib/a.go", "lib/b.go"]
    first = ada.client.get(f"{path}/files", params={"limit": 3})
    assert [item["path"] for item in first.json()["items"]] == ["a.py", "lib/a.go", "lib/b.go"]
    rest = ada.client.get(first.links["next"]["url"]).json()
    assert ([item["path"] for item in rest["items"]], rest["nextCursor"]) == (["z.txt"], None)


@pytest.mark.parametrize(
    "target",
    [
        "..",
        "../x",
        "a/../b",
        "a//b",
        "/a",
        "a/",
        ".",
        "a/./b",
        "%2e%2e/x",
        "a/%2E%2E",
        "a%2F%2Fb",
        "%2Fa",
        "a%00b",
        "a%0Ab",
        "%7f",
        "%C2%85",
        "%FF",
        "%C3%28",
        "a/" + "b" * 1_024,
    ],
)
def test_bad_paths_are_refused_as_they_were_sent(server: Server, ada: Person, path: str, target: str) -> None:
    answer = put(server, ada, path, target)
    problem = refused(answer, 400, "invalid_path")
    assert problem["instance"] == f"{path}/files/{target}"
    refused(server.raw("GET", f"{path}/files/{target}", headers=auth(ada)), 400, "invalid_path")


@pytest.mark.parametrize(
    ("target", "stored", "location"),
    [
        ("%2525", "%25", "%2525"),
        ("a%20b", "a b", "a%20b"),
        ("caf%C3%A9", "café", "caf%C3%A9"),
        ("a%2Fb", "a/b", "a/b"),
        ("...", "...", "..."),
        ("a+b", "a+b", "a%2Bb"),
        ("history", "history", "history"),
    ],
)
def test_paths_are_decoded_once(
    server: Server, ada: Person, path: str, target: str, stored: str, location: str
) -> None:
    answer = put(server, ada, path, target)
    assert (answer.status_code, answer.json()["path"]) == (201, stored)
    assert answer.headers["location"] == f"{path}/files/{location}"
    again = server.raw("GET", answer.headers["location"], headers=auth(ada))
    assert again.json()["path"] == stored


def test_the_slash_before_files_cannot_be_escaped(server: Server, ada: Person, path: str) -> None:
    for target in (path.replace("/api/v1/projects/", "/api/v1/projects%2F") + "/files/x", f"/{path}/files/x"):
        refused(server.raw("GET", target, headers=auth(ada)), 404, "not_found")


def test_sizes_up_to_the_limits(server: Server, ada: Person, path: str) -> None:
    made(ada.client.put(f"{path}/files/five", json={"content": "x" * (5 * MIB)}))
    refused(ada.client.put(f"{path}/files/more", json={"content": "x" * (5 * MIB + 1)}), 413, "too_large")
    refused(ada.client.put(f"{path}/files/body", json={"content": "x" * (10 * MIB)}), 413, "too_large")
    announced = {**auth(ada), "Content-Length": str(20 * MIB)}
    refused(server.raw("PUT", f"{path}/files/x", headers=announced), 413, "too_large")


def test_a_project_says_when_it_does_not_show_all_files(ada: Person, project: Any, path: str) -> None:
    changes = [{"path": f"f{number:04}", "status": "A", "content": ""} for number in range(1_001)]
    commit = {
        "message": "",
        "author": {"name": "A"},
        "authoredAt": "2024-01-31T12:00:00Z",
        "changes": changes,
    }
    made(ada.client.post(f"{path}/commits", json=commit))
    shown = ada.client.get(path).json()
    assert (len(shown["files"]), shown["filesTruncated"]) == (1_000, True)
