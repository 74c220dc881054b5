"""People outside, over real sockets: an HTTP address and a mail server on this machine."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass(slots=True)
class Inbox:
    """What arrived; `port` is where, `answer` the status that an HTTP address gives.

    `on_arrival` is called with each message before it is answered.
    """

    port: int = 0
    answer: int = 200
    requests: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    on_arrival: Callable[[dict[str, Any]], None] = field(default=lambda message: None)

    def take(self, message: dict[str, Any]) -> None:
        """Keep a message."""
        self.messages.append(message)
        self.on_arrival(message)

    @property
    def subjects(self) -> list[str]:
        """The subjects so far."""
        return [message["title"] for message in self.messages]


@contextmanager
def http_inbox() -> Iterator[Inbox]:
    """Take messages as Apprise's `json://127.0.0.1:PORT/` sends them."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.requests += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if inbox.answer == 200:
                inbox.take(json.loads(body))
            self.send_response(inbox.answer)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield inbox
        finally:
            server.shutdown()
            thread.join()


@asynccontextmanager
async def mail_inbox() -> AsyncIterator[Inbox]:
    """Take mail as `mailto://127.0.0.1:PORT` sends it."""
    inbox = Inbox()

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            mail = message_from_bytes(envelope.content, policy=default)
            part = mail.get_body(("plain",))
            assert part is not None
            inbox.take(
                {
                    "title": str(mail["Subject"]),
                    "message": part.get_content(),
                    "to": envelope.rcpt_tos,
                    "plain": not mail.is_multipart(),
                }
            )
            return "250 kept"

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), loop=loop), "127.0.0.1", 0)
    async with server:
        inbox.port = server.sockets[0].getsockname()[1]
        yield inbox
