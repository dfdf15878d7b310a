"""Fetching from a hub: a real client against a server on the loopback address."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.helpers.hub import Hub
from vlmis_utils.core.errors import UserError
from vlmis_utils.models import hub

REPOSITORY = "owner/tiny"
WEIGHTS = bytes(range(256)) * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "hub" / REPOSITORY
    (path / "onnx").mkdir(parents=True)
    (path / "config.json").write_text("{}")
    (path / "chat_template.jinja").write_text("{{ messages }}")
    (path / "model.safetensors").write_bytes(WEIGHTS)
    (path / "pytorch_model.bin").write_bytes(b"pickled")
    (path / "modeling.py").write_text("import os")
    (path / "onnx" / "config.json").write_text("{}")
    return path


@pytest.fixture
def server(folder: Path, tmp_path: Path):
    with Hub(folder.parent.parent, tmp_path / "cache") as running:
        yield running


def refused(match: str, repository: str = REPOSITORY, revision: str | None = None) -> str:
    with pytest.raises(UserError, match=match) as caught:
        hub.fetch("tiny", repository, revision)
    assert "\n" not in str(caught.value) and "'tiny'" in str(caught.value)
    return str(caught.value)


def test_only_text_and_safetensors_are_fetched(server: Hub) -> None:
    found = hub.fetch("tiny", REPOSITORY)
    names = sorted(path.name for path in found.iterdir())
    assert names == ["chat_template.jinja", "config.json", "model.safetensors"]
    assert (found / "model.safetensors").read_bytes() == WEIGHTS
    assert not server.asked(ending=".bin") and not server.asked(ending=".py")


def test_a_revision_is_a_pin(server: Hub, folder: Path) -> None:
    old = server._commit(REPOSITORY, "main")
    (folder / "config.json").write_text('{"new": 1}')
    new = server.commit(REPOSITORY)
    pinned, newest = hub.fetch("tiny", REPOSITORY, old), hub.fetch("tiny", REPOSITORY)
    assert (pinned.name, newest.name) == (old, new)
    assert (pinned / "config.json").read_text() == "{}"
    assert hub.digest(pinned) != hub.digest(newest)
    before = len(server.requests)
    hub.fetch("tiny", REPOSITORY, old)
    assert len(server.requests) == before  # a pinned commit in the cache needs no network


def test_offline_works_after_one_download(server: Hub) -> None:
    with server.offline():
        refused("not in the cache and HF_HUB_OFFLINE is set: run once without it")
    found = hub.fetch("tiny", REPOSITORY)
    before = len(server.requests)
    with server.offline():
        assert hub.fetch("tiny", REPOSITORY) == found
    assert len(server.requests) == before


def test_no_server(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    found = hub.fetch("tiny", REPOSITORY)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert hub.fetch("tiny", REPOSITORY) == found
    refused("the hub cannot be reached: check the network", "owner/another")


def test_a_cut_download_goes_on(server: Hub) -> None:
    server.cut(REPOSITORY, "model.safetensors", after=4000)
    try:
        found = hub.fetch("tiny", REPOSITORY)
    except UserError as error:
        assert "goes on where it stopped" in str(error)
        found = hub.fetch("tiny", REPOSITORY)
    assert (found / "model.safetensors").read_bytes() == WEIGHTS
    assert any(request.range not in (None, "bytes=0-") for request in server.requests)


def test_a_gated_repository_says_what_to_do(server: Hub) -> None:
    server.gate(REPOSITORY)
    text = refused("is gated: accept its terms at http.*owner/tiny, log in with `hf auth login`")
    assert server.url in text


def test_what_the_hub_lacks(server: Hub, folder: Path) -> None:
    refused("the hub has no owner/nothing: mend", "owner/nothing")
    refused("has no revision v9: mend", revision="v9")
    refused("is no hub id", "not//an id")
    (folder / "model.safetensors").unlink()
    server.commit(REPOSITORY)
    refused("has no safetensors weights, and no other kind is loaded")


def test_other_bytes_than_promised_are_found(server: Hub) -> None:
    server.tamper(REPOSITORY, "model.safetensors")
    text = refused("model.safetensors is not what the hub served: remove .*run again")
    server.mend()
    Path(text.partition("remove ")[2].partition(" and run")[0]).unlink()
    assert (hub.fetch("tiny", REPOSITORY) / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_changed_cache_is_found_offline_too(server: Hub, name: str) -> None:
    found = hub.fetch("tiny", REPOSITORY)
    blob = (found / name).resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    with server.offline():
        refused(f"{name} is not what the hub served")


def test_a_file_lost_from_the_cache_is_fetched_again(server: Hub) -> None:
    found = hub.fetch("tiny", REPOSITORY)
    (found / "model.safetensors").resolve().unlink()
    with server.offline():
        refused("only in part in the cache")
    assert (hub.fetch("tiny", REPOSITORY) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_part_that_the_index_names_must_be_there(server: Hub, folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    server.commit(REPOSITORY)
    refused("model-2.safetensors is not what the hub served")


def test_the_digest_is_of_content_alone(server: Hub, folder: Path, tmp_path: Path) -> None:
    found = hub.fetch("tiny", REPOSITORY)
    assert hub.digest(found) == hub.digest(folder)
    first = hub.digest(folder)
    (folder / "README.md").write_text("not read")
    assert hub.digest(folder) == first
    (folder / "chat_template.jinja").write_text("another")
    assert hub.digest(folder) != first
