"""Send an answer as ASGI wants it."""

from typing import Any

from litestar.types import Receive, Scope, Send

from read_api.gateway.call import Answer


class Sent:
    """An answer as an ASGI application: its head and its body, without what a general response would look at."""

    __slots__ = ("_answer",)

    def __init__(self, answer: Answer) -> None:
        """Send *answer*; no cache keeps what does not say that it may."""
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 # as ASGI has it
        """Send the answer."""
        answer = self._answer
        headers = [
            (name.lower().encode("ascii"), value.encode("latin-1")) for name, value in answer.headers.items()
        ]
        if "Cache-Control" not in answer.headers:
            headers.append((b"cache-control", b"no-store"))
        if answer.body:
            headers.append((b"content-type", answer.media_type.encode("ascii")))
            headers.append((b"content-length", b"%d" % len(answer.body)))
        start: Any = {"type": "http.response.start", "status": answer.status, "headers": headers}
        body: Any = {"type": "http.response.body", "body": answer.body, "more_body": False}
        await send(start)
        await send(body)
