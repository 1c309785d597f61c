"""Two `collector enrich` with one database, one of them killed during a request."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from collector.catalogue import tracks
from collector.records import ArtistCredit, Provenance, SourceTrack, TrackObservation
from genrebase.settings import child_environment
from genrebase.store import connect, tables
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import NOON

TRACKS = 130
BATCH = 40
PATIENCE = 25
"""Seconds for a process to end: fewer than a batch lasts that nobody frees."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


class Provider(BaseHTTPRequestHandler):
    """Has no track; never responds to the first request, and counts the requested tracks."""

    def do_GET(self):
        """Send the response."""
        with self.server.changed:
            first = not self.server.requested
            self.server.requested.update(parse_qs(urlsplit(self.path).query)["ids"][0].split(","))
            self.server.changed.notify_all()
            if first:
                self.server.changed.wait_for(lambda: self.server.complete)
                return
        body = b'{"content": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Log nothing."""


@contextmanager
def serving():
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        server.requested, server.changed, server.complete = Counter(), Condition(), False
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            with server.changed:
                server.complete = True
                server.changed.notify_all()
            server.shutdown()
            thread.join()


def wait_for(server, requested):
    with server.changed:
        assert server.changed.wait_for(lambda: len(server.requested) == requested, PATIENCE)


def fill(engine):
    credit = (ArtistCredit("A"),)
    source_tracks = [
        SourceTrack("spotify", f"{n:022d}", f"Song {n}", credit) for n in range(TRACKS)
    ]
    with transaction(engine) as connection:
        seen = [TrackObservation(one, "rock", rank) for rank, one in enumerate(source_tracks)]
        tracks.record(connection, seen, Provenance("spotify", provider=None), NOON)


def start(url, server):
    environment = child_environment(
        STORE_URL=url,
        COLLECTOR_RECCOBEATS_URL=f"http://127.0.0.1:{server.server_port}/",
        COLLECTOR_RECCOBEATS_RATE="1000/1s",
        COLLECTOR_FEATURE_ORDER="reccobeats",
    )
    command = [sys.executable, "-m", "collector", "enrich", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, **pipes)


def test_a_kill_loses_nothing_and_repeats_one_request(database_url):
    """The batch of the killed process is requested again at once; no other batch twice."""
    engine = connect(database_url)
    fill(engine)
    with serving() as server, start(database_url, server) as killed:
        wait_for(server, BATCH)
        with start(database_url, server) as healer:
            wait_for(server, TRACKS)
            killed.send_signal(signal.SIGKILL)
            killed.communicate()
            document = json.loads(healer.communicate(timeout=PATIENCE)[0])
    assert (document["asked"], document["stopped"], healer.returncode) == (TRACKS, "done", 0)
    assert Counter(server.requested.values()) == {1: TRACKS - BATCH, 2: BATCH}
    with read_transaction(engine) as connection:
        attempts = connection.scalars(select(tables.feature_attempt.c.attempts)).all()
    engine.dispose()
    assert attempts == [1] * TRACKS
