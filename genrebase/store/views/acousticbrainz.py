"""AcousticBrainz' features of each track, on their own scales."""

from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, case, func, literal_column, select

from genrebase import licences
from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

_SUBMISSIONS: Final = {
    f"{group}_submissions": description
    for group, description in {
        "lowlevel": "Submissions with loudness, dynamics or MFCC.",
        "rhythm": "Submissions with tempo, danceability or onset rate.",
        "tonal": "Submissions with key or tuning.",
        "strength": "Submissions with a key strength; the CSV dumps have none.",
    }.items()
}

_NUMBERS: Final = {
    "average_loudness": "Loudness, 0 (quiet, or with a wide dynamic range) to 1; not in dB.",
    "dynamic_complexity": "Mean deviation from the average loudness, in dB; mostly 1 to 15.",
    "mfcc_zero_mean": "Mean of the first cepstral coefficient (overall energy); about -1100 to "
    "-600.",
    "bpm": "Tempo, beats per minute.",
    "bpm_first_peak": "The strongest tempo in the histogram of beat intervals, BPM.",
    "bpm_second_peak": "The second strongest tempo in the histogram of beat intervals, BPM.",
    "danceability": "Danceability by detrended fluctuation analysis, 0 to about 3; not Spotify's.",
    "onset_rate": "Onsets per second.",
    "tuning_frequency": "Frequency of the tone A in Hz.",
    "tuning_deviation": "Deviation from equal temperament, 0 to about 0.5.",
    "key_strength": "How well the key fits, at most 1. Below 0.7 the key is often a fifth "
    "away from that of another provider.",
}


def _key(recording: FromClause) -> ColumnElement[str]:
    """Return what identifies a row of a track: DuckDB compares no tuples with a subquery's."""
    columns = recording.c
    return columns.provider + " " + columns.recording_id + " " + columns.origin


@view(
    "One row per track with features of AcousticBrainz, or of a document of Essentia's extractor. "
    "Their scales differ from those of `audio_features`. If several recordings belong to a track, "
    "features of AcousticBrainz take precedence over those of your own documents. If a "
    "provider has several recordings of the track, the view shows the one with the largest "
    "`rhythm_submissions`.",
    {
        "track_id": shared.TRACK_REFERENCE["track_id"],
        "provider": "acousticbrainz; or essentia, for documents that AcousticBrainz did not "
        "publish.",
        "recording_id": "The recording's MusicBrainz ID, or else `md5:…`, the hash of the audio.",
        "origin": "The import that delivered the features, or acousticbrainz for its API.",
        **_SUBMISSIONS,
        **{
            name: text
            for number, description in _NUMBERS.items()
            for name, text in {
                number: f"{description} The lower median of the submissions.",
                f"{number}_range": f"The largest {number} of the submissions minus the smallest; "
                "NULL if there is one submission.",
            }.items()
        },
        "key": "The most frequent pitch class, 0 (C) to 11 (B); equal to Spotify's key for only "
        "a third of the tracks.",
        "mode": "1 is major, 0 is minor.",
        "key_share": "Share of the submissions with this key and mode, 0 to 1.",
        "fetched_at": "When the features last changed.",
        "licence": "The licence of the features: that of their origin (`data_sources`).",
    },
)
def acousticbrainz_features(_providers: Providers) -> Select[Any]:
    recording, source = tables.acousticbrainz_recording, tables.data_source
    other = recording.alias("other")
    submissions = [other.c[name] for name in _SUBMISSIONS]
    first = (
        select(_key(other))
        .where(other.c.track_id == recording.c.track_id)
        .order_by(
            case((other.c.provider == tables.ACOUSTICBRAINZ_PROVIDER, 0), else_=1),
            other.c.rhythm_submissions.desc(),
            (submissions[0] + submissions[1] + submissions[2] + submissions[3]).desc(),
            other.c.recording_id,
            other.c.provider,
            other.c.origin,
        )
        .limit(literal_column("1"))
        .correlate(recording)
        .scalar_subquery()
    )  # no row_number(): for one page it would rank the rows of all later tracks
    known = case((recording.c.provider == tables.ACOUSTICBRAINZ_PROVIDER, "cc0"))
    licence = func.coalesce(source.c.licence, known, licences.UNKNOWN)
    numbers = [recording.c[f"{name}{end}"] for name in _NUMBERS for end in ("", "_range")]
    return (
        select(
            *shared.columns(recording, "track_id provider recording_id origin"),
            *(recording.c[name] for name in _SUBMISSIONS),
            *numbers,
            *shared.columns(recording, "key mode key_share fetched_at"),
            licence.label("licence"),
        )
        .select_from(recording.outerjoin(source, source.c.name == recording.c.origin))
        .where(_key(recording) == first)
    )
