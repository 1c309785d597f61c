"""Licences of audio features that imports delivered: all files share one provider.

A file may fill features that another one lacks. So a row has the strictest licence of the imports
that delivered it; NULL if that is unknown. The tempo of AcousticBrainz and of Essentia's
documents has the strictest licence of those that delivered numbers of the track.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from collector.catalogue.import_ledger import BITS, FEATURES_KEY
from genrebase import licences
from genrebase.store import bulk, licence_sql
from genrebase.store.tables import SUBMISSION_PROVIDERS

_LICENCE: Final = f"coalesce(delivery.licence, source.licence, '{licences.UNKNOWN}')"
_DELIVERIES: Final = """
    import_track delivery JOIN imported_file file ON file.id = delivery.import_id
    LEFT JOIN data_source source ON source.name = file.origin
"""
_DELIVERED: Final = f"""
    {_DELIVERIES} WHERE delivery.track_id = audio_features.track_id
    AND delivery.delivered & {BITS[FEATURES_KEY]} <> 0
"""
_LICENCE_OF_ORIGIN: Final = f"coalesce(source.licence, '{licences.UNKNOWN}')"
_SUBMITTED: Final = """
    acousticbrainz_recording recording
    LEFT JOIN data_source source ON source.name = recording.origin
    WHERE recording.track_id = audio_features.track_id
    AND recording.provider = audio_features.provider
"""


def recompute(
    connection: Connection, provider: str, track_ids: Sequence[int], *, only_known: bool = False
) -> None:
    """Recompute the licences of these tracks' features by the provider of files.

    `only_known` leaves out unknown ones, which stay unknown if another unknown one is added.
    """
    condition = " AND licence IS NOT NULL" if only_known else ""
    statement = f"{_statement(provider)}{condition} AND track_id"
    bulk.execute_in(connection, statement, track_ids, provider)


def recompute_of_origin(connection: Connection, origin: str) -> None:
    """Recompute the licences of the features that imports of an origin delivered."""
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    provider = origin.partition(":")[0]
    tracks = f"""
        SELECT delivery.track_id FROM {_DELIVERIES}
        WHERE file.origin = {mark} AND delivery.delivered & {BITS[FEATURES_KEY]} <> 0
    """
    if provider in SUBMISSION_PROVIDERS:
        tracks = f"SELECT track_id FROM acousticbrainz_recording WHERE origin = {mark}"
    statement = f"{_statement(provider).format(mark=mark)} AND track_id IN ({tracks})"
    connection.exec_driver_sql(statement, (provider, origin))


def _statement(provider: str) -> str:
    is_submitted = provider in SUBMISSION_PROVIDERS
    strictness = licence_sql.strictness(_LICENCE_OF_ORIGIN if is_submitted else _LICENCE)
    return f"""
        UPDATE audio_features SET licence = (
            SELECT nullif(substr(max({strictness}), 2), '{licences.UNKNOWN}')
            FROM {_SUBMITTED if is_submitted else _DELIVERED}
        )
        WHERE provider = {{mark}}
    """
