"""What the tests of webhooks share: a receiver that answers as it is told, and a courier whose rounds they take."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from api import webhook_shapes
from tests.test_api_book import serving
from tests.test_slips import Clock
from tierengine.ledger.sealing import seal
from tierengine.webhooks.courier import Courier

SECOND = 1_000_000


class Receiver:
    """A server that keeps what it is sent and answers as it is told."""

    def __init__(self):
        self.got = []
        self.answers = {}
        self.status = 204
        self.headers = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append((dict(self.headers.items()), body))
                member = json.loads(body)["data"]["member"]
                self.send_response(receiver.answers.get(member, receiver.status))
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def bodies(self):
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def time():
    return Clock()


@pytest.fixture
def till(book_url, time):
    with serving(book_url, others=True, now=time, webhooks_inside=1) as till:
        # Tests take the rounds themselves: the thread of the app is told to rest.
        till.client.app.state.courier.close()
        yield till


@pytest.fixture
def courier(till, time):
    service = till.client.app.state.tierengine
    made = Courier(service.settings, service.secret, service.writer, now=time, start=False)
    yield made
    made.close()


def sealed(till, time):
    writer = till.client.app.state.tierengine.writer
    # (On PostgreSQL the service's own sealer may be at it: then it is waited for.)
    while writer.perform(lambda link, _: seal(link, time(), wait=True)).result(30):
        pass


def told(till, courier, time):
    """Seal and deliver all that is there."""
    sealed(till, time)
    while courier.round():
        pass


def desk(till):
    till.count += 1_000  # keys of its own
    return till.at("D1/admin")


def added(till, receiver, **more):
    answer = desk(till).post("/v1/webhooks", {"url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def deliveries(till, number, state=""):
    answer = desk(till).get(f"/v1/webhooks/{number}/deliveries" + (f"?state={state}" if state else ""))
    assert answer.status_code == 200, answer.text
    return webhook_shapes.Deliveries.model_validate(answer.json(), extra="forbid").deliveries
