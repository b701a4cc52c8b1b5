"""`/me/notifications`: how you hear of news."""

from commands.table.preferences import PreferencesInput
from read_api.contract.changed_resource import read_changed
from read_api.contract.views import PreferencesView
from read_api.gateway.answers import Answer, command_answer, json_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations

PREFERENCES = "/api/v1/me/notifications"

operation = Operations("Notifications")


@operation("GET", PREFERENCES, "notifications.list", output=PreferencesView)
async def get_preferences(call: Call) -> Answer:
    """Show how you hear of news: over live channels, and by mail while it is unread."""
    actor = call.caller.signed_in()
    return json_answer(await call.read(lambda q: q.mail.preferences(actor.id)))


@operation(
    "PUT",
    PREFERENCES,
    "preferences.change",
    input=PreferencesInput,
    output=PreferencesView,
    command=True,
)
async def change_preferences(call: Call, data: PreferencesInput) -> Answer:
    """Change how you hear of news; what is left out becomes as for a new account."""
    actor = call.caller.signed_in()
    accepted = await call.execute(call.command_type, data)
    document = await read_changed(call, accepted, lambda q: q.mail.preferences(actor.id))
    return command_answer(call, accepted, document)
