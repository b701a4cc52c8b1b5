"""`/notifications` and `/announcements`."""

from commands.table.announcements import AnnouncementInput
from commands.table.notifications import NotificationsInput
from read_api.contract.changed_resource import read_changed
from read_api.contract.queries import ListQuery, NotificationQuery
from read_api.contract.views import AnnouncementView, ListOf, NotificationView
from read_api.gateway.answers import Answer, command_answer, json_answer, page_answer
from read_api.gateway.call import Call
from read_api.gateway.operation import Operations

NOTIFICATIONS = "/api/v1/notifications"
ANNOUNCEMENTS = "/api/v1/announcements"

operation = Operations("Notifications")


@operation(
    "GET", NOTIFICATIONS, "notifications.list", query=NotificationQuery, output=ListOf[NotificationView]
)
async def list_notifications(call: Call, query: NotificationQuery) -> Answer:
    """List your notifications, the newest first."""
    actor = call.caller.signed_in()
    page = await call.read(lambda q: q.inbox.notifications(query.page(), actor, unread=query.unread))
    return page_answer(call, NOTIFICATIONS, page, query.fields)


@operation(
    "POST",
    NOTIFICATIONS + "/read",
    "notifications.read",
    input=NotificationsInput,
    status=204,
    optional_body=True,
    command=True,
)
async def read_notifications(call: Call, data: NotificationsInput) -> Answer:
    """Mark notifications as read; without ids, all of them."""
    return command_answer(call, await call.execute(call.command_type, data))


@operation("GET", ANNOUNCEMENTS, "announcement.read", query=ListQuery, output=ListOf[AnnouncementView])
async def list_announcements(call: Call, query: ListQuery) -> Answer:
    """List the announcements, the newest first."""
    page = await call.read(lambda q: q.inbox.announcements(query.page()))
    return page_answer(call, ANNOUNCEMENTS, page, query.fields)


@operation(
    "POST",
    ANNOUNCEMENTS,
    "announcement.publish",
    input=AnnouncementInput,
    output=AnnouncementView,
    status=201,
    command=True,
)
async def publish_announcement(call: Call, data: AnnouncementInput) -> Answer:
    """Publish an announcement to everybody (administrators)."""
    accepted = await call.execute(call.command_type, data)
    announcement_id = accepted.stream.removeprefix("announcement-")
    announcement = await read_changed(call, accepted, lambda q: q.inbox.announcement(announcement_id))
    location = f"{ANNOUNCEMENTS}/{announcement_id}"
    return command_answer(call, accepted, announcement, status=201, location=location)


@operation("GET", ANNOUNCEMENTS + "/{announcement_id:str}", "announcement.read", output=AnnouncementView)
async def get_announcement(call: Call) -> Answer:
    """Get an announcement."""
    announcement_id = call.path["announcement_id"]
    return json_answer(await call.read(lambda q: q.inbox.announcement(announcement_id)))
