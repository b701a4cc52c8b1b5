"""The text of a document, in which places are found at once however many errors name one."""

import re
from bisect import bisect_left

from graphql import DocumentNode, GraphQLError, Source, SourceLocation, parse

_NEWLINE = re.compile(r"\r\n|[\n\r]")


class DocumentSource(Source):
    """A text that is read for its lines once.

    graphql-core counts the lines of the whole text for each error, and an answer may have a thousand: it
    finds none in the *body*, which is empty once the text is parsed, and leaves places to `get_location`.
    """

    def __init__(self, text: str) -> None:
        """Hold *text* until it is parsed."""
        super().__init__(text)
        self._text = text
        self._lines: tuple[list[int], list[int]] | None = None

    def get_location(self, position: int) -> SourceLocation:
        """Return the line and the column of a character, both from 1."""
        if self._lines is None:
            ends = [match.span() for match in _NEWLINE.finditer(self._text)]
            self._lines = [start for start, _ in ends], [0, *(end for _, end in ends)]
        breaks, starts = self._lines
        line = bisect_left(breaks, position)
        return SourceLocation(line + 1, position + 1 - starts[line])


def parsed(text: str, most_tokens: int) -> DocumentNode:
    """Return the document of *text*; raises GraphQLSyntaxError."""
    source = DocumentSource(text)
    document = parse(source, max_tokens=most_tokens)
    source.body = ""
    return document


def places(error: GraphQLError) -> list[dict[str, int]]:
    """Return the places in the document that *error* is about."""
    source, positions = error.source, error.positions
    if source is None or not positions:
        return []
    found = [source.get_location(position) for position in positions]
    return [{"line": place.line, "column": place.column} for place in found]
