"""AcousticBrainz' API and dumps as the sandbox serves them, over real HTTP."""

import csv
import hashlib
import io
import tarfile

import pyarrow as pa
import pytest
import requests

from collector.rate_limits import Rate
from sandbox.application import SandboxOptions
from sandbox.middleware import faults
from sandbox.server import serve_in_thread
from sandbox.tracks.submissions import SubmissionCatalogue
from tests.fakes import FakeClock
from tests.recording_catalogues import recordings, tracks_with_derived_ids
from tests.sandbox_client import SandboxStarter

CATALOGUE = tracks_with_derived_ids(300)
SUBMISSIONS = SubmissionCatalogue(recordings(CATALOGUE))
ALL = list(SUBMISSIONS.all_submissions())
MBIDS = list(dict.fromkeys(submission.mbid for submission in ALL))
SEVERAL = next(mbid for mbid in MBIDS if SUBMISSIONS.count(mbid) >= 3)
UNKNOWN = "00000000-0000-4000-8000-000000000000"
FEATURES = "rhythm.bpm;tonal.key_key"


class Api:
    """Sends requests to `/acousticbrainz/`."""

    def __init__(self, sandbox):
        self.sandbox = sandbox

    def get(self, path, timeout=10, **params):
        url = f"{self.sandbox.url}/acousticbrainz/{path}"
        return requests.get(url, params=params, timeout=timeout)

    def json(self, path, **params):
        response = self.get(f"api/v1/{path}", **params)
        assert response.status_code == 200, response.text
        return response.json()

    def dump(self, name):
        """The first data file in an archive."""
        content = self.get(f"dumps/{name}").content
        stream = pa.CompressedInputStream(io.BytesIO(content), "zstd")
        with tarfile.open(fileobj=io.BytesIO(stream.read())) as archive:
            return {member.name: archive.extractfile(member).read() for member in archive}


@pytest.fixture(scope="module")
def api():
    with SandboxStarter() as started:
        yield Api(started(catalogue=CATALOGUE).sandbox)


def test_documents_of_several_recordings(api):
    """By id and offset, offset 0 by default, numbers as strings; unknown ones are left out."""
    wanted = f"{MBIDS[0]};{SEVERAL}:0;{SEVERAL}:2;{SEVERAL}:99;{UNKNOWN};{SEVERAL}:x"
    documents = api.json("low-level", recording_ids=wanted, features=FEATURES)
    assert documents.pop("mbid_mapping") == {}
    assert {mbid: {*offsets} for mbid, offsets in documents.items()} == {
        MBIDS[0]: {"0"},
        SEVERAL: {"0", "2"},
    }
    submission = SUBMISSIONS.submission(SEVERAL, 2)
    assert documents[SEVERAL]["2"] == {
        "rhythm": {"bpm": submission.bpm},
        "tonal": {"key_key": submission.key},
    }
    whole = api.json("low-level", recording_ids=MBIDS[0])
    assert {*whole[MBIDS[0]]["0"]} == {"lowlevel", "metadata", "rhythm", "tonal"}


def test_ids_are_returned_in_lower_case(api):
    """With a mapping from those of the request."""
    documents = api.json("low-level", recording_ids=MBIDS[0].upper(), features=FEATURES)
    assert documents["mbid_mapping"] == {MBIDS[0].upper(): MBIDS[0]}
    assert MBIDS[0] in documents


def test_merged_recordings_stand_under_their_old_ids(api):
    """The present id has only what came after the merge."""
    redirects = SUBMISSIONS.recordings.redirects
    old = next(mbid for mbid in MBIDS if mbid in redirects and redirects[mbid] not in MBIDS)
    documents = api.json("low-level", recording_ids=f"{old};{redirects[old]}", features=FEATURES)
    assert {*documents} == {old, "mbid_mapping"}


def test_counts_and_single_documents(api):
    """Of several recordings and of one."""
    counts = api.json("count", recording_ids=f"{SEVERAL};{UNKNOWN}")
    assert counts == {SEVERAL: {"count": SUBMISSIONS.count(SEVERAL)}, "mbid_mapping": {}}
    assert api.json(f"{UNKNOWN}/count") == {"mbid": UNKNOWN, "count": 0}
    assert api.json(f"{SEVERAL}/low-level", n=1)["rhythm"]["bpm"] == (
        SUBMISSIONS.submission(SEVERAL, 1).bpm
    )
    assert len(api.json(f"{SEVERAL}/high-level")["highlevel"]) == 18
    assert {*api.json("high-level", recording_ids=SEVERAL)[SEVERAL]} == {"0"}


@pytest.mark.parametrize(
    ("path", "params", "status", "message"),
    [
        ("low-level", {}, 400, "Missing `recording_ids` parameter"),
        ("low-level", {"recording_ids": "x"}, 400, "'x' is not a valid UUID"),
        ("low-level", {"recording_ids": f"{UNKNOWN}:1:2"}, 400, "More than 1 : in"),
        (
            "low-level",
            {"recording_ids": ";".join(f"{UNKNOWN}:{n}" for n in range(26))},
            400,
            "More than 25 recordings not allowed per request",
        ),
        (f"{UNKNOWN}/low-level", {}, 404, "Not found"),
        (f"{SEVERAL}/low-level", {"n": "one"}, 400, "Offset must be an integer value"),
        (f"{SEVERAL}/low-level", {"n": 99}, 404, "Not found"),
        ("elsewhere", {}, 404, "Not found"),
    ],
)
def test_errors_are_messages(api, path, params, status, message):
    """An object with one field."""
    response = api.get(f"api/v1/{path}", **params)
    assert response.status_code == status
    assert {*response.json()} == {"message"}
    assert message in response.json()["message"]


def test_ten_requests_in_ten_seconds(serving):
    """Fixed windows, headers on every response, 429 beyond; the dumps have no limit."""
    clock = FakeClock()
    clock.advance(-clock.monotonic() % 10 + 3)
    options = {"acousticbrainz_rate": Rate(10, 10.0)}
    api = Api(serving(clock, CATALOGUE, **options).sandbox)
    responses = [api.get(f"api/v1/{UNKNOWN}/count") for _ in range(11)]
    assert [response.status_code for response in responses] == [200] * 10 + [429]
    remaining = [int(response.headers["X-RateLimit-Remaining"]) for response in responses]
    assert remaining == [*range(9, -1, -1), 0]
    assert {response.headers["X-RateLimit-Limit"] for response in responses} == {"10"}
    assert responses[-1].headers["X-RateLimit-Reset-In"] == "7"
    reset = int(responses[-1].headers["X-RateLimit-Reset"])
    assert reset == int(clock.now().timestamp()) + 7
    assert "rate limit" in responses[-1].json()["message"]
    assert "Retry-After" not in responses[-1].headers
    assert api.get("dumps/").status_code == 200
    clock.advance(7)
    assert api.get(f"api/v1/{UNKNOWN}/count").status_code == 200


def test_it_can_be_down(serving):
    """500 and no answer at all, in turn; the dumps are on another host."""
    options = {"acousticbrainz": "down", "acousticbrainz_hang": 0.2}
    api = Api(serving(catalogue=CATALOGUE, **options).sandbox)
    assert api.get(f"api/v1/{SEVERAL}/count").status_code == 500
    with pytest.raises(requests.Timeout):
        api.get(f"api/v1/{SEVERAL}/count", timeout=0.05)
    assert api.get("dumps/sha256sums").status_code == 200


def test_faults_are_messages():
    """An unknown error."""
    options = SandboxOptions(faults=faults.parse_faults("500=1"))
    with serve_in_thread(CATALOGUE, options) as running:
        response = Api(running).get(f"api/v1/{SEVERAL}/count")
    assert (response.status_code, response.json()) == (
        500,
        {"message": "An unknown error occurred"},
    )


COLUMNS = {
    "lowlevel": ["average_loudness", "dynamic_complexity", "mfcc_zero_mean"],
    "rhythm": [
        "bpm",
        "bpm_histogram_first_peak_bpm_mean",
        "bpm_histogram_first_peak_bpm_median",
        "bpm_histogram_second_peak_bpm_mean",
        "bpm_histogram_second_peak_bpm_median",
        "danceability",
        "onset_rate",
    ],
    "tonal": ["key_key", "key_scale", "tuning_frequency", "tuning_equal_tempered_deviation"],
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_dumps_are_tables_of_all_submissions(api, kind):
    """CRLF, empty cells, several rows of one MBID."""
    members = api.dump(f"acousticbrainz-lowlevel-features-20220623-{kind}.tar.zst")
    copying, table = members.values()
    assert b"CC0" in copying
    assert table.count(b"\r\n") == table.count(b"\n") == len(ALL) + 1
    header, *rows = csv.reader(io.StringIO(table.decode()))
    assert header == ["mbid", "submission_offset", *COLUMNS[kind]]
    assert [(row[0], row[1]) for row in rows] == [(each.mbid, str(each.offset)) for each in ALL]
    cells = [cell for row in rows for cell in row[2:]]
    assert 0 < cells.count("") / len(cells) < 0.06


def test_dumps_have_sums(api):
    """Of every file, in the format of sha256sum; equal files on every run."""
    sums = dict(
        reversed(line.split("  ")) for line in api.get("dumps/sha256sums").text.splitlines()
    )
    for name, digest in sums.items():
        assert name in api.get("dumps/").text
        assert hashlib.sha256(api.get(f"dumps/{name}").content).hexdigest() == digest
    assert len(sums) == 4
    assert api.get("dumps/other.tar.zst").status_code == 404
    with serve_in_thread(tracks_with_derived_ids(300)) as running:
        assert Api(running).get("dumps/sha256sums").text == api.get("dumps/sha256sums").text


def test_sample_documents(api):
    """One file for each submission, below the first two digits of its MBID."""
    members = api.dump("acousticbrainz-lowlevel-sample-json-20220623-0.tar.zst")
    mbid = ALL[0].mbid
    folder = "acousticbrainz-lowlevel-sample-json-20220623-0/lowlevel"
    assert f"{folder}/{mbid[0]}/{mbid[1]}/{mbid}-0.json" in members
    assert len(members) == 51
