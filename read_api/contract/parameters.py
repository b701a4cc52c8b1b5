"""The types of parameters, each with the limits that every surface checks."""

from typing import Annotated

from msgspec import Meta

from domain import limits
from read_api.gateway.patterns import pattern

_CURSOR = pattern(r"^[A-Za-z0-9_-]+$", "write a cursor or a position as an answer gave it")
_FIELDS = pattern(r"^[A-Za-z]+(,[A-Za-z]+)*$", "write names separated by commas, such as id,name")
_WORD = pattern(r"^[A-Za-z0-9:_-]+$", "write an id: letters, digits, hyphens, underscores and colons")
_SORT = pattern(
    r"^-?(createdAt|updatedAt|name)$",
    "write createdAt, updatedAt or name, after a hyphen to reverse the order",
)
_TOPIC = pattern(r"^[a-z_.]+$", "write a type of event, such as project.created")
_TOPICS = pattern(
    r"^[a-z_.]+(,[a-z_.]+)*$",
    "write types of events separated by commas, such as project.created,file.written",
)
_STREAMS = pattern(
    r"^[a-z]+-[A-Za-z0-9:-]+(,[a-z]+-[A-Za-z0-9:-]+)*$",
    "write streams separated by commas, each as its kind, a hyphen and an id",
)
_WORDS = pattern(r"^[A-Za-z0-9:_-]+(,[A-Za-z0-9:_-]+)*$", "write ids separated by commas")
_ORDER = pattern(r"^(asc|desc)$", "write asc for the oldest first, or desc for the newest first")

Limit = Annotated[int, Meta(ge=1, le=100)]
Cursor = Annotated[str, Meta(min_length=1, max_length=1_000, pattern=_CURSOR)]
Fields = Annotated[str, Meta(min_length=1, max_length=1_000, pattern=_FIELDS)]
Word = Annotated[str, Meta(min_length=1, max_length=100, pattern=_WORD)]
AnyId = Annotated[str, Meta(min_length=1, max_length=2_000)]
Sha = Annotated[str, Meta(min_length=1, max_length=64)]
Path = Annotated[str, Meta(min_length=1, max_length=1_024)]
PathPrefix = Annotated[str, Meta(max_length=1_024)]
Handle = Annotated[str, Meta(pattern=limits.HANDLE)]
Search = Annotated[str, Meta(min_length=1, max_length=200)]
ProjectSort = Annotated[str, Meta(pattern=_SORT)]
Token = Annotated[str, Meta(min_length=1, max_length=1_200, pattern=_CURSOR)]
Moment = Annotated[str, Meta(min_length=1, max_length=1_200)]
Topic = Annotated[str, Meta(min_length=1, max_length=100, pattern=_TOPIC)]
Topics = Annotated[str, Meta(min_length=1, max_length=4_000, pattern=_TOPICS)]
Streams = Annotated[str, Meta(min_length=1, max_length=8_000, pattern=_STREAMS)]
Words = Annotated[str, Meta(min_length=1, max_length=4_000, pattern=_WORDS)]
Time = Annotated[str, Meta(min_length=1, max_length=40)]
Order = Annotated[str, Meta(pattern=_ORDER)]
AnyToken = Annotated[str, Meta(min_length=1, max_length=1_200)]
