"""A document that is put once stays as the first of its writes made it."""

from projections.fold import NOTHING, StoredDocument, fold
from projections.writes import Delete, Put, PutOnce


def once(text):
    return PutOnce("days", "a", {"id": "a", "text": text})


def test_the_first_write_makes_the_document_and_later_ones_change_nothing():
    first = fold(NOTHING, [(3, once("first"))])
    assert first == StoredDocument(3, {"id": "a", "text": "first"})
    assert fold(first, [(4, once("later")), (9, once("last"))]) is first


def test_a_document_that_was_deleted_is_made_again_and_a_put_replaces_it():
    gone = fold(NOTHING, [(3, once("first")), (4, Delete("days", "a"))])
    assert fold(gone, [(5, once("again"))]).document == {"id": "a", "text": "again"}
    put = Put("days", "a", {"id": "a", "text": "put"})
    assert fold(gone, [(5, once("again")), (6, put)]).document == put.document
