"""Takes what a server tells other systems, with libraries that know nothing of accredit: Standard Webhooks verifies the
signature, CloudEvents reads the message, aiosmtpd is the mail server. Ends with 1 at the first difference.

    outgoing.py PROGRAM COUNT     PROGRAM is target/debug/accredit; COUNT deals are sent, some of them twice
"""

import datetime
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from decimal import Decimal

from aiosmtpd.controller import Controller
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from standardwebhooks import Webhook

SETTINGS = """
credit_types = ["booking"]
[workspace]
name = "Small"
[fields]
id = "id"
date = "date"
amount = "amount"
owner = ["owner"]
[sources.crm]
connector = "standard-webhooks"
[destinations.erp]
url = "%s"
"""
PLAN = """
name = "Reps"
targets = ["title:Rep"]
alerts = ["unmatched"]
[[direct]]
name = "Booking"
[[direct.results]]
name = "Booking credit"
credit_type = "booking"
"""
PEOPLE = "id,name,title\nann,Ann,Rep\nbob,Bob,Rep\n"
SECRET = "whsec_" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
SOURCE_SECRET = "whsec_" + "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
TOKEN = "outgoing-token-0123456789"


class Receiver(http.server.BaseHTTPRequestHandler):
    """Refuses the first try of every third event, and keeps the others."""

    protocol_version = "HTTP/1.1"
    events, seen, refused, wrong = {}, set(), set(), []
    lock = threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = 204
        with self.lock:
            try:
                Webhook(SECRET).verify(body, headers)
                message = HTTPMessage(headers=headers, body=body)
                event = from_http_event(message, JSONFormat())
                if event.get_id() != headers["webhook-id"]:
                    raise ValueError("the id of the event is not the id of the message")
                if event.get_id() not in self.seen and len(self.seen) % 3 == 0:
                    self.refused.add(event.get_id())
                    status = 400
                else:
                    self.events[event.get_id()] = event
                self.seen.add(event.get_id())
            except Exception as error:  # what a library says is the finding
                self.wrong.append(f"{error!r}: {body[:200]!r}")
                status = 500
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Mailbox:
    """Keeps every mail."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(envelope)
        return "250 taken"


def wait_for(what, condition, seconds=90):
    started = time.time()
    while not condition():
        if time.time() - started > seconds:
            sys.exit(f"error: {what} did not happen within {seconds} s; wrong: {Receiver.wrong[:3]}")
        time.sleep(0.1)


def main(program, count):
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    mailbox = Mailbox()
    mail = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    mail.start()

    with tempfile.TemporaryDirectory() as work:
        server = start_server(program, pathlib.Path(work), receiver.server_port, mail.port)
        try:
            check(server, mailbox, count)
        finally:
            server.terminate()
            server.wait(20)
    mail.stop()
    receiver.shutdown()


def free_port():
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start_server(program, work, port, mail_port):
    for path, text in {
        "accredit.toml": SETTINGS % f"http://127.0.0.1:{port}/events",
        "plans/reps.toml": PLAN,
        "organization/participants.csv": PEOPLE,
    }.items():
        file = work / "company" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    server_port = free_port()
    environment = dict(
        os.environ,
        ACCREDIT_TOKEN=TOKEN,
        ACCREDIT_SECRET_CRM=SOURCE_SECRET,
        ACCREDIT_DESTINATION_SECRET_ERP=SECRET,
        ACCREDIT_SMTP_URL=f"smtp://127.0.0.1:{mail_port}",
    )
    arguments = ["serve", "--data", work / "a.redb", "--create", "--workspace", work / "company"]
    arguments += ["--listen", f"127.0.0.1:{server_port}", "--private-destinations", "127.0.0.0/8"]
    arguments += ["--mail-from", "accredit@example.com", "--mail-to", "ops@example.com,Ann <ann@example.com>"]
    arguments += ["--mail-every", "1s"]
    log = open(work / "log", "w")
    server = subprocess.Popen([program, *map(str, arguments)], env=environment, stdout=log, stderr=log)
    server.url = f"http://127.0.0.1:{server_port}"

    def is_ready():
        if server.poll() is not None:
            sys.exit("error: the server ended: " + (work / "log").read_text())
        try:
            return urllib.request.urlopen(server.url + "/readyz", timeout=5).status == 200
        except OSError:
            return False

    wait_for("the start", is_ready)
    return server


def call(server, method, path, body=None, headers=None):
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", **(headers or {})}
    request = urllib.request.Request(server.url + path, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def deliver(server, identity, deal):
    body = json.dumps(deal)
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SOURCE_SECRET).sign(identity, now, body),
    }
    call(server, "POST", "/hooks/crm", body.encode(), headers)


def check(server, mailbox, count):
    for number in range(count):
        owner = ["Ann", "Bob", "Ann", "nobody"][number % 4]
        deliver(server, f"m{number}", {"id": f"D{number}", "date": "2026-01-10", "amount": f"{number}.25", "owner": owner})
    for number in range(0, count, 5):
        deliver(server, f"n{number}", {"id": f"D{number}", "date": "2026-01-10", "amount": "7", "owner": "Bob"})
    wait_for("the decision of all deals", lambda: call(server, "GET", "/v1/status")["pending"] == 0)

    # What was refused is tried again after five seconds; a person need not wait for that.
    def all_sent():
        call(server, "POST", "/v1/destinations/erp/resend?state=waiting", b"{}")
        time.sleep(0.5)
        return call(server, "GET", "/v1/destinations")["data"][0]["waiting"] == 0

    wait_for("the sending of all events", all_sent)
    if Receiver.wrong:
        sys.exit(f"error: {Receiver.wrong[:5]}")

    told = Decimal(0)
    kinds = {}
    for event in Receiver.events.values():
        kinds[event.get_type()] = kinds.get(event.get_type(), 0) + 1
        for credit in event.get_data().get("credits", []):
            told += Decimal(credit["credited_change"])
    credited = Decimal(call(server, "GET", "/v1/status")["counts"]["credited"].get("USD", "0"))
    if told != credited or not Receiver.refused:
        sys.exit(f"error: the events add up to {told}, and the ledger has {credited}")

    wait_for("a mail", lambda: mailbox.mails)

    # What was decided last is in a mail of its own, where the one before it was sent in between. Alerts that were told
    # again would be in a mail each second.
    def no_more_come():
        mails = len(mailbox.mails)
        time.sleep(3)
        return len(mailbox.mails) == mails

    wait_for("the last mail", no_more_come)
    text = b"\n".join(mail.content for mail in mailbox.mails).decode()
    if "unmatched" not in text or mailbox.mails[0].rcpt_tos != ["ops@example.com", "ann@example.com"]:
        sys.exit(f"error: {mailbox.mails[0].rcpt_tos}\n{text}")
    mails = len(mailbox.mails)
    print(f"{len(Receiver.events)} events verified and read, {len(Receiver.refused)} of them at the second try; "
          f"{mails} mails; credited {told}; {kinds}")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), int(sys.argv[2]))
