"""Owners take turns with the analyser, within their budgets."""

from projections.insight_turns import BUDGET_SECONDS, REFILL, Budgets, by_owner, in_turns


def test_queues_are_taken_in_turns():
    queues = by_owner(["a1", "a2", "a3", "b1", "c1", "c2"], lambda file: file[0])
    assert list(in_turns(queues, lambda _: True)) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_queue_ends_when_its_owner_may_not_continue():
    files = in_turns({"a": ["a1", "a2", "a3"], "b": ["b1", "b2"]}, lambda owner: owner == "b")
    assert list(files) == ["b1", "b2"]


def test_a_budget_is_used_up_and_fills_again():
    now = [100.0]
    budgets = Budgets(lambda: now[0])
    assert budgets.has("ada")
    budgets.spend("ada", BUDGET_SECONDS - 1)
    assert budgets.has("ada")
    budgets.spend("ada", 2)
    assert not budgets.has("ada")
    assert budgets.has("ben"), "budgets are separate"
    now[0] += 0.9 / REFILL
    assert not budgets.has("ada")
    now[0] += 0.2 / REFILL
    assert budgets.has("ada")


def test_only_so_many_owners_are_remembered(monkeypatch):
    monkeypatch.setattr("projections.insight_turns._OWNERS", 2)
    budgets = Budgets(lambda: 0.0)
    for owner in ("ada", "ben", "cy"):
        budgets.spend(owner, 2 * BUDGET_SECONDS)
    assert [budgets.has(owner) for owner in ("ada", "ben", "cy")] == [True, False, False]
