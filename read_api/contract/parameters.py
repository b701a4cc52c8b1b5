"""The types of parameters, each with the limits that every surface checks."""

from typing import Annotated

from msgspec import Meta

Limit = Annotated[int, Meta(ge=1, le=100)]
Cursor = Annotated[str, Meta(min_length=1, max_length=1_000, pattern=r"^[A-Za-z0-9_-]+$")]
Fields = Annotated[str, Meta(min_length=1, max_length=1_000, pattern=r"^[A-Za-z]+(,[A-Za-z]+)*$")]
FreeFields = Annotated[str, Meta(min_length=1, max_length=1_000)]
Word = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9:_-]+$")]
AnyId = Annotated[str, Meta(min_length=1, max_length=2_000)]
Sha = Annotated[str, Meta(min_length=1, max_length=64)]
Path = Annotated[str, Meta(min_length=1, max_length=1_024)]
PathPrefix = Annotated[str, Meta(max_length=1_024)]
Search = Annotated[str, Meta(min_length=1, max_length=200)]
ProjectSort = Annotated[str, Meta(pattern=r"^-?(createdAt|updatedAt|name)$")]
Token = Annotated[str, Meta(min_length=1, max_length=1_200, pattern=r"^[A-Za-z0-9_-]+$")]
Moment = Annotated[str, Meta(min_length=1, max_length=1_200)]
Topic = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[a-z_.]+$")]
Stream = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[a-z]+-[A-Za-z0-9:-]+$")]
