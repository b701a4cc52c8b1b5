"""`/feedback`: what people write to those who run the platform."""

from commands.table.feedback import FeedbackInput
from read_api.gateway.answers import Answer, command_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations

operation = Operations("Feedback")


@operation("POST", "/api/v1/feedback", "feedback.give", input=FeedbackInput, status=204, command=True)
async def give_feedback(call: Call, data: FeedbackInput) -> Answer:
    """Write to those who run the platform: ten times at once, then once in six minutes."""
    return command_answer(call, await call.execute(call.command_type, data))
