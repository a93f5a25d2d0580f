"""A visitor without a browser: Streamlit's own protocol (1.67), spoken over HTTP and one websocket.

A visitor opens the app, drops a file on it and waits for what comes, as a browser does: asks where to upload,
puts the file there, reports the state of the drop zone, reruns the fragments that ask to be rerun. What comes
is not drawn; kept is what a load test asks for: the drop zone, the key of the trace on the canvas, the texts.

Not in here: how many visitors there are and what is measured (`bench_visitors`).
"""

from __future__ import annotations

import asyncio
import http.client
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

CANVAS, PARCEL = "a2_probe_canvas", "a2_parcel"
PATIENCE_S = 300.0
LARGEST_MESSAGE = 256 * 2**20
IDENTITY = re.compile(r'"identity":\s*"([^"]+)"')
WITH_PAYLOAD = re.compile(
    r'"payload":\s*{.*?"key":\s*"([^"]+)"', re.DOTALL
)  # as trees before parcels send it
XSRF_COOKIE = "_streamlit_xsrf"
# Where the elements of the app keep what a person reads.
WORDS = {
    "alert": "body",
    "html": "body",
    "markdown": "body",
    "text": "body",
    "toast": "body",
    "progress": "text",
    "spinner": "text",
    "button": "label",
}


class Visitor:
    """One tab of the app at `url`; a context manager that opens it and closes it."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.session_id = ""
        self.uploader = ""  # id of the drop zone that was drawn last
        self.keys: list[str] = []  # of the traces that the canvas was given, in their order
        self.texts: list[str] = []  # what could be read on the page, in its order
        self.alerts: list[str] = []
        self.faults: list[str] = []  # exceptions on the page, runs that ended with one
        self.runs = 0  # of the script that have come to their end
        self._query = self._page = self._asked = ""
        self._parcels: set[str] = set()  # identities of what came apart from the canvas
        self._urls: dict[str, FileURLs] = {}
        self._chosen: dict[
            str, list[str]
        ] = {}  # of controls with options, by id: a browser sends all each time
        self._selected: dict[str, str] = {}
        self._reruns: dict[str, asyncio.Task[None]] = {}  # by the fragment that asked for them
        self._news = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None
        self._cookies: dict[str, str] = {}

    async def __aenter__(self) -> Visitor:
        # A browser asks these two before it opens the socket; the answer sets the cookie of uploads.
        answer = await asyncio.to_thread(self._request, "GET", "/_stcore/health")
        await asyncio.to_thread(self._request, "GET", "/_stcore/host-config")
        if answer != 200:
            raise ConnectionError(f"{self.url} is not healthy: {answer}")
        parts = urlsplit(self.url)
        self._socket = await connect(
            f"ws://{parts.netloc}{parts.path}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers=self._cookie_header(),
            max_size=LARGEST_MESSAGE,
            ping_timeout=None,  # a busy machine is no lost connection
            proxy=None,
        )
        self._listening = asyncio.create_task(self._listen(self._socket))
        await self._rerun()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close the tab, whatever is under way."""
        self._stop_reruns()
        if self._socket is not None:
            await self._socket.close()
        if self._listening is not None:
            await self._listening

    @property
    def gone(self) -> bool:
        """Whether the server has ended the connection, or the visitor has."""
        return self._listening is not None and self._listening.done()

    async def until(self, holds: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
        """Until `holds`, asked whenever something came.

        Raises:
            TimeoutError: it did not hold in time.
            ConnectionError: the connection ended before.
        """
        async with asyncio.timeout(within_s):
            while not holds():
                if self.gone:
                    raise ConnectionError("The server closed the connection.")
                self._news.clear()
                await self._news.wait()

    async def stand(self) -> None:
        """Until the page stands: a picture on the canvas, and the run that drew it is over."""
        await self.until(lambda: bool(self.keys and self.uploader and self.runs))

    async def upload(self, name: str, data: bytes) -> None:
        """Drop a file on the page; returns when it is on the server and the page has been told."""
        uploader, asked = self.uploader, uuid.uuid4().hex
        message = BackMsg()
        message.file_urls_request.request_id = asked
        message.file_urls_request.session_id = self.session_id
        message.file_urls_request.file_names.append(name)
        await self._send(message)
        await self.until(lambda: asked in self._urls)
        urls = self._urls.pop(asked)
        status = await asyncio.to_thread(self._put, urls.upload_url, name, data)
        if status != 204:
            raise ConnectionError(f"The upload of {name} was answered with {status}.")

        def tell(state: Any) -> None:
            widget = state.widget_states.widgets.add(id=uploader)
            widget.file_uploader_state_value.uploaded_file_info.add(
                file_id=urls.file_id, name=name, size=len(data), file_urls=urls
            )

        await self._rerun(tell)

    # ---- to the server

    async def _send(self, message: BackMsg) -> None:
        if self._socket is not None:
            await self._socket.send(message.SerializeToString())

    async def _rerun(self, tell: Callable[[Any], None] = lambda state: None) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = self._query, self._page
        state.context_info.timezone, state.context_info.locale = "Europe/Berlin", "en"
        state.context_info.url = self.url
        for widget, options in self._chosen.items():
            state.widget_states.widgets.add(id=widget).string_array_value.data.extend(options)
        for widget, option in self._selected.items():
            state.widget_states.widgets.add(id=widget).string_value = option
        tell(state)
        await self._send(message)

    async def _rerun_every(self, fragment: str, interval_s: float) -> None:
        def tell(state: Any) -> None:
            state.fragment_id, state.is_auto_rerun = fragment, True

        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(interval_s)
                await self._rerun(tell)

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> int:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)
        try:
            connection.request(method, parts.path + path, body, {**self._cookie_header(), **(headers or {})})
            answer = connection.getresponse()
            answer.read()
            for said in answer.headers.get_all("Set-Cookie", []):
                name, _, value = said.partition(";")[0].partition("=")
                self._cookies[name.strip()] = value
            return answer.status
        finally:
            connection.close()

    def _cookie_header(self) -> dict[str, str]:
        """What a browser sends of the cookies that it was given."""
        said = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return {"Cookie": said} if said else {}

    def _put(self, path: str, name: str, data: bytes) -> int:
        boundary = uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        if XSRF_COOKIE in self._cookies:
            headers["X-Xsrftoken"] = self._cookies[XSRF_COOKIE]
        return self._request("PUT", path, head.encode() + data + f"\r\n--{boundary}--\r\n".encode(), headers)

    # ---- from the server

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for data in socket:
                message = ForwardMsg()
                message.ParseFromString(data if isinstance(data, bytes) else data.encode())
                self._take(message)
                self._news.set()
        except ConnectionClosed:
            pass
        finally:
            self._stop_reruns()
            self._news.set()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session_id = message.new_session.initialize.session_id or self.session_id
            self._page = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self._stop_reruns()
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self.runs += 1
            elif message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.faults.append("The script could not be read.")
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "file_urls_response":
            answer = message.file_urls_response
            if answer.error_msg:
                self.faults.append(answer.error_msg)
            self._urls[answer.response_id] = answer.file_urls[0]
        elif kind == "auto_rerun":
            asked = message.auto_rerun
            self._stop_rerun(asked.fragment_id)
            rerun = self._rerun_every(asked.fragment_id, asked.interval)
            self._reruns[asked.fragment_id] = asyncio.create_task(rerun)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop_rerun(fragment)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._show(message.delta.new_element)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_transient":
            for element in message.delta.new_transient.elements:
                self._show(element)

    def _show(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        if kind == "file_uploader":
            self.uploader = element.file_uploader.id
        elif kind == "bidi_component":
            self._hand_over(element.bidi_component)
        elif kind == "button_group":
            group = element.button_group
            if group.set_value or group.id not in self._chosen:
                default = [group.options[k].content for k in group.default]
                self._chosen[group.id] = list(group.raw_values) if group.set_value else default
        elif kind == "selectbox":
            box = element.selectbox
            if box.set_value or box.id not in self._selected:
                self._selected[box.id] = box.raw_value if box.set_value else box.options[box.default]
        elif kind == "exception":
            self.faults.append(f"{element.exception.type}: {element.exception.message}")
        elif kind in WORDS:
            text = getattr(getattr(element, kind), WORDS[kind])
            self.texts.append(text)
            if kind == "alert":
                self.alerts.append(text)

    def _hand_over(self, component: Any) -> None:
        """The canvas answers for a trace when it was told which, and the parcel with its maps has come."""
        if component.component_name == PARCEL and (
            match := IDENTITY.search(component.bytes[:200].decode(errors="replace"))
        ):
            self._parcels.add(match[1])
        elif component.component_name == CANVAS:
            match = WITH_PAYLOAD.search(component.json)
            if match:
                self._parcels.add(match[1])
            elif not (match := IDENTITY.search(component.json)):
                return
            self._asked = match[1]
        if self._asked in self._parcels and self._asked not in self.keys[-1:]:
            self.keys.append(self._asked)

    def _stop_rerun(self, fragment: str) -> None:
        if (rerun := self._reruns.pop(fragment, None)) is not None:
            rerun.cancel()

    def _stop_reruns(self) -> None:
        for fragment in list(self._reruns):
            self._stop_rerun(fragment)
