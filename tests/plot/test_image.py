"""Images with their pixels coloured by numbers."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from sklearn_tree.plot import draw_image, plot_image
from sklearn_tree.plot.image import draw_image_svg, encode_png

Image = pytest.importorskip("PIL.Image")


def decode(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def pixels(html):
    """Return the pixels of the two embedded images."""
    assert (
        ElementTree.fromstring(html.replace('auto">', 'auto"/>').replace('pixelated">', 'pixelated"/>'))
        is not None
    )
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', html)
    return [decode(base64.b64decode(data)) for data in found]


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (40, 7)])
def test_encoded_images_are_decoded_by_pillow(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decode(encode_png(image)), image)
    assert not np.array_equal(decode(encode_png(255 - image)), image)


def test_uint8_images_are_unchanged():
    image = np.random.default_rng(0).integers(10, 200, (4, 6, 3)).astype(np.uint8)
    np.testing.assert_array_equal(pixels(draw_image(image, np.zeros((4, 6))))[0], image)


@pytest.mark.parametrize("dtype", [bool, np.int64, np.float32, np.float16])
def test_other_numbers_are_scaled_from_minimum_to_maximum(dtype):
    shown = pixels(draw_image(np.eye(3, dtype=dtype), np.zeros((3, 3))))[0]
    np.testing.assert_array_equal(shown[..., 0], 255 * np.eye(3))


@pytest.mark.parametrize("n_channels", [1, 2, 4])
def test_channels_other_than_three_are_averaged(n_channels):
    image = np.random.default_rng(0).integers(0, 256, (3, 4, n_channels)).astype(np.uint8)
    shown = pixels(draw_image(image, np.zeros((3, 4))))[0]
    np.testing.assert_allclose(shown[..., 0], image.mean(axis=2), atol=0.5)
    np.testing.assert_array_equal(shown[..., 0], shown[..., 2])


def test_values_are_orange_or_blue_on_grey():
    for_, none, against = pixels(draw_image(np.zeros((1, 3)), [[1, 0, -1]]))[1][0].astype(int)
    assert for_[0] > for_[1] > for_[2]
    assert none[0] == none[1] == none[2]
    assert against[0] < against[1] < against[2]


def test_values_are_summed_over_channels():
    values = np.random.default_rng(0).normal(size=(4, 5, 3))
    image = np.zeros((4, 5))
    assert draw_image(image, values) == draw_image(image, values.sum(axis=2))
    assert draw_image(image, values) != draw_image(image, values[..., 0])


def test_values_are_scaled_and_clipped_by_the_limit():
    image = np.zeros((1, 2))
    low, high = pixels(draw_image(image, [[1, 9]], limit=1))[1][0]
    np.testing.assert_array_equal(low, high)
    low, high = pixels(draw_image(image, [[1, 9]], limit=9))[1][0]
    assert not np.array_equal(low, high)


def test_the_default_limit_is_robust_to_one_large_number():
    values = np.ones((30, 30))
    values[0, 0] = 10
    assert ">≥ +1 for (max +10)<" in draw_image(np.zeros((30, 30)), values)
    assert ">+1e+03 for<" in draw_image(np.zeros((30, 30)), values, limit=1000)


def test_numbers_that_are_not_finite_count_as_zero():
    values, without = np.ones((2, 2)), np.ones((2, 2))
    values[0], without[0] = [np.nan, np.inf], 0
    assert draw_image(np.zeros((2, 2)), values) == draw_image(np.zeros((2, 2)), without)
    assert len(pixels(draw_image([[np.nan, 1]], [[1, 1]]))) == 2


@pytest.mark.parametrize(
    ("shape", "shown", "pixelated"),
    [((8, 4), 140, True), ((300, 300), 300, True), ((1120, 2240), 560, False)],
)
def test_small_images_are_enlarged_by_an_integer_and_large_ones_reduced(shape, shown, pixelated):
    html = draw_image(np.zeros(shape), np.zeros(shape))
    assert html.count(f'width="{shown}"') == 2
    assert ("pixelated" in html) == pixelated


def test_pages_are_self_contained(tmp_path):
    page = plot_image(np.eye(2), np.eye(2), caption="<img src=x onerror=alert(1)>").save(tmp_path / "a.html")
    assert "<img src=x" not in page.read_text()
    assert "http" not in page.read_text()


def test_invalid_shapes_are_refused():
    with pytest.raises(
        ValueError, match=r"image must have shape \(height, width\[, n_channels\]\), got \(3,\)"
    ):
        draw_image([1, 2, 3], [1, 2, 3])
    with pytest.raises(ValueError, match=r"image must have shape .*, got \(0, 3\)"):
        draw_image(np.zeros((0, 3)), np.zeros((0, 3)))
    message = r"values must have the height and width of image: \(2, 3\), got shape \(3, 2\)"
    with pytest.raises(ValueError, match=message):
        draw_image(np.zeros((2, 3)), np.zeros((3, 2)))


def test_images_in_svg_show_the_same_pixels_as_in_html():
    image, values = np.random.RandomState(0).rand(2, 6, 9)
    root = ElementTree.fromstring(draw_image_svg(image, values))
    embedded = [part.get("href") for part in root]
    assert embedded == re.findall(r'src="([^"]+)"', draw_image(image, values))
    assert [(int(part.get("width")), int(part.get("height"))) for part in root] == [(279, 186)] * 2
    assert int(root.get("width")) == 2 * 279 + 12
