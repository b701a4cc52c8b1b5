"""The register of the repositories, and what their builders share."""

from tests.unit.importing.fast_import import Script

REPOSITORIES = {}


def repository_with(build):
    """Add a builder under its name."""
    REPOSITORIES[build.__name__.replace("_", " ")] = build
    return build


def scripted(build):
    """Add a builder that fills a script."""

    def run(repository):
        script = Script()
        build(script)
        script.run(repository)

    REPOSITORIES[build.__name__.replace("_", " ")] = run
    return run


def linear(script, count=3, *, on="main"):
    """Add commits that each change a file and add another."""
    return [script.commit({"a.txt": f"{n}\n" * 9, f"dir/{n}.txt": f"{n}\n"}, on=on) for n in range(count)]


def commit_of(repository, tree, headers=b"", message=b"m\n"):
    """Let HEAD be a commit of *tree*, with *headers* for those of an ordinary author."""
    who = b"Ada <ada@example.org> 1700000000 +0000"
    headers = headers or b"author %b\ncommitter %b\n" % (who, who)
    sha = repository.store("commit", b"tree %b\n%b\n%b" % (tree.encode(), headers, message))
    (repository.path / ".git/refs/heads/main").write_text(sha + "\n")
    return sha


def filled(repository, count=20):
    script = Script()
    linear(script, count)
    script.run(repository)
