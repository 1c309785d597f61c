"""AcousticBrainz' dumps, small: three tables of numbers, a sample of documents, SHA-256 sums."""

import csv
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Final

from sandbox import ids
from sandbox.synthetic.essentia_documents import low_level_document
from sandbox.tracks.submissions import SandboxSubmission, SubmissionCatalogue

_FEATURES: Final = "acousticbrainz-lowlevel-features-20220623"
_SAMPLE: Final = "acousticbrainz-lowlevel-sample-json-20220623-0"
SUMS: Final = "sha256sums"
N_SAMPLES: Final = 50
"""Documents of the sample; the real one has 100,000."""
_KINDS: Final[Mapping[str, Sequence[str]]] = {
    "lowlevel": ("average_loudness", "dynamic_complexity", "mfcc_zero_mean"),
    "rhythm": (
        "bpm",
        "bpm_histogram_first_peak_bpm_mean",
        "bpm_histogram_first_peak_bpm_median",
        "bpm_histogram_second_peak_bpm_mean",
        "bpm_histogram_second_peak_bpm_median",
        "danceability",
        "onset_rate",
    ),
    "tonal": ("key_key", "key_scale", "tuning_frequency", "tuning_equal_tempered_deviation"),
}
"""The columns of each table, after the MBID and the submission's number."""
NAMES: Final = (*(f"{_FEATURES}-{kind}.tar.zst" for kind in _KINDS), f"{_SAMPLE}.tar.zst", SUMS)
_EMPTY_SHARE: Final = 0.02
"""Of the cells."""
_COPYING: Final = b"CC0 1.0 Universal\n"


class AcousticBrainzDumps:
    """The files, each made at the first request for one."""

    def __init__(self, submissions: SubmissionCatalogue) -> None:
        self._submissions = submissions

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """Contents by name."""
        tables = self._tables()
        files = {
            f"{_FEATURES}-{kind}.tar.zst": _archive(
                {
                    f"{_FEATURES}/COPYING": _COPYING,
                    f"{_FEATURES}/{_FEATURES}-{kind}.csv": text.encode(),
                }
            )
            for kind, text in tables.items()
        }
        files[f"{_SAMPLE}.tar.zst"] = _archive(dict(self._sample()))
        sums = (f"{hashlib.sha256(content).hexdigest()}  {n}\n" for n, content in files.items())
        files[SUMS] = "".join(sums).encode()
        return files

    def _tables(self) -> dict[str, str]:
        """Return the three tables: all submissions by MBID, lines that end with CRLF."""
        texts = {kind: io.StringIO(newline="") for kind in _KINDS}
        writers = {kind: csv.writer(text, lineterminator="\r\n") for kind, text in texts.items()}
        for kind, columns in _KINDS.items():
            writers[kind].writerow(("mbid", "submission_offset", *columns))
        for submission in self._submissions.all_submissions():
            draws = ids.draws_from_text(f"cells|{submission.mbid}|{submission.offset}", 32)
            for number, (kind, cells) in enumerate(_cells(submission).items()):
                given = (
                    ""
                    if ids.share_from_bytes(draws, 2 * (at + 3 * number)) < _EMPTY_SHARE
                    else cell
                    for at, cell in enumerate(cells)
                )
                writers[kind].writerow((submission.mbid, submission.offset, *given))
        return {kind: text.getvalue() for kind, text in texts.items()}

    def _sample(self) -> Iterator[tuple[str, bytes]]:
        yield f"{_SAMPLE}/COPYING", _COPYING
        for submission in islice(self._submissions.all_submissions(), N_SAMPLES):
            mbid = submission.mbid
            path = f"{_SAMPLE}/lowlevel/{mbid[:1]}/{mbid[1:2]}/{mbid}-{submission.offset}.json"
            document = low_level_document(submission, self._submissions.recordings)
            yield path, json.dumps(document).encode()


def _cells(submission: SandboxSubmission) -> dict[str, tuple[str, ...]]:
    first, second = str(float(round(submission.bpm))), str(submission.bpm_second_peak)
    numbers = {
        "lowlevel": (
            submission.average_loudness,
            submission.dynamic_complexity,
            submission.mfcc_zero,
        ),
        "rhythm": (submission.bpm, submission.danceability, submission.onset_rate),
        "tonal": (submission.tuning_frequency, submission.tuning_deviation),
    }
    texts = {kind: [f"{number:.12g}" for number in values] for kind, values in numbers.items()}
    bpm, *other_rhythm = texts["rhythm"]
    return {
        "lowlevel": tuple(texts["lowlevel"]),
        "rhythm": (bpm, first, first, second, second, *other_rhythm),
        "tonal": (submission.key, submission.scale, *texts["tonal"]),
    }


def _archive(members: Mapping[str, bytes]) -> bytes:
    """Return a `.tar.zst` of the members; the same members give the same bytes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    import pyarrow as pa  # slow to import (0.25 s), and few sandboxes need it

    compressed: bytes = pa.compress(stream.getvalue(), codec="zstd", asbytes=True)
    return compressed
