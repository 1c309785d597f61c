"""`genrebase demo`: the main job from the first genre to the last prediction, then it ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from genrebase.launcher import commands, genres, open_hints, sample_queries, sandbox
from genrebase.launcher.database_location import Place
from genrebase.launcher.supervisor import Command
from genrebase.runtime import queries
from genrebase.runtime.clock import Clock
from genrebase.runtime.console import Output
from genrebase.runtime.shutdown import Stop
from genrebase.store import connect, schema

FILE: Final = "sandbox-demo.db"
_RATE: Final = "6000/30s"
"""The sandbox's limit and ours for the demo, so that nobody waits. No measure for Spotify."""
_FROM_STATUS: Final = (
    "origin",
    "invented",
    "tracks",
    "sightings",
    "requests",
    "with_features",
    "genres",
)


@dataclass(frozen=True, slots=True)
class Done:
    """One step that has been taken."""

    name: str
    answer: Mapping[str, Any] | None
    """What the command answered; None when there was nothing to do."""
    seconds: float


class Demo:
    """The steps, in order; each says that it begins and what it brought."""

    def __init__(
        self,
        place: Place,
        output: Output,
        clock: Clock,
        stop: Stop,
        *,
        log_level: str = "WARNING",
    ) -> None:
        self._place, self._output, self._clock, self._stop = place, output, clock, stop
        self._environment: dict[str, str] = {
            "STORE_URL": place.url,
            "COLLECTOR_RATE": _RATE,
            "COLLECTOR_RECCOBEATS_RATE": _RATE,
            "GENREBASE_LOG_LEVEL": log_level,
        }

    def run(self, target: int, catalogue: str | None) -> dict[str, Any]:
        """Take every step; return the summary. Raises `StepFailed` or `Stopped`."""
        began = self._clock.monotonic()
        what = f"the catalogue {catalogue}" if catalogue else sandbox.INVENTED
        self._output.say(f"The sandbox serves {what}. Everything goes into {self._place.shown}.")
        schema.upgrade(self._place.url)
        with sandbox.running(sandbox.command(catalogue, rate=_RATE)) as served:
            self._environment |= sandbox.client_environment(served.url)
            self._genres(target)
            taken = [
                self._step("harvest", "collector", "harvest"),
                self._step("enrich", "collector", "enrich"),
                self._step("train", "classifier", "train"),
                self._step("predict", "classifier", "predict"),
            ]
            status = self._ask_quietly("collector", "status")
            models = self._ask_quietly("classifier", "models")
        summary = self._summary(taken, status, models)
        return summary | {"seconds": round(self._clock.monotonic() - began, 1)}

    def _genres(self, target: int) -> None:
        known = genres.known(self._environment, self._stop)
        if known:
            genres.raise_targets(self._environment, self._stop, known, target)
        else:
            genres.seed(self._environment, self._stop, target)

    def _step(self, name: str, module: str, *arguments: str) -> Done:
        self._output.say(f"{name} …")
        began = self._clock.monotonic()
        answer = self._ask(module, *arguments)
        seconds = self._clock.monotonic() - began
        self._output.say(f"{name} took {seconds:.1f} s.")
        return Done(name, answer, seconds)

    def _ask(self, module: str, *arguments: str) -> Any:
        return commands.ask(self._command(module, *arguments), self._stop)

    def _ask_quietly(self, module: str, *arguments: str) -> Any:
        return commands.ask_quietly(self._command(module, *arguments), self._stop)

    def _command(self, module: str, *arguments: str) -> Command:
        return Command(module, (*arguments, "--json"), self._environment)

    def _summary(self, taken: list[Done], status: Any, models: Any) -> dict[str, Any]:
        champion = next((one for one in models if one["status"] == "champion"), None)
        return {
            "database": self._place.shown,
            **{name: status[name] for name in _FROM_STATUS},
            "steps": [
                {"name": one.name, "seconds": round(one.seconds, 1), "answer": one.answer}
                for one in taken
            ],
            "champion": champion,
            "questions": self._questions(),
            "open": dict(open_hints.lines(self._place.shown, self._place.file)),
        }

    def _questions(self) -> list[dict[str, Any]]:
        engine = connect(self._place.url)
        try:
            return [
                {"question": one.asked, "sql": one.sql, "answer": queries.ask(engine, one.sql)}
                for one in sample_queries.QUESTIONS
            ]
        finally:
            engine.dispose()
