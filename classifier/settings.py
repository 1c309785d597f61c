"""Settings of the classifier, from the environment and `.env`."""

from typing import Final, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from classifier.training_config import MAX_SEED, MIN_TRACKS_PER_GENRE
from genrebase.runtime import plugins
from genrebase.runtime.addresses import ListenSetting
from genrebase.settings import MAX_COUNT, MAX_SECONDS, EnvironmentSettings

ESTIMATORS_GROUP: Final = "classifier.estimators"
"""The entry-point group of estimators."""


class ClassifierSettings(EnvironmentSettings):
    """The classifier's settings, read from the environment and `.env`, prefix `CLASSIFIER_`."""

    model_config = SettingsConfigDict(env_prefix="CLASSIFIER_")

    schedule: str = Field(
        default="0 3 * * *",
        description="When `classifier run` trains: a cron expression and, optionally, a time zone "
        "(`0 3 * * * Europe/Berlin`); UTC without one.",
    )
    look_every: float = Field(
        default=60.0,
        gt=0,
        le=MAX_SECONDS,
        description="Seconds between two checks of `classifier run` for tracks to predict and "
        "for enough new labelled tracks to train on.",
    )
    new_tracks: int = Field(
        default=1000,
        ge=0,
        le=MAX_COUNT,
        description="`classifier run` also trains when at least this many labelled tracks have "
        "been added since the last training, and at least a fifth of the tracks of that training. "
        "0: after the first training, it trains on schedule only.",
    )
    feature_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the labelled tracks that must have audio features before the first "
        "training of `classifier run`. The wait ends when no data have arrived for ten "
        "minutes, or when a scheduled training is due. 0: no wait.",
    )
    refit: bool = Field(
        default=True,
        description="Whether `classifier run` trains a refit of each champion, also on its test "
        "tracks, for predictions of music outside the database.",
    )
    estimator: str = Field(
        default="blend",
        description="The estimator that `classifier train` uses by default.",
    )
    licence: Literal["any", "noncommercial", "open"] = Field(
        default="any",
        description="Default of `--licence`: train only on labels and features under licences of "
        "this class: `open`, `noncommercial` (open and non-commercial licences) or `any`. "
        "If it is not set, `classifier run` uses that of the champion.",
    )
    min_level: Literal["artist", "release", "recording"] = Field(
        default="artist",
        description="Default of `--min-level`. `recording`: use only labels of the recording; "
        "`release`: also labels of its release; `artist`: also labels of its artist.",
    )
    min_tracks: int = Field(
        default=MIN_TRACKS_PER_GENRE,
        ge=2,
        le=MAX_COUNT,
        description="A genre with fewer labelled tracks is left out of a training.",
    )
    tracks_per_genre: int | None = Field(
        default=None,
        ge=2,
        le=MAX_COUNT,
        description="Default of `--tracks-per-genre`: the maximum number per genre of training "
        "tracks, of validation tracks of unseen artists, and of test tracks of unseen artists; "
        "empty: no limit. `classifier learning-curve` prints the number of tracks beyond which "
        "more tracks bring no measurable gain.",
    )
    pool_siblings: bool = Field(
        default=False,
        description="Default of `--pool-siblings`: predict tracks of unseen artists together with "
        "the artist's other tracks.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,  # threads cost memory, and no computer has so many cores
        description="Threads to compute with; default: the cores available to this process.",
    )
    deadline: float = Field(
        default=3600.0,
        gt=0,
        le=MAX_SECONDS,
        description="Seconds after which `classifier run` stops a training.",
    )
    niceness: int = Field(
        default=10,
        ge=0,
        le=19,
        description="The niceness of a scheduled training (on systems with `nice`).",
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=MAX_SEED,
        description="Random seed of training and evaluation.",
    )
    models_remembered: int = Field(
        default=50,
        ge=1,
        le=MAX_COUNT,
        description="Number of latest models per task that keep their metrics; older ones "
        "keep the main metrics. (50: seven weeks of daily training; a former "
        "champion of 114 genres has 0.5 MB of metrics.)",
    )
    http: ListenSetting = Field(
        default=None,
        description="Where `classifier run` serves `/healthz` and `/metrics`: `PORT` "
        "(loopback, such as 9465) or `HOST:PORT`; empty: not served.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Minimum level of the log lines of `classifier run`."
    )

    signing_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="A secret of at least 16 characters that signs models. A model that was "
        "changed in the database is refused, even if its checksum was changed, too. All programs "
        "that train or predict need it.",
    )

    @field_validator("schedule")
    @classmethod
    def _is_schedule(cls, text: str) -> str:
        from genrebase.runtime.schedule import Cron, InvalidSchedule  # imports apscheduler

        try:
            Cron(text)
        except InvalidSchedule as error:
            raise ValueError(str(error).removesuffix(".")) from None
        return text

    @field_validator("estimator")
    @classmethod
    def _is_estimator(cls, name: str) -> str:
        if message := plugins.unknown_message(ESTIMATORS_GROUP, name):
            raise ValueError(message.removesuffix("."))
        return name

    def scheduled_licence(self, champion_licence: str | None) -> str:
        """Return the `--licence` of the trainings of `classifier run`.

        Where `licence` is not set, it is the champion's: a model that was trained under a wider
        one does not replace it. `champion_licence` is None without a champion.
        """
        is_set = "licence" in self.model_fields_set
        return self.licence if is_set or champion_licence is None else champion_licence
