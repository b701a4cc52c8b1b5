"""A small history for a first look, where there is no repository."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from codepark.history_import.source import (
    BEGINNING,
    CommitName,
    Continuation,
    FileMark,
    SourceChange,
    SourceCommit,
    mark_of,
)

_README = "# Greeter\n\nSay hello in several languages.\n"
_FIRST = '''def greet(name: str) -> str:
    """Return a greeting."""
    return f"Hello, {name}!"
'''
_SECOND = '''def greet(name: str, language: str = "en") -> str:
    """Return a greeting in *language*."""
    if language == "de":
        return f"Hallo, {name}!"
    if language == "fr":
        return f"Bonjour, {name} !"
    return f"Hello, {name}!"
'''
_TEST = """from greeter import greet


def test_greet() -> None:
    assert greet("Ada") == "Hello, Ada!"
"""
_FILES = {"README.md": _README, "greeter.py": _SECOND, "test_greeter.py": _TEST}


class SampleHistory:
    """Three commits of a small program."""

    name = "greeter"

    def outline(self) -> list[CommitName]:
        """Return the commits, oldest first."""
        return [CommitName(commit.sha, commit.parents) for commit in self.commits()]

    def commits(self, continuation: Continuation = BEGINNING) -> Iterator[SourceCommit]:
        """Yield the commits that are not recorded, oldest first."""
        return (commit for commit in _commits() if commit.sha not in continuation.recorded)

    def last(self) -> SourceCommit:
        """Return the last commit."""
        *_, last = self.commits()
        return replace(last, changes=())

    def files(self) -> dict[str, FileMark]:
        """Return the files that the commits lead to."""
        return {path: mark_of(text) for path, text in _FILES.items()}

    def covers(self, path: str) -> bool:
        """Return whether a commit changes *path*."""
        return path in _FILES

    def contents(self, paths: AbstractSet[str]) -> Iterator[SourceChange]:
        """Yield the files with these paths."""
        for path in paths & _FILES.keys():
            yield SourceChange(path=path, status="A", content=_FILES[path])

    def close(self) -> None:
        """Nothing is held."""


def _commits() -> Iterator[SourceCommit]:
    steps = (
        ("Say hello", (("A", "README.md", _README), ("A", "greeter.py", _FIRST))),
        ("Test the greeting", (("A", "test_greeter.py", _TEST),)),
        ("Greet in German and French", (("M", "greeter.py", _SECOND),)),
    )
    parents: tuple[str, ...] = ()
    for number, (message, changes) in enumerate(steps, 1):
        sha = f"{number:040x}"
        yield SourceCommit(
            sha=sha,
            parents=parents,
            author_name="Ada",
            author_email="ada@example.invalid",
            authored_at=f"2026-01-0{number}T12:00:00+00:00",
            message=message,
            changes=tuple(
                SourceChange(path=path, status=status, content=text)  # type: ignore[arg-type] # of the table above
                for status, path, text in changes
            ),
        )
        parents = (sha,)
