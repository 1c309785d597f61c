"""Rename columns to standard terms, and reword comments.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RENAMED = (
    ("experiment", "choice", "training_config"),
    ("model", "choice", "training_config"),
    ("model", "probes", "golden_rows"),
    ("model", "crowned_at", "promoted_at"),
    ("sound_file", "heard_as", "descriptor_schema"),
)
COMMENTS = {
    "genre.name": "the search term, byte for byte",
    "genre.target": "tracks to collect; NULL: filled by imports only",
    "genre_playlist.snapshot_id": "the version last read completely",
    "track.genre_id": "the claim: the one genre it counts for",
    "track.origin": "the source that delivered it first",
    "track.split": "its split in a published dataset",
    "track.updated_at": "when its metadata last changed",
    "sighting.best_rank": "0 is the first search result",
    "feature_attempt.next_at": "time of the next request; NULL: none",
    "experiment.fingerprint": "of question, data and code; finds an experiment to resume",
    "experiment.finished_at": "NULL: some trials are missing",
    "experiment.question": "the configurations to try",
    "experiment.origin": "the synthetic catalogue it ran on; NULL: a real one",
    "trial.per_genre": "maximum training tracks per genre; NULL: all",
    "trial.binary_genre": "positive class of a one-vs-rest model; NULL: multi-class",
    "trial.key": "identifies it within its experiment",
    "trial.seconds": "of training and prediction",
    "trial.training_score": "accuracy on training tracks",
    "trial.score": "on validation tracks, the selection criterion; NULL: none",
    "feature_importance.loss": "increase of the log loss",
    "clustering.tracks": "tracks that were clustered",
    "clustering.noise": "tracks without a cluster",
    "cluster_member.cluster": "0 is the largest, -1: noise",
    "genre_separability.auc": "0.5: not separable; 1: perfectly separable",
    "shard.query": "the search query, byte for byte",
    "shard.head": "rows at the beginning that are read last",
    "shard.end_offset": "end of its rows, while its head is read",
    "shard.promised": "new tracks expected on the next page; NULL: a full page",
    "source_budget.ceiling": "learned limit in requests per window; NULL: none",
    "source_budget.refusals": "responses with status 429",
    "source_budget.banned_seconds": "in total",
    "model.origin": "the synthetic catalogue it was trained on; NULL: a real one",
    "model.golden_rows": "20 rows and their probabilities, to check the artifact",
    "model.parent_id": "of a refit: the evaluated model whose metrics it reports",
    "prediction.in_training": "predicted out of fold",
    "section.tempo_ratio": "its tempo divided by the track's",
    "sound_summary.degrees": "distinct degrees",
    "progression.confidence": "of its keys, 0..1",
    "sound_matrix.version": "of computation and packing",
    "sound_file.descriptor_schema": "the descriptor schema it was analysed with",
    "sound_file.digest": "hash of the decoded audio",
}


def upgrade() -> None:
    for table, old, new in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")  # without a rebuild
    if op.get_bind().dialect.name == "postgresql":  # SQLite stores no comments
        for column, comment in COMMENTS.items():
            quoted = sa.literal(comment).compile(compile_kwargs={"literal_binds": True})
            op.execute(f"COMMENT ON COLUMN {column} IS {quoted}")


def downgrade() -> None:
    """Keep the reworded comments."""
    for table, old, new in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")
