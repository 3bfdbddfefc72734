"""Takes the spans of a server, and ends with 1 if one is missing or says too much.

    spans.py PROGRAM     a build of target/debug/accredit with the feature `otel`
"""

import http.server
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TOKEN = "spans-token-0123456789"
SETTINGS = '[workspace]\nname = "Small"\n[fields]\nid = "id"\ndate = "date"\n'
PLAN = 'name = "Reps"\ntargets = ["*"]\n[[direct]]\nname = "A"\n[[direct.results]]\nname = "B"\ncredit_type = "credit"\n'


class Collector(http.server.BaseHTTPRequestHandler):
    """Keeps the spans that it is sent."""

    spans, services, paths = [], set(), set()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        request = ExportTraceServiceRequest.FromString(body)
        self.paths.add(self.path)
        for resource in request.resource_spans:
            attributes = {a.key: a.value.string_value for a in resource.resource.attributes}
            self.services.add(attributes.get("service.name"))
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main(program):
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]

    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "company/plans").mkdir(parents=True)
        (work / "company/accredit.toml").write_text(SETTINGS)
        (work / "company/plans/reps.toml").write_text(PLAN)
        environment = dict(
            os.environ,
            ACCREDIT_TOKEN=TOKEN,
            ACCREDIT_LOG="info,tower_http=debug",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
        )
        arguments = ["serve", "--data", str(work / "a.redb"), "--create", "--workspace", str(work / "company")]
        log = open(work / "log", "w")
        server = subprocess.Popen(
            [program, *arguments, "--listen", f"127.0.0.1:{port}"], env=environment, stdout=log, stderr=log
        )
        try:
            ask(f"http://127.0.0.1:{port}", server, work)
        finally:
            # What waits is sent before the end.
            server.send_signal(signal.SIGTERM)
            server.wait(20)
        text = (work / "log").read_text()

    of_trace = [span for span in Collector.spans if span.trace_id.hex() == TRACE]
    if len(of_trace) != 1 or of_trace[0].parent_span_id.hex() != PARENT or of_trace[0].name != "request":
        sys.exit(f"error: {len(Collector.spans)} spans, of the caller's trace: {of_trace}\n{text}")
    if Collector.services != {"accredit"} or Collector.paths != {"/v1/traces"}:
        sys.exit(f"error: {Collector.services} {Collector.paths}")
    said = "".join(str(span) for span in Collector.spans)
    if "secret-deal" in said or TOKEN in said or TRACE not in text:
        sys.exit("error: a span has an id or a token, or the log has no trace")
    print(f"{len(Collector.spans)} spans, one of the caller's trace")


def ask(url, server, work):
    for _ in range(300):
        if server.poll() is not None:
            sys.exit("error: the server ended: " + (work / "log").read_text())
        try:
            urllib.request.urlopen(url + "/readyz", timeout=5).read()
            break
        except OSError:
            time.sleep(0.1)
    headers = {"authorization": f"Bearer {TOKEN}"}
    request = urllib.request.Request(url + "/v1/transactions?id=secret-deal", headers=headers)
    urllib.request.urlopen(request, timeout=10).read()
    headers["traceparent"] = f"00-{TRACE}-{PARENT}-01"
    headers["content-type"] = "text/csv"
    request = urllib.request.Request(url + "/v1/transactions", b"id,date\nD1,2026-01-01\n", headers, method="POST")
    urllib.request.urlopen(request, timeout=10).read()


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
