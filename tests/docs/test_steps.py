"""The steps of a page: what is read, what is applied, and what is refused."""

import pytest

from tests.docs.steps import Step, StepError, patched, steps, take

PAGE = """# Page

1. In `a/one.py`, and as in `b/two.py`:

   ```diff
   -old
   +new
   ```

   ```sh
   make docs
   ```

Write `c/three.py`:

```python
x = 1
```
"""
TEXT = "import a\nimport c\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return 1\n"


def test_blocks_are_steps_about_the_file_that_is_named_last():
    assert steps(PAGE) == [
        Step("diff", "b/two.py", "-old\n+new\n", 5),
        Step("sh", "", "make docs\n", 10),
        Step("python", "c/three.py", "x = 1\n", 16),
    ]


def test_a_block_of_another_language_is_refused():
    with pytest.raises(StepError, match="line 1: a block of console is no step"):
        steps("```console\n$ ls\n```\n")


def test_a_file_must_be_named_before_each_block():
    with pytest.raises(StepError, match="line 5: no file is named"):
        steps("`a/b.py`:\n```diff\n-a\n```\n```diff\n-a\n```\n")


def test_lines_are_added_removed_and_replaced():
    diff = " import a\n+import b\n@@\n-def f():\n+def h():\n"
    diff += "@@ the end\n def g():\n-    return 1\n+    return 2\n"
    assert patched(TEXT, diff) == (
        "import a\nimport b\nimport c\n\n\ndef h():\n    return 1\n\n\ndef g():\n    return 2\n"
    )


def test_empty_lines_of_a_block_are_context():
    assert patched(TEXT, "     return 1\n\n\n+x = 1\n def g():\n") == TEXT.replace(
        "def g()", "x = 1\ndef g()"
    )


@pytest.mark.parametrize(
    ("diff", "reason"),
    [
        ("-import b\n+import d\n", "0 times"),
        (" import a\n import b\n+x\n", "0 times"),
        ("-    return 1\n", "2 times"),
        ("-port a\n", "0 times"),
        ("-import\n", "0 times"),
        ("+x = 1\n", "nothing says where"),
        ("import a\n", "not so: import a"),
    ],
)
def test_a_part_must_fit_exactly_once(diff, reason):
    with pytest.raises(StepError, match=reason):
        patched(TEXT, diff)


def test_a_file_is_changed_or_written(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    take(Step("diff", "a.py", "-x = 1\n+x = 2\n", 1), tmp_path)
    take(Step("python", "b.py", "y = 1\n", 1), tmp_path)
    assert ((tmp_path / "a.py").read_text(), (tmp_path / "b.py").read_text()) == ("x = 2\n", "y = 1\n")


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Step("python", "a.py", "", 7), "line 7: a.py is there already"),
        (Step("diff", "b.py", "-x\n", 7), "line 7: there is no b.py"),
        (Step("diff", "a.py", "-y\n", 7), "line 7, a.py: this stands in the file 0 times"),
    ],
)
def test_a_step_that_does_not_fit_says_where(tmp_path, step, reason):
    (tmp_path / "a.py").write_text("x\n")
    with pytest.raises(StepError, match=reason):
        take(step, tmp_path)
