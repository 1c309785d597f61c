"""All tables, one module per family. Users' SQL depends on the column names."""

from genrebase.store.tables.acousticbrainz import (
    ACOUSTICBRAINZ_PROVIDER,
    ESSENTIA_PROVIDER,
    SUBMISSION_NUMBERS,
    SUBMISSION_PROVIDERS,
    SUBMISSION_RANGES,
    acousticbrainz_recording,
)
from genrebase.store.tables.audio_analysis import (
    DEGREE_COLUMNS,
    MATRIX_KINDS,
    PITCH_COLUMNS,
    TIMBRE_COLUMNS,
    descriptor,
    descriptor_schema,
    progression,
    section,
    sound_file,
    sound_matrix,
    sound_summary,
)
from genrebase.store.tables.catalogue import (
    ALL_FEATURES,
    AUDIO_PROVIDER,
    CATEGORICAL_FEATURES,
    DELIVERABLE,
    FEATURE_RANGES,
    FEATURES,
    INCOMPARABLE_FEATURES,
    OWN_SCALE_FEATURES,
    SIDES,
    artist,
    audio_features,
    catalogue_origin,
    data_source,
    feature_attempt,
    feature_order,
    genre,
    genre_mapping,
    genre_playlist,
    identity_lock,
    import_sighting,
    import_track,
    imported_file,
    merged_track,
    sighting,
    track,
    track_alias,
    track_artist,
    verdict,
    vocabulary,
)
from genrebase.store.tables.columns import UtcDateTime, as_driver_datetime, metadata
from genrebase.store.tables.digests import digest
from genrebase.store.tables.downloads import (
    audio_download,
    audio_item,
    audio_item_genre,
)
from genrebase.store.tables.experiments import (
    experiment,
    training_epoch,
    trial,
    trial_metric,
)
from genrebase.store.tables.findings import (
    cluster_member,
    clustering,
    feature_importance,
    genre_separability,
    genre_trait,
    track_match,
)
from genrebase.store.tables.harvest import (
    ALL_YEARS,
    CLOSED_SHARDS,
    JOB_OUTCOMES,
    REQUESTED_JOBS,
    WHOLE_SHARDS,
    budget_slot,
    daemon,
    job_request,
    job_run,
    range_lease,
    shard,
    source_budget,
)
from genrebase.store.tables.models import (
    PREDICTIONS_PER_TRACK,
    REGIMES,
    confusion,
    model,
    model_comparison,
    model_metric,
    prediction,
)
from genrebase.store.tables.search import search_due, search_text

MODEL_DETAIL_TABLES = (model_metric, training_epoch, feature_importance, genre_separability)
"""What is stored per model besides predictions and confusion matrices."""

DERIVED_TABLES = (digest, search_text, search_due, daemon)
"""What is computed from other tables and can be computed again, and the daemons of a database:
`copy` leaves it out."""
