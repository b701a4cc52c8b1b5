"""The port that a server listens on."""

import socket

from commands.environment import SettingsError


def require_free(host: str, port: int, choose: str = "another with --port") -> None:
    """Refuse an address that a process listens on: granian would share it, and either server get requests.

    Raises SettingsError, which says what to *choose* instead; also where this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SettingsError(f"cannot listen on {host}:{port} ({reason}): choose {choose}") from error
