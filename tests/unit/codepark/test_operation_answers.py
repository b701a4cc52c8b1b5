"""An operation that fails beside a server: the sentence that the command gives without one."""

import pytest

from codepark.operation_answers import answered
from commands.log import LogUnavailableError
from domain.errors import NotFoundError
from read_api.problems import HttpError
from streams.batch_projection import PoisonError
from tests.support.records import a_record

POISON = PoisonError("accounts", a_record(), ValueError("it has no address"))


@pytest.mark.parametrize(("error", "status"), [(POISON, 409), (LogUnavailableError("kafka:9092"), 503)])
def test_an_operator_is_told_the_reason(error, status):
    def fails(_):
        raise error

    with pytest.raises(HttpError) as refused:
        answered(fails, {})
    assert (refused.value.status, refused.value.detail) == (status, str(error))


def test_a_refusal_and_an_error_of_ours_stay_what_they_are():
    for error in (NotFoundError("there is no read model x"), ZeroDivisionError()):

        def fails(_, error=error):
            raise error

        with pytest.raises(type(error)):
            answered(fails, {})
    assert answered(lambda arguments: arguments, {"a": 1}) == {"a": 1}
