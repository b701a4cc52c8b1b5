"""Dead letters in MongoDB."""

from collections.abc import Iterable, Mapping, Sequence

from pymongo import UpdateOne
from pymongo.database import Database

from projections.store import DeadLetter
from projections.writes import Document

DEAD_LETTERS = "dead_letters"


class DeadLetterCollection:
    """The dead letters of one database, each once for its model, partition and sequence.

    Those of the first partition do not name it.
    """

    def __init__(self, database: Database[Document]) -> None:
        """Use a collection of *database*."""
        self._collection = database[DEAD_LETTERS]

    def add(self, dead_letters: Iterable[DeadLetter]) -> None:
        """Store dead letters; one that is stored already gets the new reason."""
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
            for letter in dead_letters
        ]
        if writes:
            self._collection.bulk_write(writes, ordered=False)

    def delete_solved(self, model: str, sequences: Sequence[int], partition: int = 0) -> None:
        """Delete the dead letters that were solved."""
        if sequences:
            ids = [_id(model, partition, sequence) for sequence in sequences]
            self._collection.delete_many({"_id": {"$in": ids}})

    def drop(self, model: str, through: Mapping[int, int] | None = None) -> None:
        """Delete the dead letters of *model*: all, or those through a sequence of each partition."""
        if through is None:
            self._collection.delete_many({"model": model})
            return
        for partition, sequence in through.items():
            self._collection.delete_many(
                {"model": model, "partition": partition or None, "sequence": {"$lte": sequence}}
            )

    def all(self, model: str | None) -> list[DeadLetter]:
        """Return the dead letters of *model* (None: of every model), in order of partition and sequence."""
        stored = self._collection.find({} if model is None else {"model": model})
        return [
            DeadLetter(
                model=letter["model"],
                stream=letter["stream"],
                sequence=letter["sequence"],
                topic=letter["topic"],
                reason=letter["reason"],
                partition=letter.get("partition", 0),
            )
            for letter in stored.sort([("partition", 1), ("sequence", 1), ("model", 1)])
        ]


def _id(model: str, partition: int, sequence: int) -> str:
    return f"{model}/{partition}/{sequence}" if partition else f"{model}/{sequence}"
