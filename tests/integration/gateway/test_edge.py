"""What every answer carries, for every client and every refusal."""

import gzip
import re

import pytest

from tests.support.server import serving

pytestmark = pytest.mark.integration

APP = "https://app.example.org"
ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
PATHS = {
    "/": 200,
    "/docs": 200,
    "/assets/app.js": 200,
    "/assets/none.js": 404,
    "/schema/openapi.json": 200,
    "/asyncapi.json": 200,
    "/health/live": 200,
    "/metrics": 200,
    "/api/v1/projects": 200,
    "/api/v1/me": 401,
    "/api/v1/projects/none": 404,
    "/nowhere": 404,
    "/.well-known/jwks.json": 200,
    "/api/v1/projects?limit=none": 400,
    "/api/v1/events": 200,
}
PUBLIC = ("/", "/docs", "/assets/app.js", "/assets/mark.svg", "/schema/openapi.json", "/asyncapi.json")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    more = {"CODEPARK_CORS_ORIGINS": APP, "CODEPARK_TRUSTED_PROXIES": "127.0.0.0/8"}
    with serving(tmp_path_factory.mktemp("edge") / "data", more) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def admin(server):
    with server.client(server.token()) as client:
        yield client


@pytest.mark.parametrize(("path", "status"), PATHS.items())
def test_security_headers_are_on_every_answer(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.headers["content-type"].startswith("text/html")
    assert ("script-src 'self'" in answer.headers["content-security-policy"]) is page
    assert len(answer.headers.get_list("content-security-policy")) == 1
    assert answer.headers["cache-control"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_and_for_every_method(client, method):
    answer = client.request(method, "/")
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS


@pytest.mark.parametrize(("proto", "sent"), [("https", True), ("http", False), (None, False)])
def test_an_answer_over_tls_tells_browsers_to_keep_using_tls(client, proto, sent):
    answer = client.get("/api/v1/projects", headers={} if proto is None else {"X-Forwarded-Proto": proto})
    expected = "max-age=31536000; includeSubDomains; preload" if sent else None
    assert answer.headers.get("strict-transport-security") == expected


def test_an_origin_of_the_settings_may_read_answers(client):
    for path, status in {"/api/v1/projects": 200, "/api/v1/me": 401, "/nowhere": 404}.items():
        answer = client.get(path, headers={"Origin": APP})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, APP)
        assert "CodePark-Position" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
        assert "Origin" in answer.headers["vary"]
    other = client.get("/api/v1/projects", headers={"Origin": "https://evil.example.org"})
    assert "access-control-allow-origin" not in other.headers
    assert "Origin" in other.headers["vary"]


def test_a_preflight_tells_what_the_path_allows(client):
    preflight = {"Origin": APP, "Access-Control-Request-Method": "PATCH"}
    answer = client.options("/api/v1/projects/x", headers=preflight)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == APP
    assert {"PATCH", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert answer.headers["access-control-max-age"] == "600"
    other = client.options("/api/v1/projects/x", headers=preflight | {"Origin": "https://evil.example.org"})
    assert "access-control-allow-methods" not in other.headers


def plain(client, path, **headers):
    """Get without anything that the client library adds."""
    request = client.build_request("GET", path, headers={"Accept-Encoding": "identity", **headers})
    return client.send(request)


@pytest.mark.parametrize("path", PUBLIC)
def test_public_files_are_stored_and_revalidated(client, path):
    first = plain(client, path)
    assert first.headers["cache-control"] == "no-cache"
    again = plain(client, path, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "Authorization" not in first.headers.get("vary", "")


def raw(client, path, accepted):
    with client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", ["/schema/openapi.json", "/assets/app.js", "/assets/swagger-ui-bundle.js"])
def test_large_text_is_compressed_for_clients_that_accept_it(client, path):
    whole = plain(client, path)
    answer, body = raw(client, path, "br;q=1, gzip;q=0.8")
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(body) < len(whole.content) / 2
    assert gzip.decompress(body) == whole.content
    assert answer.headers["etag"] == whole.headers["etag"]
    for each in (answer, whole):
        assert "Accept-Encoding" in each.headers["vary"]
    refusing, body = raw(client, path, "gzip;q=0")
    assert "content-encoding" not in refusing.headers
    assert body == whole.content


def test_small_answers_stay_as_they_are(client):
    answer, _ = raw(client, "/health/live", "gzip")
    assert "content-encoding" not in answer.headers


def test_a_tag_of_a_compressed_answer_may_be_used_in_conditions(admin):
    made = admin.post("/api/v1/projects", json={"name": "p", "description": "long " * 300})
    path = made.headers["location"]
    answer, body = raw(admin, path, "gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert b"long" in gzip.decompress(body)
    tag = answer.headers["etag"]
    for given in (tag, f"W/{tag}"):
        assert admin.get(path, headers={"If-None-Match": given}).status_code == 304
    assert admin.patch(path, json={"name": "q"}, headers={"If-Match": tag}).status_code == 200
    assert admin.patch(path, json={"name": "r"}, headers={"If-Match": tag}).status_code == 412


def test_head_says_what_get_would(client):
    got, head = (client.request(method, "/schema/openapi.json") for method in ("GET", "HEAD"))
    assert head.content == b""
    for name in ("content-encoding", "content-length", "etag", "vary"):
        assert head.headers[name] == got.headers[name]


def test_answers_with_secrets_are_never_compressed(client):
    login = {"email": "eve@example.org", "password": "correct horse battery"}
    assert client.post("/api/v1/auth/register", json=login | {"name": "eve"}).status_code == 201
    tokens = client.post("/api/v1/auth/login", json=login).json()
    headers = {"Authorization": f"Bearer {tokens['accessToken']}"}
    with client.stream("POST", "/api/v1/auth/mfa/setup", json={}, headers=headers) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.status_code == 200
    assert len(body) > 1_024
    assert "content-encoding" not in answer.headers


def test_a_stream_of_events_is_not_held_back(admin):
    with admin.stream("GET", "/api/v1/events/stream", headers={"Accept-Encoding": "gzip"}) as answer:
        assert "content-encoding" not in answer.headers
        assert next(answer.iter_lines()).startswith("retry")


@pytest.mark.parametrize("given", ["abc-1", "not one!", "x" * 200])
def test_request_ids(client, given):
    answer = client.get("/health/live", headers={"X-Request-Id": given})
    valid = re.fullmatch(r"[A-Za-z0-9._:/+=-]{1,128}", given) is not None
    assert (answer.headers["x-request-id"] == given) is valid


def test_the_document_describes_the_limits(client):
    paths = client.get("/schema/openapi.json").json()["paths"]
    create = paths["/api/v1/projects"]["post"]["responses"]
    assert {"408", "429"} <= create.keys()
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= create["429"]["headers"].keys()
    assert "RateLimit" in create["201"]["headers"]
    assert "429" not in paths["/health/live"]["get"]["responses"]


def test_the_page_of_the_interface_has_a_policy_of_its_own(client):
    assert "style-src 'self' 'unsafe-inline'" in client.get("/docs").headers["content-security-policy"]
    assert client.get("/docs/").status_code == 200
