"""Plug-ins made for one test."""

from collections.abc import Callable
from pathlib import Path

import pytest

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution that registers entry points, as pip would."""

    def install(group: str, entries: dict[str, str], code: str = "") -> None:
        site = tmp_path / "site"
        info = site / "made_for_a_test-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: made-for-a-test\nVersion: 1\n"
        )
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        (site / f"plugin_{tmp_path.name}.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))

    return install


@pytest.fixture
def module(tmp_path: Path) -> str:
    """The name of the installed plug-in's module, another for each test."""
    return f"plugin_{tmp_path.name}"
