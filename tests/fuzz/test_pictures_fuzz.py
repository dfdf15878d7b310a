"""A picture or label map is read, or one line names the file, whatever bytes it holds."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from vlmis_utils.core.errors import RunError
from vlmis_utils.datasets.files import FileScene
from vlmis_utils.protocol.class_map import label_table
from vlmis_utils.runner.context import image_sizes

QUICK = settings(
    max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TABLE = label_table({0: 0, 1: 13})


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (8, 6)) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, format=kind)
    return stream.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size and whose data are a few zeros."""

    def chunk(name: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> FileScene:
    folder = tmp_path_factory.mktemp("pictures")
    return FileScene("s", folder / "image.png", folder / "label.png", TABLE)


def look(scene: FileScene) -> list[str]:
    """Read image and label map; return the complaints, each a line that names a file."""
    found = []
    for read in (scene.image, scene.labels):
        try:
            array = read()
            assert array.dtype == np.uint8 and array.ndim in (2, 3)
        except RunError as error:
            said = str(error)
            assert "\n" not in said and (
                str(scene.image_path) in said or str(scene.label_path) in said
            )
            found.append(said)
    image_sizes([scene])
    return found


@QUICK
@given(image=st.binary(max_size=60), label=st.binary(max_size=60))
@example(image=b"", label=b"")
def test_any_bytes(scene: FileScene, image: bytes, label: bytes) -> None:
    scene.image_path.write_bytes(image)
    scene.label_path.write_bytes(label)
    assert len(look(scene)) == 2


@QUICK
@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM"]))
def test_damaged_pictures(scene: FileScene, data, kind: str) -> None:
    for path, mode in ((scene.image_path, "RGB"), (scene.label_path, "L")):
        whole = bytearray(encoded(kind, mode))
        for _ in range(data.draw(st.integers(0, 4))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        look(scene)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F", "I;16"])
def test_every_mode(scene: FileScene, mode: str) -> None:
    kind = "PNG" if mode not in ("CMYK", "I", "F") else "TIFF"
    for path in (scene.image_path, scene.label_path):
        path.write_bytes(encoded(kind, mode))
    wrong = look(scene)
    many = mode in ("LA", "RGB", "RGBA", "CMYK")
    assert any("channels" in line for line in wrong) == many
    assert any("16 bits" in line for line in wrong) == (mode in ("I", "F", "I;16"))


@pytest.mark.parametrize(
    "size", [(100_000, 100_000), (10_000, 10_000), (2**31 - 1, 1), (0, 0), (0, 5)]
)
def test_a_size_that_is_only_claimed(scene: FileScene, size: tuple[int, int]) -> None:
    """The second is where Pillow warns and goes on."""
    for path in (scene.image_path, scene.label_path):
        path.write_bytes(claiming(*size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(look(scene)) == 2


def test_an_image_and_label_map_of_no_pixels(scene: FileScene) -> None:
    for path in (scene.image_path, scene.label_path):
        path.write_bytes(b"P5 0 0 255\n")
    assert len(look(scene)) == 2


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    scene = FileScene("s", tmp_path, tmp_path, TABLE)
    assert len(look(scene)) == 2
