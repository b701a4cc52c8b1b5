"""`/notifications` and `/announcements`."""

import msgspec

from commands.table.announcements import AnnouncementInput
from commands.table.notifications import NotificationsInput
from read_api.contract.lists import ListQuery, listed
from read_api.contract.views import AnnouncementView, ListOf, NotificationView
from read_api.gateway.call import Answer, Call
from read_api.gateway.operation import Operations

NOTIFICATIONS = "/api/v1/notifications"
ANNOUNCEMENTS = "/api/v1/announcements"

operation = Operations("Notifications")


class NotificationQuery(ListQuery):
    """Which notifications: those not read, those read, or all."""

    unread: bool | None = None


@operation(
    "GET", NOTIFICATIONS, "notifications.list", query=NotificationQuery, output=ListOf[NotificationView]
)
async def list_notifications(call: Call, query: NotificationQuery) -> Answer:
    """List what you are told, the newest first."""
    actor = call.signed_in()
    page = await call.read(lambda q: q.inbox.notifications(query.page(), actor, unread=query.unread))
    return listed(call, NOTIFICATIONS, page, query.fields)


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
    """Mark notifications as read; without ids, all."""
    done = await call.execute("notifications.read", data)
    return Answer(status=204, headers=call.command_headers(done))


@operation("GET", ANNOUNCEMENTS, "announcement.read", query=ListQuery, output=ListOf[AnnouncementView])
async def list_announcements(call: Call, query: ListQuery) -> Answer:
    """List the announcements, the newest first."""
    page = await call.read(lambda q: q.inbox.announcements(query.page()))
    return listed(call, ANNOUNCEMENTS, page, query.fields)


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
    """Tell everybody something (administrators)."""
    done = await call.execute("announcement.publish", data)
    announcement_id = done.stream.removeprefix("announcement-")
    found = await call.read(lambda q: q.inbox.announcement(announcement_id), at=done)
    headers = {**call.command_headers(done), "Location": f"{ANNOUNCEMENTS}/{announcement_id}"}
    return Answer(status=201, body=msgspec.json.encode(found), headers=headers)


@operation("GET", ANNOUNCEMENTS + "/{announcement_id:str}", "announcement.read", output=AnnouncementView)
async def get_announcement(call: Call) -> Answer:
    """Show an announcement."""
    announcement_id = call.path["announcement_id"]
    found = await call.read(lambda q: q.inbox.announcement(announcement_id))
    return Answer(body=msgspec.json.encode(found))
