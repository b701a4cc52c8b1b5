"""Dead letters in MongoDB."""

from collections.abc import Iterable, Mapping, Sequence

from pymongo import UpdateOne
from pymongo.database import Database

from projections.store import DeadLetter
from projections.writes import Document

DEAD_LETTERS = "dead_letters"


class Letters:
    """The dead letters of one database, each once for its model, partition and sequence.

    Those of the first partition do not name it.
    """

    def __init__(self, database: Database[Document]) -> None:
        """Keep them in a collection of their own."""
        self._letters = database[DEAD_LETTERS]

    def add(self, letters: Iterable[DeadLetter]) -> None:
        """Keep dead letters; one that is there already gets the new reason."""
        writes = [
            UpdateOne(
                {"_id": _id(letter.model, letter.partition, letter.sequence)},
                {
                    "$set": {"reason": letter.reason},
                    "$setOnInsert": {
                        "model": letter.model,
                        "sequence": letter.sequence,
                        "stream": letter.stream,
                        "topic": letter.topic,
                        **({"partition": letter.partition} if letter.partition else {}),
                    },
                },
                upsert=True,
            )
            for letter in letters
        ]
        if writes:
            self._letters.bulk_write(writes, ordered=False)

    def solve(self, model: str, sequences: Sequence[int], partition: int = 0) -> None:
        """Drop the dead letters that are no more."""
        if sequences:
            ids = [_id(model, partition, sequence) for sequence in sequences]
            self._letters.delete_many({"_id": {"$in": ids}})

    def drop(self, model: str, upto: Mapping[int, int] | None = None) -> None:
        """Drop all dead letters of *model*, or those up to a sequence of each partition."""
        if upto is None:
            self._letters.delete_many({"model": model})
            return
        for partition, sequence in upto.items():
            self._letters.delete_many(
                {"model": model, "partition": partition or None, "sequence": {"$lte": sequence}}
            )

    def all(self, model: str | None) -> list[DeadLetter]:
        """Return the dead letters of *model*, or of all, in order of partition and sequence."""
        found = self._letters.find({} if model is None else {"model": model})
        return [
            DeadLetter(
                model=letter["model"],
                stream=letter["stream"],
                sequence=letter["sequence"],
                topic=letter["topic"],
                reason=letter["reason"],
                partition=letter.get("partition", 0),
            )
            for letter in found.sort([("partition", 1), ("sequence", 1), ("model", 1)])
        ]


def _id(model: str, partition: int, sequence: int) -> str:
    return f"{model}/{partition}/{sequence}" if partition else f"{model}/{sequence}"
