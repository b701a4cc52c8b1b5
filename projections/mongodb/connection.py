"""MongoDB clients: the guarantees of their reads and writes, and the meaning of their errors."""

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
    """Read 64-bit numbers as int, the only number type that the JSON encoder knows."""

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
    """Return a client of *uri* with *pool* (minimum, maximum) connections; it connects when first used.

    Writes wait for the journals of a majority; reads return only what a majority has. What the URI says of
    TLS takes precedence over the files. Raises StoreUnavailableError where the URI or a file is not valid.
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
    """Return the database that *uri* names, else that of an installation whose topics begin with *prefix*."""
    named = parse_uri(uri, validate=False)["database"] if uri else None
    return str(named or prefix.rstrip(".").replace(".", "-") or "codepark")


def database_of(client: Client, name: str) -> Database[Document]:
    """Return a database with the guarantees that the store needs for reads and writes."""
    return client.get_database(
        name,
        codec_options=_CODEC,
        read_preference=ReadPreference.PRIMARY_PREFERRED,
        write_concern=WriteConcern(w="majority", j=True),
        read_concern=ReadConcern("majority"),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn errors of the driver into StoreUnavailableError, but not those of our own documents."""
    try:
        yield
    except PyMongoError as error:
        raise StoreUnavailableError(f"the document store cannot be used: {error}") from error
