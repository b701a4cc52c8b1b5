"""Repositories with unusual commits and kinds of files."""

from tests.unit.importing.repositories.builders import commit_of, linear, repository_with, scripted


@scripted
def one_commit(script):
    script.commit({"a": "1\n"})


@scripted
def commits_without_changes(script):
    script.commit({})
    script.commit({"a": "1\n"})
    script.commit({})


@scripted
def everything_is_deleted(script):
    linear(script)
    script.commit({}, gone=["a.txt", "dir"])


@scripted
def a_file_that_was_deleted_comes_back(script):
    script.commit({"a": "1\n", "b": "1\n"})
    script.commit({}, gone=["a"])
    script.commit({"a": "1\n"})


@scripted
def many_commits(script):
    linear(script, 250)


@scripted
def submodules(script):
    script.commit({"vendor": ("160000", "1" * 40), "a": "1\n"})
    script.commit({"vendor": ("160000", "2" * 40), "other/module": ("160000", "3" * 40)})


@scripted
def symbolic_links(script):
    script.commit({"to": ("120000", "a/b"), "away": ("120000", "/nowhere"), "odd": ("120000", b"\xff")})
    script.commit({"to": ("120000", "c")})


@scripted
def modes(script):
    script.commit({"run": "1\n", "keep": ("100755", "2\n")})
    script.commit({"run": ("100755", "1\n")})


@scripted
def files_that_change_their_kind(script):
    script.commit({"a": "1\n", "b": ("120000", "a"), "c": "1\n", "d": ("160000", "1" * 40)})
    script.commit({"a": ("120000", "b"), "b": "2\n", "c": ("160000", "2" * 40), "d": "3\n"})


@scripted
def files_and_directories_change_places(script):
    script.commit({"a": "1\n", "b/c": "2\n", "e/f/g": "3\n"})
    script.commit({"a/x": "1\n", "b": "2\n", "e/f": "4\n"}, gone=["a", "b", "e"])
    script.commit({"a": "5\n"}, gone=["a"])


@repository_with
def modes_that_old_tools_wrote(repository):
    blob = bytes.fromhex(repository.store("blob", b"1\n"))
    inner = bytes.fromhex(repository.store("tree", b"100664 x\0" + blob))
    tree = repository.store("tree", b"100664 a\0" + blob + b"100600 b\0" + blob + b"040000 d\0" + inner)
    commit_of(repository, tree)


@repository_with
def a_tree_that_is_not_sorted(repository):
    one, two = (bytes.fromhex(repository.store("blob", data)) for data in (b"1\n", b"2\n"))
    commit_of(repository, repository.store("tree", b"100644 b\0" + one + b"100644 a\0" + two))


@repository_with
def two_entries_with_one_name(repository):
    one, two = (bytes.fromhex(repository.store("blob", data)) for data in (b"1\n", b"2\n"))
    commit_of(repository, repository.store("tree", b"100644 a\0" + one + b"100644 a\0" + two))


@repository_with
def a_file_and_a_directory_with_one_name(repository):
    one, two = (bytes.fromhex(repository.store("blob", data)) for data in (b"1\n", b"2\n"))
    inner = bytes.fromhex(repository.store("tree", b"100644 x\0" + two))
    tree = repository.store("tree", b"100644 a\0" + one + b"40000 a\0" + inner)
    commit_of(repository, tree)
