"""Segformer and Mask2Former by hub id, from a server on the loopback address."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from tests.helpers.hub import Hub
from tests.helpers.miniature import make_cityscapes
from tests.helpers.segmenter_checkpoints import write_mask2former, write_segformer
from vlmis_utils.core.errors import UserError
from vlmis_utils.models.checkpoints import folder_digest
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner import run

LIBRARIES = {"segformer": "transformers-semantic", "mask2former": "transformers-universal"}
EACH = pytest.mark.parametrize("kind", LIBRARIES)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("written")
    write_segformer(root / "segformer")
    write_mask2former(root / "mask2former")
    return root


@pytest.fixture
def server(written: Path, tmp_path: Path):
    for kind in LIBRARIES:
        shutil.copytree(written / kind, tmp_path / "hub" / "tiny" / kind)
    with Hub(tmp_path / "hub", tmp_path / "cache") as running:
        yield running


def entry(kind: str, revision: str | None = None, **options: object) -> ModelEntry:
    return ModelEntry("m", "segmenter", LIBRARIES[kind], f"tiny/{kind}", revision,
                      options=tuple(options.items()))  # fmt: skip


def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.randint(0, 256, (2, 3, 6, 9), generator=generator).float()
    return torch.nn.functional.interpolate(coarse, (50, 90)).to(torch.uint8)


def refused(kind: str, match: str, revision: str | None = None) -> None:
    with pytest.raises(UserError, match=match) as caught:
        load_segmenter(entry(kind, revision))
    assert "\n" not in str(caught.value) and "'m'" in str(caught.value)


@EACH
def test_a_hub_id_gives_what_its_folder_gives_and_then_offline(kind, server, written) -> None:
    local = ModelEntry("m", "segmenter", LIBRARIES[kind], str(written / kind))
    expected = load_segmenter(local)
    with server.offline():
        refused(
            kind, f"tiny/{kind} is not in the cache and HF_HUB_OFFLINE is set: run once without"
        )
    found = load_segmenter(entry(kind))
    assert torch.equal(found.predict(images()), expected.predict(images()))
    assert found.digest == expected.digest == folder_digest(written / kind)
    assert (found.commit, expected.commit) == (server._commit(f"tiny/{kind}", "main"), None)
    before = len(server.requests)
    with server.offline():
        again = load_segmenter(entry(kind))
    assert torch.equal(again.predict(images()), expected.predict(images()))
    assert len(server.requests) == before


@EACH
def test_a_revision_is_pinned(kind, server) -> None:
    repository, file = f"tiny/{kind}", server.folder / "tiny" / kind / "model.safetensors"
    old = server._commit(repository, "main")
    weights = load_file(file)
    changed = next(
        key for key in weights if key.endswith(("classifier.weight", "predictor.weight"))
    )
    save_file(weights | {changed: -weights[changed]}, file, metadata={"format": "pt"})
    new = server.commit(repository)
    newest, pinned = load_segmenter(entry(kind)), load_segmenter(entry(kind, old))
    assert newest.digest != pinned.digest
    assert not torch.equal(newest.predict(images()), pinned.predict(images()))
    assert load_segmenter(entry(kind, new)).digest == newest.digest
    refused(kind, f"tiny/{kind} has no revision v2", "v2")


@EACH
def test_a_cut_connection_and_damage(kind, server) -> None:
    repository = f"tiny/{kind}"
    server.drop(repository, "model.safetensors")
    refused(kind, f"{repository} lists model.safetensors but does not have it")
    server.mend()
    server.tamper(repository, "model.safetensors")
    with pytest.raises(UserError, match="model.safetensors is not what the hub served") as caught:
        load_segmenter(entry(kind))
    Path(re.search("remove (.*) and run again", str(caught.value))[1]).unlink()
    server.mend()
    server.cut(repository, "model.safetensors", after=6000)
    load_segmenter(entry(kind)).predict(images())
    assert [r.range for r in server.asked("GET", "model.safetensors")][-2:] == [None, "bytes=5120-"]


def test_a_gated_one_says_what_to_do(server, monkeypatch) -> None:
    server.gate("tiny/segformer")
    where = f"{server.url}/tiny/segformer"
    refused("segformer", f"is gated: accept its terms at {where}, log in with `hf auth login`")
    monkeypatch.setenv("HF_TOKEN", "hf_of_another")
    refused("segformer", "is gated")
    monkeypatch.setenv("HF_TOKEN", "hf_granted")
    load_segmenter(entry("segformer"))


def test_weights_shared_between_repositories_are_known_by_their_digest(server) -> None:
    load_segmenter(entry("segformer"))
    blob = next((server.cache / "models--tiny--segformer" / "blobs").glob("?" * 64))
    shared = server.cache / "blobs" / "ab" / ("ab" * 32)  # as the library lays out such a store
    shared.parent.mkdir(parents=True)
    blob.rename(shared)
    blob.symlink_to(shared)
    load_segmenter(entry("segformer"))
    shared.write_bytes(shared.read_bytes()[:-1] + b"!")
    refused("segformer", "model.safetensors is not what the hub served")


@EACH
def test_no_code_and_no_pickle_is_asked_for(kind, server) -> None:
    folder = server.folder / "tiny" / kind
    (folder / "modeling_other.py").write_text("raise SystemExit('ran')\n")
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    config = json.loads((folder / "config.json").read_text())
    own = {"auto_map": {"AutoModel": "modeling_other.Other"}}
    (folder / "config.json").write_text(json.dumps(config | own))
    server.commit(f"tiny/{kind}")
    load_segmenter(entry(kind))
    assert not server.asked(ending=".py") and not server.asked(ending=".bin")
    (folder / "config.json").write_text(
        '{"model_type": "other", "auto_map": {"AutoConfig": "modeling_other.Config"}}'
    )
    server.commit(f"tiny/{kind}")
    refused(kind, "does not load")


def test_source_never_trusts_code_nor_unpickles_elsewhere() -> None:
    loads = set()
    for path in Path("vlmis_utils").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"trust_remote_code\s*=\s*True", text), path
        assert "weights_only=False" not in text and "pickle" not in re.findall(
            r"^\s*(?:import|from) (\w+)", text, re.M
        ), path
        if "torch.load(" in text:
            assert text.count("torch.load(") == len(re.findall("weights_only=True", text)) or (
                path.name == "convert.py"
            )
            loads.add(path.relative_to("vlmis_utils").as_posix())
    # Beside the converter, training reads back its own state, and what compares it with the export.
    own = {f"training/{name}.py" for name in ("loop", "nets/pixels", "evaluation/agreement")}
    assert loads - own == {"models/convert.py"}


def test_a_whole_study_on_a_miniature_cityscapes(server, tmp_path: Path) -> None:
    catalogue = {
        kind: {"library": library, "checkpoint": f"tiny/{kind}", "options": options,
               "revision": server._commit(f"tiny/{kind}", "main")}
        for (kind, library), options in zip(
            LIBRARIES.items(),
            ({"window": [1024, 1024], "stride": [768, 768]}, {"masks": "full"}),
            strict=True,
        )
    }  # fmt: skip
    (tmp_path / "models.yaml").write_text(yaml.safe_dump(catalogue))
    study = Study(
        study="miniature", dataset="cityscapes", split="val", scenes=1,
        data_root=str(make_cityscapes(tmp_path / "cityscapes", 1)),
        conditions=("clean", "LL3"), segmenters=tuple(LIBRARIES), vlms=(),
        models=str(tmp_path / "models.yaml"), batch_size=2, shard_size=2, workers=1, device="cpu",
        build_root=str(tmp_path / "build"),
    )  # fmt: skip
    run.run(study)
    rows = pd.read_parquet(study.records / "segmentation.parquet")
    assert rows.groupby(["segmenter", "condition"]).size().tolist() == [1] * 4
    counts = np.stack(rows.confusion.to_numpy())
    assert counts.shape == (4, len(TRAIN_CLASSES) ** 2) and (counts.sum(1) > 1e6).all()
    before = len(server.requests)
    with server.offline():
        run.run(study)  # all recorded, and pinned commits ask nobody
    assert len(server.requests) == before
