"""Repositories with every oddity that git allows, each built by a function from an empty repository.

A builder may return another place at which the history is to be read.
"""

from tests.unit.importing.repositories import forms, histories, merges, texts
from tests.unit.importing.repositories.builders import REPOSITORIES

__all__ = ["REPOSITORIES", "forms", "histories", "merges", "texts"]
