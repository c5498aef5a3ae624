#!/usr/bin/env python3
"""A client without an SDK, in Python's standard library: docs/protocol.md by hand.

    examples/client.py HERALD_URL TOPIC...

Looks up, connects, subscribes and prints `topic offset data`. After a break, or when its gateway asks it to move, it goes
on behind the last message it has, so nothing is missed and nothing comes twice; what is lost for good it says on stderr.
"""
import base64
import email.utils
import http.client
import json
import os
import random
import socket
import ssl
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

DEADLINE_S = 5
FORGET_FAILED_S = 30
MAX_EPOCHS = 8
STOP_CODES = {1002, 1003, 1007, 1008, 1009}


class Closed(Exception):
    """The gateway closed the connection, with this code."""

    def __init__(self, code, reason=""):
        super().__init__(f"closed with {code} {reason}")
        self.code = code


class WebSocket:
    """RFC 6455, as far as a client of a gateway needs it."""

    def __init__(self, url, protocols):
        parts = urllib.parse.urlsplit(url)
        secure = parts.scheme == "wss"
        port = parts.port or (443 if secure else 80)
        self.socket = socket.create_connection((parts.hostname, port), DEADLINE_S)
        if secure:
            context = ssl.create_default_context()
            self.socket = context.wrap_socket(self.socket, server_hostname=parts.hostname)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: {', '.join(protocols)}\r\n\r\n"
        )
        self.socket.sendall(head.encode())
        status = self.stream.readline().decode("latin1").strip()
        while self.stream.readline() not in (b"\r\n", b""):
            pass
        if " 101 " not in f"{status} ":
            raise ConnectionError(f"the gateway answers {status or 'nothing'}")

    def send(self, frame):
        self.write(0x1, json.dumps(frame).encode())

    def write(self, opcode, data):
        mask = os.urandom(4)
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)

    def read(self):
        """The next message as an object. Raises Closed, and TimeoutError where none comes in time."""
        text = b""
        while True:
            first, second = self.exactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", self.exactly(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self.exactly(8))
            data = self.exactly(length)
            opcode = first & 0x0F
            if opcode == 0x8:
                code = struct.unpack(">H", data[:2])[0] if len(data) >= 2 else 1005
                raise Closed(code, data[2:].decode(errors="replace"))
            if opcode == 0x9:
                self.write(0xA, data)
            elif opcode in (0x0, 0x1):
                text += data
                if first & 0x80:
                    return json.loads(text)

    def exactly(self, count):
        data = self.stream.read(count)
        if len(data) < count:
            raise Closed(1006, "without a word")
        return data

    def close(self):
        self.stream.close()
        self.socket.close()


class Reader:
    """How far each topic was read: the highest offset in each epoch, the last one heard at the end."""

    def __init__(self, topics):
        self.seen = {topic: {} for topic in topics}
        self.epochs = {}

    def items(self):
        for topic, seen in self.seen.items():
            *others, last = [{"e": e, "o": o} for e, o in seen.items()] or [None]
            also = [one for one in others if one["e"]]
            yield {"c": topic, "from": {**last, **({"also": also} if also else {})}} if last else {"c": topic}

    def note(self, topic, epoch, offset):
        """False for what was seen before."""
        seen = self.seen[topic]
        before = seen.get(epoch, -1)
        if offset <= before:
            return False
        seen.pop(epoch, None)
        seen[epoch] = offset
        if len(seen) > MAX_EPOCHS:
            del seen[next(iter(seen))]
        return True

    def take(self, frame):
        op, topic = frame["op"], frame.get("c")
        if op == "ok":
            for item in frame.get("c", []):
                self.subscribed(item)
        elif op == "msg" and topic in self.seen:
            epoch = self.epochs[topic] = frame.get("e", self.epochs.get(topic, ""))
            if self.note(topic, epoch, frame["o"]):
                print(topic, frame["o"], json.dumps(frame["d"]), flush=True)
        elif op == "gap" and topic in self.seen:
            epoch = self.epochs[topic] = frame["e"]
            first, count = frame["from"], frame["n"]
            if count == 0 or self.note(topic, epoch, first + count - 1):
                print(f"missed {count or 'some'} of {topic}: {frame['why']}", file=sys.stderr, flush=True)
        elif op == "err":
            print(f"err {frame['code']}: {frame['msg']}", file=sys.stderr, flush=True)

    def subscribed(self, item):
        topic = item["c"]
        if "err" in item:
            # 41xx: again with the next connection.
            print(f"{topic}: {item['err']['msg']}", file=sys.stderr, flush=True)
            if item["err"]["code"] < 4100:
                del self.seen[topic]
            return
        self.epochs[topic] = item["e"]
        if item.get("rec") is False:
            print(f"missed some of {topic}: not resumed", file=sys.stderr, flush=True)
        if not item.get("rec"):
            self.note(topic, item["e"], item["o"])


def look_up(herald, intent, failed):
    """Where to connect: gateway, url, ticket, and alternates like it."""
    query = [("intent", intent)] + [("exclude", gateway) for gateway in failed]
    with urllib.request.urlopen(f"{herald}/v1/lookup?{urllib.parse.urlencode(query)}", timeout=DEADLINE_S) as reply:
        found = json.load(reply)
    picks = [pick for pick in [found, *(found.get("alternates") or [])] if is_pick(pick)]
    if not picks:
        raise ValueError(f"an answer without a gateway: {json.dumps(found)[:200]}")
    return picks


def is_pick(pick):
    """One that is damaged is no reason to stay away from the others."""
    return isinstance(pick, dict) and all(isinstance(pick.get(field), str) for field in ("gateway", "url", "ticket"))


def listen(pick, reader):
    """One connection, to its end. Returns True where the gateway asked to move, raises otherwise."""
    ticket = [f"herald.ticket.{pick['ticket']}"] if pick["ticket"] else []
    ws = WebSocket(pick["url"], ["herald.v1.json", *ticket])
    try:
        ws.send({"op": "hello", "v": 1, "caps": ["gap", "move"]})
        welcome = ws.read()
        quiet_s = 2.5 * welcome["pingMs"] / 1_000
        ws.socket.settimeout(quiet_s)
        items = list(reader.items())
        if items:
            ws.send({"op": "sub", "id": 1, "c": items})
        print(f"live on {pick['gateway']}", file=sys.stderr, flush=True)
        leave_at = None
        while leave_at is None or time.monotonic() < leave_at:
            try:
                frame = ws.read()
            except TimeoutError:
                if leave_at is None:
                    raise
                break
            if frame["op"] == "ping":
                ws.send({"op": "pong"})
            elif frame["op"] == "move" and leave_at is None:
                leave_at = time.monotonic() + random.uniform(0, frame["spreadMs"] / 1_000)
            reader.take(frame)
            if leave_at is not None:
                ws.socket.settimeout(min(quiet_s, max(0.001, leave_at - time.monotonic())))
        ws.send({"op": "bye"})
        return True
    finally:
        ws.close()


def seconds_of(retry_after):
    """What Retry-After asks for (RFC 9110 section 10.2.3), seconds or a date: ten minutes at most, a second if nothing."""
    text = (retry_after or "").strip()
    try:
        after = int(text) if text.isdecimal() else email.utils.parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError):
        after = 0
    return min(after, 600) if after > 0 else 1


def follow(herald, topics):
    reader = Reader(topics)
    intent, attempt, picks, failed = "connect", 0, [], {}
    while True:
        pick = None
        try:
            if not picks:
                now = time.monotonic()
                failed = {gateway: at for gateway, at in failed.items() if now - at < FORGET_FAILED_S}
                picks = look_up(herald, intent, failed)
            pick = picks.pop(0)
            since = time.monotonic()
            if listen(pick, reader):
                intent, attempt, picks = "move", 0, []
                failed = {pick["gateway"]: time.monotonic()}
                continue
        except urllib.error.HTTPError as refused:
            if refused.code not in (404, 408, 425, 429) and 400 <= refused.code < 500:
                sys.exit(f"refused with {refused.code}: {refused.read().decode()}")
            pause = seconds_of(refused.headers.get("Retry-After"))
            print(f"refused with {refused.code}, again in {pause} s", file=sys.stderr, flush=True)
            time.sleep(pause)
            # Better a gateway that failed a moment ago than none.
            failed = {}
            continue
        # What answers may be no Herald, or no gateway.
        except (Closed, OSError, http.client.HTTPException, ValueError, KeyError) as lost:
            print(repr(lost), file=sys.stderr, flush=True)
            code = lost.code if isinstance(lost, Closed) else 1006
            if code in STOP_CODES or 4000 <= code < 4100:
                sys.exit(1)
            if pick:
                intent = "resume"
                attempt = 0 if time.monotonic() - since > DEADLINE_S else attempt
                if 4100 <= code < 4200:
                    # The ticket was used once already; the same gateway again.
                    picks = [{**pick, "ticket": ""}]
                else:
                    failed[pick["gateway"]] = time.monotonic()
        # Full jitter: thousands may have lost the same gateway.
        time.sleep(random.uniform(0, min(20, 0.25 * 2**attempt)))
        attempt = min(attempt + 1, 10)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        follow(sys.argv[1].rstrip("/"), sys.argv[2:])
    except KeyboardInterrupt:
        pass
