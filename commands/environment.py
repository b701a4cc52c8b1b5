"""Read settings from environment variables, one way for every module; each refusal names its variable."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Protocol

_SWITCH = {"on": True, "off": False}
PORTS = range(1, 65_536)


class SettingsError(Exception):
    """A setting has a value that cannot be used; the message names the variable and says what it takes."""


class Variables(Protocol):
    """The source of variables: `os.environ`, a dictionary, an `eventsourcing` application's environment."""

    def get(self, name: str, /) -> str | None:
        """Return the value of a variable, None where it is not set."""
        ...


class Environment:
    """Read variables by what they may hold; one that is set to an empty text counts as not set.

    Every method returns None, or the default, where the variable is not set, and raises SettingsError where
    its value cannot be used.
    """

    def __init__(self, variables: Variables) -> None:
        """Read from *variables*."""
        self._variables = variables

    def given(self, name: str) -> str | None:
        """Return the text of a variable, which may be empty; None where it is not set."""
        return self._variables.get(name)

    def text(self, *names: str) -> str | None:
        """Return the text of the first of these variables that is set."""
        return next((value for name in names if (value := self._variables.get(name))), None)

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """Return one of *choices*, in any case."""
        value = self.text(name)
        if value is None:
            return None
        for choice in choices:
            if value.lower() == choice.lower():
                return choice
        raise SettingsError(f"{name} is {value!r}; it takes one of {', '.join(choices)}")

    def switch(self, name: str) -> bool:
        """Return whether a switch is on; it may be written in any case, and is on unless it is set."""
        value = self.text(name) or "on"
        if value.lower() not in _SWITCH:
            raise SettingsError(f"{name} is {value!r}; it takes on or off")
        return _SWITCH[value.lower()]

    def number(self, name: str, default: int, allowed: range) -> int:
        """Return a whole number among the *allowed* ones."""
        text = self.text(name) or str(default)
        if not (text.isascii() and text.isdecimal() and int(text) in allowed):
            raise SettingsError(
                f"{name} is {text!r}; it takes a number from {allowed.start} to {allowed.stop - 1}"
            )
        return int(text)

    def seconds(self, name: str, default: float) -> float:
        """Return a number of seconds above 0."""
        text = self.text(name) or str(default)
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not isfinite(value) or value <= 0:
            raise SettingsError(f"{name} is {text!r}; it takes a number of seconds above 0")
        return value

    def addresses(self, name: str) -> str | None:
        """Return one `host:port` or several, separated by commas, as they are written."""
        value = self.text(name)
        if value is not None and not all(_is_address(part) for part in value.split(",")):
            raise SettingsError(f"{name} is {value!r}; it takes host:port, several separated by commas")
        return value

    def address(self, name: str) -> str | None:
        """Return one `host:port`."""
        value = self.text(name)
        if value is not None and not _is_address(value):
            raise SettingsError(f"{name} is {value!r}; it takes host:port")
        return value

    def url(self, name: str, schemes: Sequence[str]) -> str | None:
        """Return a URL that begins with one of *schemes*."""
        value = self.text(name)
        check_scheme(name, value, schemes)
        return value

    def file(self, name: str) -> str | None:
        """Return the path of a file that exists, as it is written."""
        value = self.text(name)
        if value is not None and not Path(value).is_file():
            raise SettingsError(f"{name} is {value!r}; there is no such file")
        return value

    def readable_file(self, name: str) -> Path | None:
        """Return the absolute path of a file that this process may read."""
        value = self.text(name)
        if value is None:
            return None
        path = Path(value).absolute()
        try:
            path.read_bytes()
        except OSError as error:
            raise SettingsError(f"{name} is {value!r}, which cannot be read: {error.strerror}") from error
        return path

    def secret_file(self, name: str) -> str | None:
        """Return the content of the file that a variable names, without the white space around it."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return Path(value).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name} cannot be read: {error}") from error

    def text_or_file(self, name: str, *others: str) -> str | None:
        """Return the text of the first variable that is set, or of the file that `<name>_FILE` names.

        A secret in a file is seen by no other process, and in no description of a container.
        """
        written, in_file = self.text(name, *others), self.secret_file(f"{name}_FILE")
        if written is not None and in_file is not None:
            raise SettingsError(f"{name} and {name}_FILE are both set: set one of them")
        if in_file == "":
            raise SettingsError(f"{name}_FILE names an empty file")
        return written if in_file is None else in_file

    def list(self, name: str) -> list[str]:
        """Return the texts that are separated by commas, without the white space around them."""
        return [part.strip() for part in (self.text(name) or "").split(",") if part.strip()]


def check_scheme(name: str, url: str | None, schemes: Sequence[str]) -> None:
    """Refuse a URL of another kind. The message does not show the URL: a password may be in it."""
    if url is not None and not url.startswith(tuple(schemes)):
        raise SettingsError(f"{name} must begin with {' or '.join(schemes)}")


def check_port(name: str, port: int) -> int:
    """Return *port*; raises SettingsError where no server can listen on it."""
    if port not in PORTS:
        raise SettingsError(f"{name} is {port}; it takes a number from 1 to 65535")
    return port


def _is_address(text: str) -> bool:
    host, separator, port = text.strip().rpartition(":")
    named = bool(host) and "," not in host and separator == ":"
    return named and port.isascii() and port.isdecimal() and int(port) in PORTS
