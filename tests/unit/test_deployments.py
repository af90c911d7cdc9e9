"""`deployments/`: what the image, compose.yaml and the manifests promise, as far as it shows without Docker."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = ROOT / "deployments"
DOCKERFILE = (DEPLOYMENTS / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    line
    for line in DOCKERFILE.replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]  # fmt: skip
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOYMENTS / "compose.yaml").read_text(encoding="utf-8"))
DEFINITIONS: dict[str, Any] = yaml.safe_load((DEPLOYMENTS / "prefect.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if name != "postgres"}
MANIFESTS = [
    pytest.param(document, id=f"{path.stem}, {document['kind']}")
    for path in sorted((DEPLOYMENTS / "k8s").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
SECRET = re.compile(r"password|secret|token|auth_string|database_url|suppression_key", re.IGNORECASE)
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pods() -> list[dict[str, Any]]:
    found = [manifest.values[0] for manifest in MANIFESTS]
    return [
        document["spec"]["template"]["spec"]
        for document in found
        if isinstance(document, dict) and "template" in document.get("spec", {})
    ]


def runtime(*extras: str) -> str:
    program = [sys.executable, DEPLOYMENTS / "runtime_requirements.py", *(f"--extra={extra}" for extra in extras)]
    return subprocess.run(program, capture_output=True, text=True, check=True).stdout


def pinned(text: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE))


@pytest.mark.parametrize("extras", [(), ("dask",), ("ray",), ("dask", "ray")], ids=str)
def test_the_image_gets_what_runs_with_its_hashes(extras: tuple[str, ...]) -> None:
    """Every part that a kept part needs is kept; entries are those of the lock, to the letter."""
    text = runtime(*extras)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 80 and all(entry in LOCK and "--hash=sha256:" in entry for entry in entries)
    kept = pinned(text)
    assert [
        entry
        for entry in re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)
        if entry.split("==")[0] in kept and entry not in text
    ] == []
    asked = [*PROJECT["dependencies"], *(text for name in extras for text in PROJECT["optional-dependencies"][name])]
    waiting = [Requirement(text) for text in asked]
    seen: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        key = f"{name}{sorted(wanted.extras)}"
        if key in seen or (
            wanted.marker and not any(wanted.marker.evaluate({"extra": e}) for e in ("", *wanted.extras))
        ):
            continue
        seen.add(key)
        assert name in kept, name
        for line in requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in ("", *wanted.extras)):
                needed.marker = None
                waiting.append(needed)


@pytest.mark.parametrize("tool", ["pytest", "ruff", "moto", "playwright", "uv", "hypothesis"])
def test_the_image_gets_no_tools(tool: str) -> None:
    assert tool in pinned(LOCK) and tool not in pinned(runtime("dask", "ray"))


def test_the_image_is_built_from_what_is_there() -> None:
    copied = [line.split()[1:-1] for line in INSTRUCTIONS if line.startswith("COPY") and "--from" not in line]
    sources = {name for names in copied for name in names}
    assert {"requirements.lock", "config", "sql", "sluice", "tasks", "flows", "deployments"} <= sources
    assert [name for name in sources if not (ROOT / name).exists()] == []
    ignored = (DEPLOYMENTS / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*" and "deployments/secrets" in ignored
    assert [name for name in sources if f"!{name.split('/')[0]}" not in ignored] == []


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret() -> None:
    words = [line.split()[0] for line in INSTRUCTIONS]
    assert words.count("FROM") == 2 and "ADD" not in words
    assert all(
        re.fullmatch(r"FROM python:3\.\d+-slim-[a-z]+( AS build)?", line)
        for line in INSTRUCTIONS
        if line.startswith("FROM")
    )
    last = words[len(words) - words[::-1].index("FROM") :]
    assert last.index("USER") > last.index("COPY") and re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE)
    assert not any(SECRET.search(line) for line in INSTRUCTIONS if line.startswith(("ENV", "ARG")))
    assert "STOPSIGNAL SIGTERM" in INSTRUCTIONS
    assert (DEPLOYMENTS / "entrypoint.sh").stat().st_mode & 0o111


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_says_how_it_lives(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert all(volume.split(":")[0] in COMPOSE["volumes"] or volume.startswith("./") for volume in service["volumes"])
    assert service["restart"] in ("unless-stopped", "on-failure:5")
    awaited = {
        need
        for other in SERVICES.values()
        for need, how in other.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert "healthcheck" in service or name not in awaited
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert not service.get("privileged") and service.get("network_mode") is None


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_told_secrets_by_file(name: str) -> None:
    for variable, text in SERVICES[name].get("environment", {}).items():
        if SECRET.search(variable):
            assert variable.endswith("_FILE") and text.startswith("/run/secrets/")
            assert text.removeprefix("/run/secrets/") in SERVICES[name]["secrets"]


def test_the_entry_point_knows_every_secret_of_ours() -> None:
    known = (DEPLOYMENTS / "entrypoint.sh").read_text(encoding="utf-8")
    files = {name for service in OURS.values() for name in service["environment"] if name.endswith("_FILE")}
    assert [name for name in files if not re.search(rf"\b{name.removesuffix('_FILE')}\b", known)] == []


def test_the_entry_point_says_which_secret_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://sluice@db.example/leads\n")
    program = [DEPLOYMENTS / "entrypoint.sh", "sh", "-c", 'printf %s "$SLUICE_DATABASE_URL"']
    for file, code, said in (
        ("url", 0, "postgresql://sluice@db.example/leads"),
        ("none", 3, "SLUICE_DATABASE_URL_FILE"),
    ):
        ran = subprocess.run(
            program,
            env={"PATH": "/usr/bin:/bin", "SLUICE_DATABASE_URL_FILE": str(tmp_path / file)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == code and said in ran.stdout + ran.stderr


def test_secrets_are_made_once_and_for_their_owner(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    for _ in range(2):
        subprocess.run([DEPLOYMENTS / "secrets.sh", folder], check=True, capture_output=True)
        made = {path.name: path.read_text() for path in folder.iterdir()}
        assert set(made) == set(COMPOSE["secrets"])
        assert folder.stat().st_mode & 0o777 == 0o700
    assert re.fullmatch(r"[0-9a-f]{48}", made["postgres_password"])
    assert made["database_url"] == f"postgresql://sluice:{made['postgres_password']}@postgres:5432/leads"
    assert made["ui_password"].startswith("sluice:") and made["postgres_password"] not in made["ui_password"]


@pytest.mark.parametrize("document", MANIFESTS)
def test_a_manifest_is_one(document: dict[str, Any]) -> None:
    assert {"apiVersion", "kind", "metadata"} <= set(document)
    assert document["kind"] != "Secret"


@pytest.mark.parametrize("pod", [pytest.param(pod, id=pod["containers"][0]["name"]) for pod in pods()])
def test_a_pod_is_closed_and_is_told_secrets_by_reference(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert ":" in container["image"] and not container["image"].endswith(":latest")
        assert {mount["name"] for mount in container["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}
        for variable in container["env"]:
            assert bool(SECRET.search(variable["name"])) is ("valueFrom" in variable)


def test_a_door_of_compose_is_there_for_a_proxy() -> None:
    """It is reached from its host only, needs no Prefect, and is well when what is posted would be stored."""
    door = SERVICES["door"]
    assert door["command"] == ["sluice", "api", "--host", "0.0.0.0", "--port", "4280"]
    assert door["ports"] == ["127.0.0.1:4280:4280"] and door["secrets"] == ["database_url"]
    assert "http://127.0.0.1:4280/ready" in door["healthcheck"]["test"][-1]
    assert set(door["depends_on"]) == {"migrate"}
    assert not any(name.startswith("PREFECT_") for name in door["environment"])
    assert "SLUICE_TRUSTED_PROXIES" in door["environment"]
    assert set(door["volumes"]) == set(SERVICES["worker"]["volumes"]), "secrets of sources lie in the home they share"


def test_a_door_of_kubernetes_is_reached_by_its_service_as_soon_as_it_can_store() -> None:
    service, deployment = yaml.safe_load_all((DEPLOYMENTS / "k8s" / "door.yaml").read_text(encoding="utf-8"))
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert deployment["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert service["spec"].get("type", "ClusterIP") == "ClusterIP", "a proxy with TLS stands before it"
    (port,), (open_at,) = service["spec"]["ports"], container["ports"]
    assert port["targetPort"] == open_at["name"] and str(open_at["containerPort"]) in container["args"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": open_at["name"]}
    assert container["livenessProbe"]["httpGet"] == {"path": "/health", "port": open_at["name"]}


@pytest.mark.parametrize("part", ["door", "worker"])
def test_a_pod_that_needs_the_secrets_of_sources_is_told_them(part: str) -> None:
    """Forms are checked by the door; mailboxes are read and announced leads fetched by the flows of the workers."""
    (pod,) = [pod for pod in pods() if pod["containers"][0]["name"] == part]
    told = [source["secretRef"]["name"] for source in pod["containers"][0]["envFrom"]]
    assert "sluice-sources" in told


def test_workers_have_the_key_of_the_suppression_list() -> None:
    (pod,) = [pod for pod in pods() if pod["containers"][0]["name"] == "worker"]
    (named,) = [one for one in pod["containers"][0]["env"] if one["name"] == "SLUICE_SUPPRESSION_KEY"]
    assert named["valueFrom"]["secretKeyRef"] == {"name": "sluice", "key": "suppression-key"}


def test_the_windows_of_inbox_and_mailboxes_leave_a_worker_room_for_files() -> None:
    """Each window holds a place always and a second one while it is handed over."""
    windows = [one for one in DEFINITIONS["deployments"] if "inbox" in one["tags"]]
    assert {one["entrypoint"] for one in windows} == {"flows.inbox.inbox", "flows.mailboxes.mailboxes"}
    assert {one["work_pool"]["name"] for one in windows} == {"sluice"}
    command = SERVICES["worker"]["command"]
    assert int(command[command.index("--limit") + 1]) >= 2 * len(windows)
    assert command[command.index("--pool") + 1] == "sluice"


def test_compose_and_manifests_run_the_same_commands() -> None:
    in_pods = [
        container["args"] for pod in pods() for container in [*pod["containers"], *pod.get("initContainers", [])]
    ]
    assert sorted(map(str, in_pods)) == sorted(str(service["command"]) for service in OURS.values())
