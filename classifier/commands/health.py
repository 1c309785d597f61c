"""The command `classifier health`."""

from typing import Annotated

import typer

from classifier.settings import ClassifierSettings
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output
from genrebase.runtime.monitoring import HealthTarget, report_health


def health(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Check `classifier run` over CLASSIFIER_HTTP, or in the database if it is unset.

    Exit code 0 if healthy, else 1.

    Examples:
      classifier health
    """

    def target() -> HealthTarget:
        from classifier.daemon.metrics import TrainerHealth  # imports pandas
        from genrebase.store import connect

        return TrainerHealth(connect(), SystemClock())

    report_health(Output(as_json=as_json), ClassifierSettings.load().http, target)
