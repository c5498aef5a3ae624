#!/usr/bin/env python3
"""A gateway's reporter in Python, standard library only; docs/reporting.md says what it does and why.

    HERALD_SECRET=... examples/gateway.py GATEWAY_ID WS_URL [HERALD_CONTROL_URL...]

Put in the place of `measure` and `obey` what your server knows and does.
"""
import hmac
import http.client
import json
import os
import random
import secrets
import signal
import sys
import threading
import time
from urllib.parse import quote, urlsplit

DEADLINE_S = 2
FORGET_HERALD_S = 60
MAX_HERALDS = 64
REMEMBERED_ORDERS = 256


def measure():
    """The signals and counts of a report: here the machine's load average alone."""
    return {"cpu": os.getloadavg()[0] / (os.cpu_count() or 1)}


def obey(directive):
    """Asks clients to leave, as docs/reporting.md says; this example has none."""
    print("directive", json.dumps(directive), flush=True)


def report_key(secret, gateway):
    """HKDF-SHA-256 (RFC 5869) of one block: extract, then expand."""
    extracted = hmac.digest(b"herald.v1", secret.encode(), "sha256")
    return hmac.digest(extracted, f"feedback\n{gateway}".encode() + b"\x01", "sha256")


class Reporter:
    """What all Heralds are told. Each Herald has a link and a thread of its own: a silent one delays no other."""

    def __init__(self, gateway, url, heralds, secret):
        self.gateway = gateway
        self.url = url
        self.key = report_key(secret, gateway) if secret else None
        # A later boot compares greater.
        self.boot_id = f"{time.time_ns() // 1_000_000:015d}-{secrets.token_hex(4)}"
        self.seq = 0
        self.state = "up"
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.orders = []
        self.links = {}
        self.seeds = {origin_of(herald) for herald in heralds}
        self.named = {}

    def learn(self, heralds):
        """Opens a link to every Herald that is new."""
        with self.lock:
            for origin in map(origin_of, heralds):
                self.named[origin] = time.monotonic()
                if origin not in self.links and len(self.links) < MAX_HERALDS and not self.stopping.is_set():
                    self.links[origin] = threading.Thread(target=Link(self, origin).run)
                    self.links[origin].start()

    def is_wanted(self, origin):
        """Whether it was configured, or a reply named it in the last minute; otherwise its link ends."""
        with self.lock:
            if origin in self.seeds or time.monotonic() - self.named[origin] < FORGET_HERALD_S:
                return True
            del self.links[origin]
            return False

    def report(self, period_ms):
        with self.lock:
            self.seq += 1
            return json.dumps(
                {
                    "v": 1,
                    "gateway": self.gateway,
                    "url": self.url,
                    # Not among the gateways of `npm start`: clients of those speak another protocol.
                    "pool": "own",
                    "bootId": self.boot_id,
                    "seq": self.seq,
                    "periodMs": period_ms,
                    "state": self.state,
                    **measure(),
                }
            )

    def take(self, directive):
        """Every Herald repeats an order until the reported state shows that it was heard: do it once."""
        ((kind, order),) = directive.items()
        with self.lock:
            if order["orderId"] in self.orders:
                return
            self.orders = [*self.orders, order["orderId"]][-REMEMBERED_ORDERS:]
            if kind != "shed":
                self.state = "draining" if kind == "drain" else "up"
        obey(directive)

    def run(self):
        self.learn(self.seeds)
        self.stopping.wait()
        for link in list(self.links.values()):
            link.join()


class Link:
    """The one connection to one Herald, kept open: when it closes, Herald takes the gateway for dead."""

    def __init__(self, reporter, origin):
        self.reporter = reporter
        self.origin = origin
        scheme, address = urlsplit(origin)[:2]
        https = scheme == "https"
        connection = http.client.HTTPSConnection if https else http.client.HTTPConnection
        self.connection = connection(address, timeout=DEADLINE_S)
        self.nonce = ""
        self.period_ms = 500
        self.trouble = ""

    def run(self):
        while not self.reporter.stopping.is_set() and self.reporter.is_wanted(self.origin):
            self.post()
            self.reporter.stopping.wait(self.period_ms / 1000 * random.uniform(0.9, 1.1))
        if self.reporter.stopping.is_set():
            try:
                self.exchange("DELETE", f"/v1/feedback/{quote(self.reporter.gateway, safe='')}", "")
            except (OSError, http.client.HTTPException):
                pass
        self.connection.close()

    def post(self):
        try:
            status, text = self.exchange("POST", "/v1/feedback", self.reporter.report(self.period_ms))
            if status != 200:
                return self.say(f"{status} {text}")
            reply = json.loads(text)
            self.say("" if reply["accepted"] == 1 else f"not taken: {reply.get('refused')}")
            self.period_ms = reply["periodMs"]
            self.reporter.learn(reply["heralds"])
            if "directive" in reply:
                self.reporter.take(reply["directive"])
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            self.connection.close()
            self.say(repr(error))

    def exchange(self, method, path, body):
        """A 401 that brings a new nonce is answered at once: ours was too old for that Herald."""
        while True:
            nonce = self.nonce
            headers = {"content-type": "application/json"} if body else {}
            if nonce and self.reporter.key:
                mac = hmac.new(self.reporter.key, f"{nonce}\n{body}".encode(), "sha256").hexdigest()
                headers["herald-signature"] = f"{self.reporter.gateway};{nonce};{mac}"
            self.connection.request(method, path, body.encode(), headers)
            response = self.connection.getresponse()
            text = response.read().decode()
            self.nonce = response.headers.get("herald-nonce", "")
            if response.status != 401 or self.nonce == nonce:
                return response.status, text

    def say(self, trouble):
        """Once for each change."""
        if trouble and trouble != self.trouble:
            print(f"{self.origin}: {trouble}", file=sys.stderr, flush=True)
        self.trouble = trouble


def origin_of(url):
    scheme, address = urlsplit(url)[:2]
    return f"{scheme}://{address}"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    gateway, url, *heralds = sys.argv[1:]
    reporter = Reporter(
        gateway, url, heralds or ["http://127.0.0.1:7401"], os.environ.get("HERALD_SECRET", "")
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: reporter.stopping.set())
    reporter.run()


if __name__ == "__main__":
    main()
