"""Switch traces on where the standard variables of OpenTelemetry ask for them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec

from commands.environment import Environment, SettingsError
from telemetry import tracing

_STOP_SECONDS = 3.0
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_EXPORTERS = ("otlp", "none")
_SAMPLERS = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
_PACKAGES = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")


def wanted(variables: Mapping[str, str]) -> str | None:
    """Return the variable that asks for traces, None where nothing does.

    Raises SettingsError where a variable has a value that this program cannot follow: the library would only
    warn, and then record something else.
    """
    environment = Environment(variables)
    if (environment.text("OTEL_SDK_DISABLED") or "").strip().lower() == "true":
        return None
    exporter = environment.choice("OTEL_TRACES_EXPORTER", _EXPORTERS)
    if exporter == "none":
        return None
    asks = next((name for name in _ENDPOINTS if environment.text(name)), None)
    if exporter is not None:
        asks = "OTEL_TRACES_EXPORTER"
    if asks is not None:
        for name in _PROTOCOLS:
            environment.choice(name, ("http/protobuf",))
        sampler = environment.choice("OTEL_TRACES_SAMPLER", _SAMPLERS)
        if sampler is not None and sampler.endswith("traceidratio"):
            _check_ratio(environment.text("OTEL_TRACES_SAMPLER_ARG"))
    return asks


def _check_ratio(given: str | None) -> None:
    try:
        allowed = given is None or 0.0 <= float(given) <= 1.0
    except ValueError:
        allowed = False
    if not allowed:
        raise SettingsError(f"OTEL_TRACES_SAMPLER_ARG is {given!r}; it takes a number from 0 to 1")


@contextmanager
def traced(service: str) -> Iterator[None]:
    """Record traces as *service* for a block, where the variables ask for them.

    The end waits a few seconds at most for the last spans. Raises SettingsError for variables that cannot be
    used, and where the extra `telemetry` is not installed.
    """
    asks = wanted(os.environ)
    if asks is None:
        yield
        return
    if not _installed():
        raise SettingsError(
            f"{asks} asks for traces, which need the extra `telemetry`: install it with pip install "
            "'codepark[telemetry]', or unset the variable"
        )
    from telemetry.otlp import exporting_recorder  # noqa: PLC0415 # it imports the extra

    recorder = exporting_recorder(service, version("codepark"))
    tracing.switch(recorder)
    try:
        yield
    finally:
        tracing.switch(None)
        recorder.stop(_STOP_SECONDS)


def _installed() -> bool:
    try:
        return all(find_spec(name) is not None for name in _PACKAGES)
    except ModuleNotFoundError:
        return False
