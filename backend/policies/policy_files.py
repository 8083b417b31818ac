"""The files of one policy's folder, kept open for checks that name lines."""

from __future__ import annotations

from dataclasses import dataclass

from backend.kernel.yaml_file import YamlFile


@dataclass(frozen=True)
class PolicyFiles:
    """The files of one folder, for checks that name lines."""

    folder: str
    document: YamlFile
    clauses: YamlFile
    readings: YamlFile
    parameters: YamlFile
    benefits: YamlFile
    entitlements: YamlFile
    services: YamlFile
