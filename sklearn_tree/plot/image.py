"""Images with their pixels coloured by numbers."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np

from sklearn_tree.drawing import AGAINST, FOR, find_limit, find_strengths, keep_finite
from sklearn_tree.plot.picture import Picture, draw_legend
from sklearn_tree.plot.svg import wrap_svg

OVERLAY = 0.9  # opacity of the strongest colour, on grey
_SIDE = 280  # smallest length of the longer side in pixels; the largest is twice that


def plot_image(image: Any, values: Any, *, limit: float | None = None, caption: str = "") -> Picture:
    """Draw an image next to a copy with its pixels coloured by numbers.

    Parameters
    ----------
    image : array-like of number, shape (height, width) or (height, width, n_channels)
        The image. ``uint8`` values are shown unchanged; other numbers are scaled from their minimum and
        maximum to black and white. Three channels are red, green and blue; any other number of channels is
        averaged.
    values : array-like of float, shape (height, width) or (height, width, n_channels)
        Numbers of the pixels, summed over the channels: orange if positive, blue if negative. NaN and
        infinity count as 0.
    limit : float, default=None
        Absolute value that gets the full colour; None uses the 99.5th percentile, at least 5 % of the
        largest.
    caption : str, default=""
        Text of the line above the drawing.

    Returns
    -------
    Picture
        Displayed in notebooks; ``save`` writes it to a file.

    Raises
    ------
    ValueError
        If ``image`` is empty, ``values`` has another height or width, or ``limit`` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tree.plot import plot_image
    >>> plot_image(np.eye(8), np.eye(8)[::-1], caption="a diagonal")
    Picture('a diagonal')
    """
    return Picture(draw_image(image, values, limit=limit), caption)


def draw_image(image: Any, values: Any, *, limit: float | None = None, legend: bool = True) -> str:
    """Draw an image and, beside it, its pixels coloured by numbers, as HTML.

    Parameters
    ----------
    image : array-like of number, shape (height, width) or (height, width, n_channels)
        The image.
    values : array-like of float, shape (height, width) or (height, width, n_channels)
        Numbers of the pixels, summed over the channels.
    limit : float, default=None
        Absolute value that gets the full colour; None uses the 99.5th percentile, at least 5 % of the
        largest.
    legend : bool, default=True
        Whether the legend of the colours is drawn.

    Returns
    -------
    str
        One ``<div>`` element without scripts or external references; the images are embedded.

    Raises
    ------
    ValueError
        If ``image`` is empty, ``values`` has another height or width, or ``limit`` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_tree.plot import draw_image
    >>> draw_image(np.zeros((4, 6, 3)), np.ones((4, 6))).count("<img ")
    2
    """
    light, heat, values, limit = _blend(image, values, limit)
    pictures = _draw_pixels(light, "the input") + _draw_pixels(heat, _describe(values))
    row = f'<div style="display: flex; flex-wrap: wrap; gap: 12px">{pictures}</div>'
    return f"<div>{row}{draw_legend(limit, values=values, opacity=OVERLAY) if legend else ''}</div>"


def draw_image_svg(image: Any, values: Any, *, limit: float | None = None) -> str:
    """Draw an image and its coloured pixels as one ``<svg>`` element; see :func:`draw_image`."""
    light, heat, values, _ = _blend(image, values, limit)
    width, height, rendering = _find_size(light)
    parts = [
        f'<image x="{x}" width="{width}" height="{height}" style="{rendering}" preserveAspectRatio="none" '
        f'href="{_encode(pixels)}"><title>{title}</title></image>'
        for x, pixels, title in ((0, light, "the input"), (width + 12, heat, _describe(values)))
    ]
    return wrap_svg(
        2 * width + 12, height, "".join(parts), f"the input, and attributions {_describe(values)}"
    )


def _blend(image: Any, values: Any, limit: float | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Check an image and its values; return the image, its coloured copy, the values and the limit."""
    image, values = np.asarray(image), np.asarray(values, dtype=float)
    if image.ndim not in (2, 3) or not image.size:
        raise ValueError(f"image must have shape (height, width[, n_channels]), got {image.shape}")
    if values.ndim not in (2, 3) or values.shape[:2] != image.shape[:2]:
        raise ValueError(
            f"values must have the height and width of image: {image.shape[:2]}, got shape {values.shape}"
        )
    values = keep_finite(values)
    values = values if values.ndim == 2 else values.sum(axis=2)
    limit = find_limit(values, limit, percentile=99.5)
    light = _scale(image)
    return light, _colour(light, find_strengths(values, limit)), values, limit


def _describe(values: np.ndarray) -> str:
    return f"from {values.min():+.3g} to {values.max():+.3g}, sum {values.sum():+.3g}"


def _scale(image: np.ndarray) -> np.ndarray:
    """Scale an image to [0, 1]; ndarray of float64, shape (height, width, 3)."""
    light = keep_finite(image)
    if image.dtype == np.uint8:
        light = light / 255
    else:
        low, span = light.min(), np.ptp(light)
        light = (light - low) / span if span else np.full(light.shape, 0.5)
    light = light.reshape(*image.shape[:2], -1)
    return light if light.shape[2] == 3 else np.repeat(light.mean(axis=2, keepdims=True), 3, axis=2)


def _colour(light: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Blend the colours of the strengths with the image in grey at half its contrast."""
    grey = 0.25 + 0.5 * light.mean(axis=2, keepdims=True)
    for_, against = (np.array([int(part) for part in text.split(",")]) / 255 for text in (FOR, AGAINST))
    share = OVERLAY * np.abs(strengths)[..., None]
    return (1 - share) * grey + share * np.where(strengths[..., None] > 0, for_, against)


def _draw_pixels(light: np.ndarray, title: str) -> str:
    width, _, rendering = _find_size(light)
    return (
        f'<img src="{_encode(light)}" title="{title}" alt="{title}" width="{width}" '
        f'style="max-width: 100%; height: auto; {rendering}">'
    )


def _find_size(light: np.ndarray) -> tuple[int, int, str]:
    """Return the width and height of a drawn image in pixels, and the style of enlarged pixels."""
    height, width = light.shape[:2]
    longest = max(height, width)
    factor = max(1, _SIDE // longest) if longest < 2 * _SIDE else 2 * _SIDE / longest
    rendering = "image-rendering: pixelated" if factor >= 1 else ""
    return round(width * factor), max(1, round(height * factor)), rendering


def _encode(light: np.ndarray) -> str:
    """Return an image as the URL of an embedded PNG file."""
    data = base64.b64encode(encode_png(np.rint(255 * light).astype(np.uint8))).decode()
    return f"data:image/png;base64,{data}"


def encode_png(pixels: np.ndarray) -> bytes:
    """Encode uint8 pixels of shape (height, width, 3) as a PNG file."""
    height, width, _ = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits each of red, green and blue
    rows = np.concatenate(
        [np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1
    )  # 0: no filter
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
