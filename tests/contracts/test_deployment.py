"""What docker-compose.yml and the Dockerfile hand on to the containers."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from genrebase.runtime.settings_check import settings_classes

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OURS = ("migrate", "collector", "classifier", "web", "worker")
DATABASE = "STORE_URL"
"""The one setting that the file decides: the database is the container beside."""


def test_every_setting_of_env_reaches_our_containers() -> None:
    """Through `env_file`; what `environment` names can only repeat a variable of that name."""
    settings = {name for one in settings_classes() for name in one.variables()}
    for service in OURS:
        definition = COMPOSE["services"][service]
        assert definition["env_file"] == [{"path": ".env", "required": False}]
        overridden = definition["environment"].keys() & settings - {DATABASE}
        for name in overridden:
            assert re.match(rf"\$\{{{name}[:}}]", definition["environment"][name])


def test_the_web_pages_need_a_token_and_are_published_on_the_loopback() -> None:
    """Others reach them through a proxy that people set up themselves."""
    web = COMPOSE["services"]["web"]
    assert web["environment"]["SERVE_TOKEN"].startswith("${SERVE_TOKEN:?")
    assert all(port.startswith("127.0.0.1:") for port in web["ports"])


def test_the_image_has_the_extras_that_commands_need() -> None:
    """Plots and audio files work in a container; torch would triple its size."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (extras,) = re.findall(r'pip install .*"\.\[(.*)\]"', text)
    assert set(extras.split(",")) == {"postgres", "plot", "audio", "distributed"}


def test_the_scheduler_can_be_reached_by_containers_only() -> None:
    """It executes what clients send to it; the database's password is not its business."""
    services = COMPOSE["services"]
    for name in ("scheduler", "worker"):
        assert services[name]["profiles"] == ["distributed"]
        assert "ports" not in services[name]
    assert not {"environment", "env_file"} & services["scheduler"].keys()


def test_the_image_copies_what_the_wheel_needs() -> None:
    """Every folder that the build configuration names is copied, and not ignored."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = set(
        re.findall(r"[\w.]+", " ".join(re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE)))
    )
    for name in (
        "genrebase",
        "collector",
        "classifier",
        "sandbox",
        "web",
        "migrations",
        "pyproject.toml",
    ):
        assert name in copied
        assert f"!{name}" in ignored


def test_every_dependency_is_pinned() -> None:
    """`make` and the image install the same versions everywhere; torch has a file of its own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"]]
    declared += [one for name in extras if name != "deep" for one in extras[name]]
    names = {canonicalize_name(Requirement(one).name) for one in declared} - {"genrebase"}
    pinned: dict[str, list[Requirement]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            pinned.setdefault(canonicalize_name(pin.name), []).append(pin)
    assert names <= pinned.keys()
    for one in declared:
        requirement = Requirement(one)
        for pin in pinned.get(canonicalize_name(requirement.name), ()):
            (version,) = (part.version for part in pin.specifier)
            assert requirement.specifier.contains(version), one
