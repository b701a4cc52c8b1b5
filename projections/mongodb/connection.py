"""MongoDB clients: one place for what they guarantee, and for what their errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.int64 import Int64
from pymongo import MongoClient, ReadPreference
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from projections.store import StoreUnavailableError
from projections.writes import Document

Client = MongoClient[Document]

_POOL = (10, 100)
_SELECTION_SECONDS = 2.0
_SOCKET_SECONDS = 20.0


class _PlainInt(TypeDecoder):
    """Read 64-bit numbers as int: what encodes JSON knows no other."""

    @property
    def bson_type(self) -> type[Int64]:
        return Int64

    def transform_bson(self, value: Int64) -> int:
        return int(value)


_CODEC: CodecOptions[Document] = CodecOptions(type_registry=TypeRegistry([_PlainInt()]))


def connect(
    uri: str,
    *,
    pool: tuple[int, int] = _POOL,
    selection_seconds: float = _SELECTION_SECONDS,
    socket_seconds: float = _SOCKET_SECONDS,
    tls_ca_file: Path | None = None,
    tls_certificate_key_file: Path | None = None,
) -> Client:
    """Return a client of *uri* that keeps between *pool* connections; it connects when it is first used.

    Writes wait for the journals of a majority, reads see nothing that a majority has not. What the URI says of TLS
    holds; the files stand in where it names none. Raises StoreUnavailableError where the URI or a file cannot be one.
    """
    options: dict[str, Any] = {
        "minPoolSize": pool[0],
        "maxPoolSize": pool[1],
        "serverSelectionTimeoutMS": round(selection_seconds * 1_000),
        "connectTimeoutMS": round(selection_seconds * 1_000),
        "socketTimeoutMS": round(socket_seconds * 1_000),
        "appname": "codepark",
    }
    if tls_ca_file is not None:
        options |= {"tls": True, "tlsCAFile": str(tls_ca_file)}
    if tls_certificate_key_file is not None:
        options |= {"tls": True, "tlsCertificateKeyFile": str(tls_certificate_key_file)}
    try:
        return MongoClient(uri, **options)
    except (PyMongoError, ValueError, OSError) as error:
        raise StoreUnavailableError(f"the document store cannot be used: {error}") from error


def database_name(uri: str, prefix: str) -> str:
    """Return the database that *uri* names, or the one of an installation whose topics begin with *prefix*."""
    named = parse_uri(uri, validate=False)["database"] if uri else None
    return str(named or prefix.rstrip(".").replace(".", "-") or "codepark")


def database_of(client: Client, name: str) -> Database[Document]:
    """Return a database whose reads and writes give the store's guarantees."""
    return client.get_database(
        name,
        codec_options=_CODEC,
        read_preference=ReadPreference.PRIMARY_PREFERRED,
        write_concern=WriteConcern(w="majority", j=True),
        read_concern=ReadConcern("majority"),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into the port's; what is wrong with our own documents stays what it is."""
    try:
        yield
    except PyMongoError as error:
        raise StoreUnavailableError(f"the document store cannot be used: {error}") from error
