"""proxy: a TCP proxy that misbehaves when told to.

Listens on 127.0.0.1 and forwards to a TCP address or a Unix socket. Toxics act at once on connections that are
open and on those to come, until heal():

    cut()              reset all open connections
    cut_after(n, way)  each connection is reset once n more bytes went that way
    lose_replies()     requests pass, replies are swallowed, and the connection is reset at the first of them
    delay(seconds)     each piece waits before it is passed on
    blackhole()        connections stay open and nothing passes, either way; heal() resets them, for bytes of
                       a stream cannot be left out
    refuse()           new connections are reset at once, open ones too

Up is from the client to the server. One thread accepts, two serve each connection.
"""

import fcntl
import select
import socket
import struct
import threading
import time

UP, DOWN = "up", "down"
PIECE = 65536


class Proxy:
    """upstream: ("host", port) or a path of a Unix socket. port: 0 picks a free one."""

    def __init__(self, upstream, port=0):
        self.upstream = upstream
        self.connections = 0  # accepted so far
        self.passed = {UP: 0, DOWN: 0}  # bytes
        self._toxic = "none"
        self._argument = None
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._links = set()
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.address = self._listener.getsockname()
        self.port = self.address[1]
        self._thread = threading.Thread(target=self._accept, name=f"proxy-{self.port}", daemon=True)
        self._thread.start()

    def cut(self):
        for link in self._open_links():
            link.reset()

    def cut_after(self, count, way):
        self._set("cut_after", (count, way))

    def lose_replies(self):
        self._set("lose_replies", None)

    def delay(self, seconds):
        self._set("delay", seconds)

    def blackhole(self):
        self._set("blackhole", None)

    def refuse(self):
        self._set("refuse", None)
        self.cut()

    def heal(self):
        held = self._toxic == "blackhole"
        self._set("none", None)
        if held:
            self.cut()

    def close(self):
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._listener.close()
        self.cut()
        self._thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _set(self, toxic, argument):
        with self._changed:
            self._toxic, self._argument = toxic, argument
            for link in self._links:
                link.quota = None
            self._changed.notify_all()

    def _open_links(self):
        with self._lock:
            return list(self._links)

    def _accept(self):
        while not self._closed:
            try:
                if not readable(self._listener):
                    continue
                client, _ = self._listener.accept()
            except (OSError, ValueError):
                return
            self.connections += 1
            if self._toxic == "refuse":
                hard_close(client)
                continue
            try:
                link = Link(self, client, self._connect())
            except OSError:
                hard_close(client)
                continue
            with self._lock:
                self._links.add(link)
            link.start()

    def _connect(self):
        if isinstance(self.upstream, str):
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(self.upstream)
        else:
            server = socket.create_connection(self.upstream, timeout=5)
            server.settimeout(None)
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return server

    def _pass(self, link, way, data):
        """What is to be sent on of data; None ends the connection with a reset."""
        with self._changed:
            toxic, argument = self._toxic, self._argument
            if toxic == "blackhole":
                self._changed.wait_for(lambda: self._toxic != "blackhole" or self._closed or link.dead)
                return None
            if toxic == "delay":
                self._changed.wait_for(lambda: self._toxic != "delay" or self._closed or link.dead, argument)
            elif toxic == "lose_replies" and way == DOWN:
                return None
            elif toxic == "cut_after" and way == argument[1]:
                if link.quota is None:
                    link.quota = argument[0]
                kept = data[: link.quota]
                link.quota -= len(kept)
                link.doomed = link.quota == 0
                data = kept
            self.passed[way] += len(data)
        return data


class Link:
    """One connection and its other half."""

    def __init__(self, proxy, client, server):
        self.quota = None  # of cut_after; guarded by the proxy's lock, as doomed
        self.doomed = False
        self.dead = False
        self._ended = 0  # ways that came to their end
        self._proxy = proxy
        self._sockets = {UP: (client, server), DOWN: (server, client)}

    def start(self):
        for way in (UP, DOWN):
            threading.Thread(target=self._pump, args=(way,), daemon=True).start()

    def reset(self):
        """Both ends see a reset, and pending bytes are gone."""
        with self._proxy._changed:
            if self.dead:
                return
            self.dead = True
            self._proxy._links.discard(self)
            self._proxy._changed.notify_all()
        for one in self._sockets[UP]:
            hard_close(one)

    def _pump(self, way):
        source, sink = self._sockets[way]
        try:
            while not self.dead:
                if not readable(source):
                    continue
                data = source.recv(PIECE)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    break
                data = self._proxy._pass(self, way, data)
                if data is None:
                    self.reset()
                    return
                sink.sendall(data)
                if self.doomed:
                    # What was let through shall arrive before the reset does.
                    drain(sink)
                    self.reset()
                    return
        except (OSError, ValueError):
            self.reset()
            return
        self._half_done()

    def _half_done(self):
        with self._proxy._changed:
            self._ended += 1
            if self._ended < 2 or self.dead:
                return
            self.dead = True
            self._proxy._links.discard(self)
        for one in self._sockets[UP]:
            one.close()


def drain(sock):
    """Waits, briefly, until the kernel has handed on what was sent."""
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        try:
            pending = struct.unpack("i", fcntl.ioctl(sock.fileno(), 0x5411, b"\0\0\0\0"))[0]  # SIOCOUTQ
        except OSError:
            return
        if pending == 0:
            return
        select.poll().poll(5)


def readable(sock):
    """True when there is something to read (or accept), False after a moment without."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(200))


def hard_close(sock):
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    # A thread that waits in select or recv on it wakes up only by a shutdown.
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


def free_ports(count):
    """Consecutive free TCP ports on 127.0.0.1: the first of them."""
    for _ in range(100):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        others = []
        try:
            for i in range(count):
                one = socket.socket()
                others.append(one)
                one.bind(("127.0.0.1", port + i))
            return port
        except OSError:
            continue
        finally:
            for one in others:
                one.close()
    raise AssertionError("no free ports")
