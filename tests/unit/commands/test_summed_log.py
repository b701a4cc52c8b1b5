"""What repeats becomes one line a period, and the count is exact."""

from structlog import get_logger
from structlog.testing import capture_logs

from commands.summed_log import SummedLog


def test_what_repeats_is_one_line_a_period_with_its_number():
    now = 0.0
    summed = SummedLog("void record", clock=lambda: now)
    with capture_logs() as lines:
        for number in range(500):
            summed.note(get_logger().info, offset=number)
        now = 61.0
        summed.note(get_logger().info, offset=500)
        now = 200.0
        summed.note(get_logger().info, offset=501)
    assert summed.total == 502
    assert [(line["offset"], line.get("count")) for line in lines] == [(0, None), (500, 500), (501, None)]
