"""Dead letters in MongoDB."""

from collections.abc import Iterable, Sequence

from pymongo import UpdateOne
from pymongo.database import Database

from projections.store import DeadLetter
from projections.writes import Document

DEAD_LETTERS = "dead_letters"


class Letters:
    """The dead letters of one database, each once for its model and sequence."""

    def __init__(self, database: Database[Document]) -> None:
        """Keep them in a collection of their own."""
        self._letters = database[DEAD_LETTERS]

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Keep dead letters; one that is there already gets the new reason."""
        writes = [
            UpdateOne(
                {"_id": f"{letter.model}/{letter.sequence}"},
                {
                    "$set": {"reason": letter.reason},
                    "$setOnInsert": {
                        "model": letter.model,
                        "sequence": letter.sequence,
                        "stream": letter.stream,
                        "topic": letter.topic,
                    },
                },
                upsert=True,
            )
            for letter in letters
        ]
        if writes:
            self._letters.bulk_write(writes, ordered=False)

    def solve(self, model: str, sequences: Sequence[int]) -> None:
        """Drop the dead letters that are no more."""
        if sequences:
            self._letters.delete_many({"model": model, "sequence": {"$in": list(sequences)}})

    def drop(self, model: str, upto: int | None = None) -> None:
        """Drop all dead letters of *model*, or those up to a sequence."""
        chosen: Document = {"model": model}
        if upto is not None:
            chosen["sequence"] = {"$lte": upto}
        self._letters.delete_many(chosen)

    def all(self, model: str | None) -> list[DeadLetter]:
        """Return the dead letters of *model*, or of all, in order of sequence."""
        found = self._letters.find({} if model is None else {"model": model})
        return [
            DeadLetter(
                model=letter["model"],
                stream=letter["stream"],
                sequence=letter["sequence"],
                topic=letter["topic"],
                reason=letter["reason"],
            )
            for letter in found.sort([("sequence", 1), ("model", 1)])
        ]
