"""A small history for a first look, where there is no repository."""

from collections.abc import Iterator

from codepark.history_import.source import SourceChange, SourceCommit

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


class SampleHistory:
    """Three commits of a small program."""

    name = "greeter"

    def count(self) -> int:
        """Return how many commits there are."""
        return 3

    def commits(self) -> Iterator[SourceCommit]:
        """Yield the commits, oldest first."""
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

    def close(self) -> None:
        """Nothing is held."""
