"""The types that fields of public events may have; none of them holds words that a person wrote."""

from typing import Annotated

from msgspec import Meta

Name = Annotated[
    str, Meta(pattern="^[0-9a-f]{32}$", description="A pseudonym; the same thing always has the same one.")
]
Person = Annotated[
    str,
    Meta(
        pattern="^(?:[0-9a-f]{32}|service)$",
        description="A person's pseudonym in this project, or `service` where a program acted.",
    ),
]
Count = Annotated[int, Meta(ge=0, description="How many.")]
Size = Annotated[int, Meta(ge=0, description="A size in bytes.")]
Position = Annotated[int, Meta(ge=1, description="A number, counted from 1.")]
Language = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        description="A language of a list that may grow, or `other`.",
    ),
]
