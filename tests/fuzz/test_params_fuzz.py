"""Any YAML is a study, a catalogue or a class map, or one line that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.class_map import load_class_map
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.study import KEYS, Study, flat

QUICK = settings(
    max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from([-1, 0, 2**70, 1e400, "", ".", "..", "a/b", "../x", "clean", "LL1", "s3://x",
                       "file:///etc", "1e-6", "nan", ".inf", "\x00", "clip", "streetworld"])
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=2)
    ),
    max_leaves=5,
)


def either(load: Callable[[], object]) -> object:
    """Return what loads, None where one line of `UserError` says why not; nothing else is right."""
    try:
        return load()
    except UserError as error:
        assert str(error) and "\n" not in str(error)
        return None


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "x.yaml"


@QUICK
@given(content=st.text(max_size=80) | st.binary(max_size=80))
def test_any_text(path: Path, content: str | bytes) -> None:
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    path.write_bytes(data)
    either(lambda: load_study(path))
    either(lambda: load_catalogue(path))
    either(lambda: load_class_map(path))


@QUICK
@given(given_=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3))
def test_any_values(path: Path, given_: dict[str, object]) -> None:
    path.write_text(yaml.safe_dump(given_))
    study = either(lambda: load_study(path, page_keys=lambda: frozenset({"page"})))
    if study is not None:
        assert isinstance(study, Study)
        assert study.folder.parent == Path(study.build_root)
        assert yaml.safe_load(yaml.safe_dump(flat(study))) is not None
        hash(study)


@QUICK
@given(key=st.sampled_from((*KEYS, "page")), text=st.text(max_size=15))
def test_any_override(key: str, text: str) -> None:
    pages = lambda: frozenset({"page"})  # noqa: E731
    either(lambda: load_study("params/smoke.yaml", {key: text}, pages))


@QUICK
@given(
    entry=VALUES,
    fields=st.dictionaries(
        st.sampled_from(["library", "kind", "checkpoint", "revision", "shown", "options"]), VALUES
    ),
)
def test_any_catalogue(path: Path, entry: object, fields: dict[str, object]) -> None:
    for content in (
        entry,
        {"m": entry},
        {"m": {"library": "open_clip", "checkpoint": "x"} | fields},
    ):
        path.write_text(yaml.safe_dump(content))
        either(lambda: load_catalogue(path))


@QUICK
@given(classes=VALUES, more=st.dictionaries(st.sampled_from(["images", "labels"]), VALUES))
def test_any_class_map(path: Path, classes: object, more: dict[str, object]) -> None:
    path.write_text(yaml.safe_dump({"classes": classes} | more))
    either(lambda: load_class_map(path))


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch pwned']",
        "study: !!python/name:os.system",
        "&a [*a]", "study: &a [*a, *a]", "- " * 3000, "[" * 5000, "{" * 5000,
        "? [a]\n: b", "? {a: b}\n: c", "study: 2024-01-01", "scenes: 1e3", "scenes: 0o17",
        "\ufeffstudy: x", "study: x\n---\nstudy: y", "a: &x 1\nb: *y", "study: \t",
        "%YAML 9.9\n---", "<<: {study: x}", "<<: 3", "scenes: 12:30:45", "study: ~", "seed: .nan",
        "epsilon: .inf", "study: \"a\\0b\"", "build_root: \"a\\0b\"",
    ],
)  # fmt: skip
def test_yaml_of_ill_will(path: Path, text: str, monkeypatch, tmp_path: Path) -> None:
    path.write_text(text)
    for load in (load_study, load_catalogue, load_class_map):
        either(lambda load=load: load(path))
    assert not Path("pwned").exists()


def test_a_bomb_of_aliases_takes_no_time(path: Path) -> None:
    parts = ["&a0 [x, x, x, x, x, x, x, x, x]"]
    parts += [f"&a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    bomb = f"[{', '.join(parts)}]"
    loads = {"study": load_study, "conditions": load_study, "seed": load_study,
             "m": load_catalogue, "classes": load_class_map, "images": load_class_map}  # fmt: skip
    for key, load in loads.items():
        values = {"m": f"{{library: {bomb}}}", "classes": f"{{0: {bomb}}}"}
        path.write_text(f"{key}: {values.get(key, bomb)}")
        with pytest.raises(UserError) as caught:
            load(path)
        assert len(str(caught.value)) < 2000
