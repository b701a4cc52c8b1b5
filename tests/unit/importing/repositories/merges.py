"""Repositories whose histories have branches and merges."""

from tests.unit.importing.repositories.builders import scripted


@scripted
def a_branch_that_is_merged_twice(script):
    script.commit({"a": "1\n", "b": "1\n"})
    side = script.commit({"a": "3\n"}, on="f", parents=[1])
    main = script.commit({"b": "2\n"}, parents=[1])
    script.commit({"a": "3\n"}, parents=[main, side])
    again = script.commit({"b": "5\n"})
    script.commit({}, parents=[again, side])


@scripted
def a_main_branch_that_was_merged_into_its_own_branch(script):
    script.commit({"a": "1\n"})
    theirs = script.commit({"b": "theirs\n"}, parents=[1])
    ours = script.commit({"c": "ours\n"}, on="f", parents=[1])
    merged = script.commit({"b": "theirs\n"}, on="f", parents=[ours, theirs])
    script.reset("main", merged)


@scripted
def merges_across(script):
    script.commit({"a": "1\n", "b": "1\n"})
    left = script.commit({"a": "left\n"}, parents=[1])
    right = script.commit({"b": "right\n"}, on="f", parents=[1])
    one = script.commit({"b": "right\n"}, parents=[left, right])
    two = script.commit({"a": "left\n", "c": "2\n"}, on="f", parents=[right, left])
    script.commit({"c": "2\n", "d": "3\n"}, parents=[one, two])


@scripted
def a_merge_with_changes_of_its_own(script):
    script.commit({"a": "1\n"})
    side = script.commit({"a": "side\n"}, on="f", parents=[1])
    main = script.commit({"a": "main\n"}, parents=[1])
    script.commit({"a": "both\n", "new": "of the merge\n"}, parents=[main, side])


@scripted
def a_merge_that_keeps_only_ours(script):
    script.commit({"a": "1\n"})
    side = script.commit({"a": "side\n", "b": "side\n"}, on="f", parents=[1])
    main = script.commit({"c": "main\n"}, parents=[1])
    script.commit({}, parents=[main, side])


@scripted
def a_merge_that_takes_only_theirs(script):
    script.commit({"a": "1\n"})
    side = script.commit({"a": "side\n", "b": "side\n"}, on="f", parents=[1])
    main = script.commit({"c": "main\n"}, parents=[1])
    script.commit({"a": "side\n", "b": "side\n"}, parents=[main, side], gone=["c"])


@scripted
def an_octopus(script):
    script.commit({"a": "1\n"})
    arms = [script.commit({f"f{n}": f"{n}\n"}, on=f"f{n}", parents=[1]) for n in range(3)]
    script.commit({f"f{n}": f"{n}\n" for n in range(3)}, parents=[1, *arms])


@scripted
def an_octopus_of_66_parents(script):
    script.commit({"a": "1\n"})
    arms = [script.commit({f"f{n}": f"{n}\n"}, on=f"f{n}", parents=[1]) for n in range(65)]
    script.commit({f"f{n}": f"{n}\n" for n in range(65)}, parents=[1, *arms])


@scripted
def unrelated_histories(script):
    script.commit({"a": "1\n", "same": "main\n"})
    other = script.commit({"b": "2\n", "same": "other\n"}, on="other", parents=[])
    script.commit({"b": "2\n"}, parents=[1, other])


@scripted
def a_change_against_a_deletion(script):
    script.commit({"a": "1\n", "b": "1\n"})
    side = script.commit({}, gone=["a"], on="f", parents=[1])
    main = script.commit({"a": "2\n"}, parents=[1])
    script.commit({"a": "2\n"}, parents=[main, side])


@scripted
def a_directory_that_was_renamed_in_a_branch(script):
    script.commit({f"old/{n}": f"{n}\n" for n in range(4)})
    side = script.commit({f"new/{n}": f"{n}\n" for n in range(4)}, gone=["old"], on="f", parents=[1])
    main = script.commit({"old/4": "4\n"}, parents=[1])
    script.commit({f"new/{n}": f"{n}\n" for n in range(5)}, gone=["old"], parents=[main, side])


@scripted
def a_file_against_a_directory(script):
    script.commit({"x": "1\n"})
    side = script.commit({"thing/inner": "d\n"}, on="f", parents=[1])
    main = script.commit({"thing": "f\n"}, parents=[1])
    script.commit({"thing/inner": "d\n"}, gone=["thing"], parents=[main, side])


@scripted
def branches_of_branches(script):
    script.commit({"a": "0\n"})
    one = script.commit({"one": "1\n"}, on="one", parents=[1])
    two = script.commit({"two": "2\n"}, on="two", parents=[one])
    joined = script.commit({"two": "2\n"}, on="one", parents=[script.commit({"one": "11\n"}, on="one"), two])
    main = script.commit({"a": "1\n"})
    script.commit({"one": "11\n", "two": "2\n"}, parents=[main, joined])
    script.commit({"after": "3\n"})


@scripted
def a_merge_that_was_reverted(script):
    script.commit({"a": "1\n"})
    side = script.commit({"b": "side\n"}, on="f", parents=[1])
    main = script.commit({"a": "2\n"}, parents=[1])
    script.commit({"b": "side\n"}, parents=[main, side])
    script.commit({}, gone=["b"])


@scripted
def a_branch_with_commits_after_its_merge(script):
    script.commit({"a": "1\n"})
    side = script.commit({"s": "1\n"}, on="f", parents=[1])
    script.commit({"s": "1\n"}, parents=[script.commit({"m": "1\n"}, parents=[1]), side])
    later = script.commit({"s": "2\n"}, on="f")
    script.commit({"m": "2\n"})
    script.commit({"s": "2\n"}, parents=[6, later])
    script.commit({"s": "3\n"})
