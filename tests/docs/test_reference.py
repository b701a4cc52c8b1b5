"""The reference is in step with the code."""

import base64
import hashlib
import json
import re
import struct
from pathlib import Path

import pytest

from codepark.settings import read_settings
from commands.kafka.library.factory import REPLICA_FOLDER
from docs import generate
from read_api.graphql.settings import INTROSPECTION

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
VECTORS = json.loads((REFERENCE / "chain-vectors.json").read_text(encoding="utf-8"))
PACKAGES = ("domain", "processes", "commands", "projections", "insights", "streams", "read_api", "codepark")


def prefixed(*parts):
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def test_what_is_generated_is_in_step():
    assert generate.stale() == [], "run `make docs`"


def test_the_first_predecessor_can_be_computed_from_the_page():
    numbers = struct.pack(">II", VECTORS["partition"], VECTORS["partitions"])
    assert hashlib.sha256(prefixed(VECTORS["logId"].encode()) + numbers).hexdigest() == VECTORS["first"]


def test_the_chain_can_be_computed_from_the_page():
    previous = bytes.fromhex(VECTORS["first"])
    for record in VECTORS["records"]:
        names = sorted(record["headers"])
        parts = [text.encode() for name in names for text in (name, record["headers"][name])]
        covered = prefixed(record["key"].encode(), record["value"].encode(), *parts)
        assert covered.hex() == record["covered"]
        leaf = hashlib.sha256(b"\x00" + covered).digest()
        previous = hashlib.sha256(b"\x02" + previous + leaf).digest()
        assert previous.hex() == record["chain"]


def test_every_error_code_is_documented():
    page = (REFERENCE / "http.md").read_text(encoding="utf-8")
    pattern = re.compile(
        r'(?:code(?:: ClassVar\[str\])? ?= ?|HttpError\(\s*\d+,\s*|unauthorized\([^"]*"[^"]*",\s*)"([a-z_]+)"'
    )
    sources = [path.read_text(encoding="utf-8") for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    codes = {code for text in sources for code in pattern.findall(text)}
    assert len(codes) > 30
    assert {code for code in codes if f"`{code}`" not in page} == set()


class Recorder(dict):
    """Variables that remember which of them were read."""

    def __init__(self, values):
        super().__init__(values)
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return super().get(name, default)


def settings_read():
    """Return the names of all variables that the settings modules and the persistence module read."""
    variables = Recorder(
        {
            "CODEPARK_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
            "CODEPARK_MONGODB_URI": "mongodb://mongo/",
            "CODEPARK_REDIS_URL": "redis://redis/",
            "CODEPARK_SECRET_KEY": base64.b64encode(bytes(32)).decode(),
        }
    )
    read_settings(variables)
    return variables.names | {REPLICA_FOLDER}


def test_every_setting_is_documented():
    page, names = (REFERENCE / "configuration.md").read_text(encoding="utf-8"), settings_read()
    of_each_module = {"CODEPARK_DATA", "CODEPARK_TLS_KEY_FILE", "CODEPARK_PARTITIONS", INTROSPECTION}
    assert of_each_module < names
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_every_documented_setting_is_read():
    page = (REFERENCE / "configuration.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(CODEPARK_[A-Z_]+)`", page)) - settings_read() == set()


@pytest.mark.parametrize(
    "page",
    [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"],
    ids=lambda path: path.name,
)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["guarantees.md", "security.md"])
def test_the_tests_that_are_named_exist(name):
    page = (REFERENCE / name).read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page)
    assert named
    for path, test in named:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in text or f"class {test}(" in text, f"{path}::{test}"


def test_third_party_files_are_what_their_page_says():
    vendor = ROOT / "read_api" / "web" / "vendor"
    page = (vendor / "README.md").read_text(encoding="utf-8")
    sums = {name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", page, re.MULTILINE)}
    files = {path.name for path in vendor.iterdir()} - {"README.md"}
    assert sums.keys() == files
    for name, digest in sums.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest
