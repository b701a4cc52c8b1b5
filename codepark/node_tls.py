"""TLS between the nodes of a cluster: this node's certificate, and the authority of all of theirs."""

import ssl
from pathlib import Path

from msgspec import Struct

from codepark.gateway_settings import certificate_and_key
from commands.environment import Environment, SettingsError

_CERTIFICATE, _KEY = "CODEPARK_NODE_TLS_CERT_FILE", "CODEPARK_NODE_TLS_KEY_FILE"
_AUTHORITY = "CODEPARK_NODE_TLS_CA_FILE"


class NodeTls(Struct, frozen=True):
    """The files of a node's certificate, its key, and the authority of all nodes."""

    certificate: Path
    key: Path
    authority: Path


def read_node_tls(environment: Environment) -> NodeTls | None:
    """Read the files, None where none is set; raises SettingsError for a part of them, and for wrong ones."""
    certificate, key = certificate_and_key(environment, _CERTIFICATE, _KEY)
    authority = environment.readable_file(_AUTHORITY)
    if certificate is None and authority is None:
        return None
    if certificate is None or key is None or authority is None:
        raise SettingsError(
            f"{_CERTIFICATE}, {_KEY} and {_AUTHORITY} belong together: set all three for TLS between nodes, "
            "or none"
        )
    tls = NodeTls(certificate, key, authority)
    try:
        client_context(tls)
    except ssl.SSLError as error:
        raise SettingsError(f"{_AUTHORITY} is no PEM file of certificates: {error}") from error
    return tls


def client_context(tls: NodeTls | None) -> ssl.SSLContext | None:
    """Return what checks the certificates of other nodes: TLS 1.3, and this authority alone."""
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cafile=tls.authority)
    return context
