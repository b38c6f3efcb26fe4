"""What the documents say is so: settings, dependencies, commands, pinned images, and no names of other machines."""

import re
import subprocess
import tomllib
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from assistant.cli import app
from storage.settings import Settings
from tests.data import REPOSITORY


def read(name: str) -> str:
    return (REPOSITORY / name).read_text()


def test_every_setting_is_listed_and_nothing_else() -> None:
    listed = set(re.findall(r"^\| `(LYCEUM_\w+)`", read("docs/settings.md"), re.MULTILINE))
    assert listed == {f"LYCEUM_{name.upper()}" for name in Settings.model_fields}


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    names = {re.split(r"[\[<>=]", line)[0] for line in project["dependencies"]}
    table = read("docs/dependencies.md")
    assert not [name for name in names if not re.search(rf"\b{re.escape(name)}\b", table)]


def test_every_command_of_the_readme_exists() -> None:
    commands = set(re.findall(r"\blyceum (\w+)", read("README.md")))
    known = CliRunner().invoke(app, ["--help"]).output
    assert not [command for command in commands if command not in known]


def test_the_lock_files_name_no_address_and_hash_everything() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = [line for line in read(name).splitlines() if not line.startswith("#")]
        assert not [line for line in lines if "://" in line or "index-url" in line]
        pins = [line for line in lines if "==" in line]
        assert sum("--hash=sha256:" in line for line in lines) >= len(pins) > 100
    assert '"resolved"' not in read("widget/package-lock.json")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))
    return loaded


def test_every_image_is_pinned_to_one_version(compose: dict[str, Any]) -> None:
    images = [service["image"] for service in compose["services"].values()]
    images += re.findall(r"^FROM (\S+)", read("Dockerfile"), re.MULTILINE)
    assert images
    assert not [image for image in images if not re.search(r":\d+\.\d+(\.\d+)?(-\w+)*$", image)]


def test_the_composition_is_whole(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {"api", "worker", "migrate", "postgres", "valkey", "chroma"} == set(services)
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (REPOSITORY / source).exists()
    for name in services["api"]["environment"]:
        assert name.removeprefix("LYCEUM_").lower() in Settings.model_fields
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_variable_of_the_composition_is_in_the_example() -> None:
    required = set(re.findall(r"\$\{(\w+):\?\}", read("docker-compose.yml")))
    offered = set(re.findall(r"^(\w+)=", read("deploy/example.env"), re.MULTILINE))
    assert required <= offered


def test_the_script_that_makes_the_roles_is_valid_shell() -> None:
    subprocess.run(["sh", "-n", str(REPOSITORY / "deploy" / "roles.sh")], check=True)


def test_links_between_documents_lead_somewhere() -> None:
    for document in [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} → {target}"
