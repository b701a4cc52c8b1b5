"""Which variables switch traces on, and what is said about values that cannot be used."""

import subprocess
import sys
from pathlib import Path

import pytest

from codepark.traces import wanted
from commands.environment import SettingsError

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
EXPORTER = "OTEL_TRACES_EXPORTER"
URL = "http://127.0.0.1:4318"
CONFIGURATION = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


@pytest.mark.parametrize(
    ("variables", "asks"),
    [
        ({}, None),
        ({"OTEL_SERVICE_NAME": "ours", "OTEL_TRACES_SAMPLER": "always_on"}, None),
        ({ENDPOINT: ""}, None),
        ({ENDPOINT: URL}, ENDPOINT),
        ({TRACES_ENDPOINT: URL, ENDPOINT: URL}, TRACES_ENDPOINT),
        ({EXPORTER: "otlp"}, EXPORTER),
        ({EXPORTER: "none", ENDPOINT: URL}, None),
        ({EXPORTER: "otlp", "OTEL_SDK_DISABLED": "TRUE"}, None),
        ({EXPORTER: "otlp", "OTEL_SDK_DISABLED": "false"}, EXPORTER),
        ({ENDPOINT: URL, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}, ENDPOINT),
        ({ENDPOINT: URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, ENDPOINT),
    ],
)
def test_the_standard_variables_switch_traces_on(variables, asks):
    assert wanted(variables) == asks


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (EXPORTER, "zipkin"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "ten"),
        ("OTEL_TRACES_SAMPLER_ARG", "10"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan"),
    ],
)
def test_a_value_that_cannot_be_followed_is_refused_by_name(name, value):
    common = {ENDPOINT: URL, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}
    with pytest.raises(SettingsError, match=rf"^{name} is '{value}'; it takes "):
        wanted({**common, name: value})


WITHOUT = """
import sys
sys.modules["opentelemetry"] = None  # as if it were not installed
from codepark.cli.__main__ import main
main()
"""


def test_without_the_extra_the_start_says_which_one(tmp_path):
    started = subprocess.run(
        [sys.executable, "-c", WITHOUT, "serve", "--data", str(tmp_path / "data"), "--port", "1"],
        env={ENDPOINT: URL},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 1
    assert "pip install 'codepark[telemetry]'" in started.stderr
    assert ENDPOINT in started.stderr


def test_every_variable_that_is_checked_is_documented():
    page = CONFIGURATION.read_text(encoding="utf-8")
    asked = Recorder({EXPORTER: "otlp", "OTEL_TRACES_SAMPLER": "traceidratio"})
    wanted(asked)
    assert len(asked.names) > 5
    assert [name for name in asked.names if f"`{name}`" not in page] == []


class Recorder(dict):
    """Variables that remember which of them were read."""

    def __init__(self, values):
        super().__init__(values)
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return super().get(name, default)
