"""The node `normalise` of the sample `cities`, with nothing but Python's standard library: any HTTP server can be a worker.

    python3 normalise.py [PORT]

prints its address as one line of JSON when it is ready.
"""

import json
import re
import sys
import unicodedata
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SPACE = re.compile("[ \t\n\r\f\v\u00a0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
BODY_CAP = 8 * 1024 * 1024


def clean(text):
    return SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")


def normalise(city):
    name = clean(city["name"])
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if unicodedata.category(c) != "Mn")
    return {
        "id": city["id"],
        "name": name,
        "altName": clean(text(city.get("altName"))) or None,
        "search": bare.lower(),
        "country": text(city.get("country")).upper(),
        "adminCode": text(city.get("adminCode")),
        "featureCode": text(city.get("featureCode")),
        "population": number(city.get("population")),
        "lat": number(city.get("lat")),
        "lon": number(city.get("lon")),
    }


def text(value):
    return value if isinstance(value, str) else ""


def number(value):
    return value if is_number(value) else 0


def is_number(value):
    return type(value) in (int, float)  # a bool is an int, too


def is_place(city):
    return isinstance(city, dict) and is_number(city.get("id")) and isinstance(city.get("name"), str)


class Worker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive
    wbufsize = -1  # headers and body leave in one packet

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            return self.problem(411, "Length required", "Send the body with a content-length.")
        length = int(length)
        if length > BODY_CAP:
            return self.problem(413, "Body too large", "A message has at most 8 MiB.")
        body = self.rfile.read(length)
        if self.path != "/nodes/normalise":
            # Not a problem: the bridge takes it for a node that isn't deployed yet, and tries again.
            return self.answer(404, "text/plain", b"There is only /nodes/normalise.\n")
        try:
            city = json.loads(body)
        except ValueError as error:
            return self.problem(400, "Malformed body", f"The body can't be read: {error}")
        if not is_place(city):
            return self.problem(422, "Not a place", "The body has no numeric id and name.")
        self.answer(200, "application/json", json.dumps(normalise(city)).encode())

    def do_GET(self):
        if self.path == "/healthz":
            return self.answer(200, "application/json", b'{"status":"ok"}')
        self.answer(404, "text/plain", b"There is only /nodes/normalise.\n")

    def problem(self, status, title, detail):
        if status in (411, 413):
            self.close_connection = True  # the body was not read
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        self.answer(status, "application/problem+json", json.dumps(body).encode())

    def answer(self, status, content_type, body):
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Worker)
    print(json.dumps({"worker": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
    server.serve_forever()
