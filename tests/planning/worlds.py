"""A small world to plan in: the files that exist, by their paths, and the number of processors."""

from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.config.load import LoadedConfig, load_config
from e2e_orchestrator.planning.build import Overrides, build_plan
from e2e_orchestrator.planning.surroundings import Machine


@dataclass(frozen=True)
class World(Machine):
    cpus: int = 4

    def processors(self) -> int:
        return self.cpus


def write(root: Path, config: str, *, files: tuple[str, ...] = ()) -> LoadedConfig:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    (root / "phases.yaml").write_text(config, encoding="utf-8")
    return load_config(root / "phases.yaml", environ={})


def plan_of(root: Path, config: str, *, files: tuple[str, ...] = (), overrides: Overrides | None = None):
    return build_plan(
        write(root, config, files=files), overrides=overrides or Overrides(), surroundings=World(cpus=4)
    )
