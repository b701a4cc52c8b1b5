"""What one hostile account and one hostile address send, each as one round of requests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.abuse.others import Request, document
from tests.support.proof import size

LARGE = "x" * 4_000_000
FILES, VERSIONS, EVENTS = size(6, 40), size(8, 30), size(3_000, 25_000)
START = "gA"
"""The position before the first event."""


@dataclass(frozen=True)
class Target:
    """What the hostile account has prepared: its projects, and a review."""

    private: str
    large: str
    """A public project with large files, and many versions of one of them."""

    paths: str
    """A public project with a thousand long paths."""

    review: str
    moment: str
    """A position in the past of the large project."""


def project(id_: str) -> str:
    return f"/api/v1/projects/{id_}"


def graphql(query: str, **variables: object) -> Request:
    return "POST", "/graphql", document(query=query, variables=variables)


def aliases(count: int, text: str) -> str:
    return "{ " + " ".join(f"a{number}: {text}" for number in range(count)) + " }"


def growing_runs(length: int) -> str:
    text, run = "@a ", 0
    while len(text) < length:
        run += 1
        text += "`" * run + " "
    return text[:length]


def slow_code(target: Target) -> Iterator[Request]:
    changes = [{"path": f"{n}.c", "status": "A", "content": "/*\n" * 33_000} for n in range(5)]
    body = document(message="code", author={"name": "E"}, authoredAt="2026-01-01T00:00:00Z", changes=changes)
    yield "POST", f"{project(target.private)}/commits", body


def mentions(target: Target) -> Iterator[Request]:
    runs = {"reviewId": target.review, "text": growing_runs(19_900)}
    names = {"reviewId": target.review, "text": " ".join(f"@n{n}" for n in range(2_800))}
    for data, count in ((runs, 150), (names, 30)):
        command = {"type": "review.comment", "target": target.private, "data": data}
        yield "POST", "/api/v1/commands", document(commands=[command] * count)


def contents(target: Target) -> Iterator[Request]:
    nodes = f'project(id: "{target.large}") {{ files(first: 5) {{ nodes {{ content }} }} }}'
    yield graphql(aliases(15, nodes))
    file = f'file(projectId: "{target.large}", path: "0.txt")'
    yield graphql("{ " + file + " { " + " ".join(f"a{n}: content" for n in range(30)) + " } }")
    yield "GET", f"{project(target.large)}/history?limit=100", None
    yield "GET", "/api/v1/events?limit=100", None
    history = f'history(projectId: "{target.large}", first: 100) {{ nodes {{ data }} }}'
    yield graphql(aliases(30, history))


def past_contents(target: Target) -> Iterator[Request]:
    yield "GET", f"{project(target.large)}?asOf={target.moment}", None
    yield "GET", f"{project(target.large)}/files/0.txt?asOf={target.moment}", None


def past(target: Target) -> Iterator[Request]:
    at = f'project(id: "{target.large}", asOf: "{target.moment}") {{ name }}'
    yield graphql(aliases(30, at))
    yield graphql(aliases(9, at))
    files = "files(first: 5) { nodes { content } }"
    nodes = f'project(id: "{target.large}", asOf: "{target.moment}") {{ {files} }}'
    yield graphql(aliases(5, nodes))
    yield "GET", f"{project(target.private)}?asOf={target.moment}", None


def entities(target: Target) -> Iterator[Request]:
    ids = [{"__typename": "Project", "id": f"01900000-0000-7000-8000-{n:012}"} for n in range(1_000)]
    query = "query ($r: [_Any!]!) "
    yield graphql(query + aliases(30, "_entities(representations: $r) { __typename }"), r=ids)
    yield graphql(query + "{ _entities(representations: $r) { ...on Project { id name } } }", r=ids)
    yield graphql(aliases(30, "__schema { types { name fields { name type { name } } } }"))
    yield graphql("{ __schema { types { name fields { name type { name } } } } }")
    yield graphql("{ " + 'project(id: "a") { id } ' * 240 + "}")
    yield graphql("query ($a: [Int!]) { __typename }", a=[1] * 1_000_000)


def paths(target: Target) -> Iterator[Request]:
    yield "GET", project(target.paths), None
    yield "GET", f"{project(target.paths)}/files?limit=100", None
    yield graphql(
        aliases(30, f'project(id: "{target.paths}") {{ files(first: 100) {{ nodes {{ path }} }} }}')
    )


def projects(target: Target) -> Iterator[Request]:
    command = {"type": "project.create", "data": {"name": "p"}}
    yield "POST", "/api/v1/commands", document(commands=[command] * 500)


def subscriptions(target: Target) -> Iterator[Request]:
    yield "GET", f"/api/v1/events/stream?after={START}&type=review.opened", None


def resets(target: Target) -> Iterator[Request]:
    for number in range(10):
        yield "POST", "/api/v1/auth/password/forgot", document(email=f"n{number}@example.org")


def bodies(target: Target) -> Iterator[Request]:
    yield "POST", "/api/v1/projects", b'{"' + b" - at `$" * 1_000_000 + b'": 1}'
    yield "POST", "/api/v1/projects", b'{"name": ' + b"[" * 8_000_000
    yield "GET", "/api/v1/projects?" + "a=%20&" * 1_500, None


ATTACKS: dict[str, Callable[[Target], Iterator[Request]]] = {
    "code that takes long to measure": slow_code,
    "mentions": mentions,
    "contents": contents,
    "contents of the past": past_contents,
    "the past": past,
    "dear GraphQL": entities,
    "long paths": paths,
    "projects in batches": projects,
    "subscriptions from the start": subscriptions,
    "password resets": resets,
    "bodies": bodies,
}
