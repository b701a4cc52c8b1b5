"""The forms that a repository may have on the disk."""

import hashlib

from tests.unit.importing.repositories.builders import filled, repository_with
from tests.unit.importing.repositories.merges import a_branch_with_commits_after_its_merge


@repository_with
def a_bare_repository(repository):
    filled(repository)
    repository.git("clone", "-q", "--bare", ".", "../bare.git")
    return repository.path.parent / "bare.git"


@repository_with
def a_second_working_tree(repository):
    filled(repository)
    repository.git("worktree", "add", "-q", "--detach", "../second tree", "HEAD~3")
    return repository.path.parent / "second tree"


@repository_with
def a_detached_head(repository):
    filled(repository)
    repository.git("update-ref", "--no-deref", "HEAD", "HEAD~2")


@repository_with
def a_directory_of_its_own(repository):
    filled(repository)
    repository.git("init", "-q", "--separate-git-dir", "../elsewhere.git")


@repository_with
def packed_with_everything(repository):
    filled(repository, 60)
    repository.git("gc", "-q", "--aggressive")
    repository.git("commit-graph", "write", "--reachable")
    repository.git("multi-pack-index", "write")
    repository.git("pack-refs", "--all")


@repository_with
def packed_in_old_forms(repository):
    filled(repository, 60)
    options = ("-c", "pack.indexVersion=1", "-c", "repack.useDeltaBaseOffset=false")
    repository.git(*options, "repack", "-q", "-a", "-d", "-f", "--depth=50")


@repository_with
def packed_and_loose(repository):
    filled(repository)
    repository.git("repack", "-q", "-a", "-d")
    repository.write("more", "1\n")
    repository.git("read-tree", "HEAD")
    repository.git("add", "more")
    repository.git("commit", "-q", "-m", "loose")


@repository_with
def borrowed_objects(repository):
    filled(repository)
    repository.git("clone", "-q", "--shared", "--no-checkout", ".", "../borrower")
    repository.git("clone", "-q", "--shared", "--no-checkout", "../borrower", "../second borrower")
    return repository.path.parent / "second borrower"


@repository_with
def a_shallow_clone(repository):
    filled(repository)
    repository.git("clone", "-q", "--depth", "3", f"file://{repository.path}", "../shallow")
    return repository.path.parent / "shallow"


@repository_with
def a_shallow_clone_of_merges(repository):
    a_branch_with_commits_after_its_merge(repository)
    repository.git("clone", "-q", "--depth", "3", f"file://{repository.path}", "../shallow")
    return repository.path.parent / "shallow"


@repository_with
def grafts(repository):
    filled(repository)
    third, tenth = (repository.git("rev-parse", f"HEAD~{n}").decode().strip() for n in (3, 10))
    (repository.path / ".git/info").mkdir(exist_ok=True)
    (repository.path / ".git/info/grafts").write_text(f"{third} {tenth}\n")


@repository_with
def a_replaced_commit_and_file(repository):
    filled(repository)
    repository.git("replace", "HEAD~1", "HEAD~7")
    blob = repository.store("blob", b"replaced\n")
    repository.git("replace", repository.git("rev-parse", "HEAD:dir/3.txt").decode().strip(), blob)


@repository_with
def a_replaced_head(repository):
    filled(repository)
    repository.git("replace", "HEAD", "HEAD~4")
    repository.git("pack-refs", "--all")


@repository_with
def objects_named_by_sha256(repository):
    git = repository.path / ".git"
    git.rename(repository.path / "old.git")
    repository.git("init", "-q", "--object-format=sha256")
    filled(repository)
    assert len(repository.head()) == len(hashlib.sha256().hexdigest())
    repository.git("gc", "-q")


@repository_with
def extensions_that_change_nothing(repository):
    filled(repository)
    repository.git("config", "core.repositoryformatversion", "1")
    repository.git("config", "extensions.partialClone", "origin")
    repository.git("config", "extensions.preciousObjects", "true")


@repository_with
def replacements_of_replacements(repository):
    filled(repository)
    old, new, newest = _file_and_others(repository)
    repository.git("replace", old, new)
    repository.git("replace", new, newest)
    repository.git("replace", "HEAD", "HEAD~4")
    repository.git(
        "replace", repository.git("rev-parse", "refs/replace/" + repository.head()).decode().strip(), "HEAD~9"
    )


@repository_with
def replacements_that_are_switched_off(repository):
    filled(repository)
    old, new, _ = _file_and_others(repository)
    repository.git("replace", old, new)
    repository.git("config", "core.useReplaceRefs", "false")


def _file_and_others(repository):
    """Return the id of a file, and of two other contents."""
    old = repository.git("rev-parse", "HEAD:dir/3.txt").decode().strip()
    return old, repository.store("blob", b"new\n"), repository.store("blob", b"newest\n")


@repository_with
def a_head_that_is_a_link_to_a_packed_branch(repository):
    filled(repository)
    head = repository.path / ".git/HEAD"
    head.unlink()
    head.symlink_to("refs/heads/main")
    repository.git("pack-refs", "--all", "--prune")


@repository_with
def an_index_that_is_none(repository):
    filled(repository)
    repository.git("repack", "-q", "-a", "-d")
    (repository.path / ".git/objects/pack/pack-0.idx").write_bytes(b"cut off")


@repository_with
def an_index_with_large_offsets(repository):
    filled(repository)
    repository.git("repack", "-q", "-a", "-d")
    (pack,) = (repository.path / ".git/objects/pack").glob("*.pack")
    pack.with_suffix(".idx").unlink()
    repository.git("index-pack", "--index-version=2,0x40", str(pack))
