"""
Images: where a net looks
=========================

A convolutional net learns whether a picture holds a ring or a cross. Four methods show the pixels that decided.
"""

# %%
# The shapes have random sizes and places, under noise.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_tree import CaptumExplainer, CNNClassifier

rng = np.random.default_rng(0)
grid = np.stack(np.meshgrid(np.arange(24), np.arange(24), indexing="ij"), axis=-1)


def draw(is_ring):
    """Return an image of a ring or a cross, and the mask of its pixels."""
    offsets, radius = grid - rng.integers(7, 17, 2), rng.integers(4, 7)
    distance = np.abs(np.hypot(*offsets.transpose(2, 0, 1)) - radius)
    arms = np.abs(offsets).max(axis=2) <= radius
    shape = distance < 1 if is_ring else arms & (np.abs(offsets).min(axis=2) < 1)
    return (rng.random((24, 24)) * 0.7 + 0.6 * shape).astype(np.float32), shape


is_ring = rng.random(500) < 0.5
images, masks = map(np.array, zip(*map(draw, is_ring), strict=True))
y = np.where(is_ring, "ring", "cross")
net = CNNClassifier(input_kind="images", random_state=0).fit(images[:400], y[:400])
print(f"accuracy {net.score(images[400:], y[400:]):.3f}")

# %%
# Occlusion slides a grey window over the image. Grad-CAM weights the last feature maps by their gradients, which is fast and coarse.

shown = images[400:403]
CaptumExplainer(net, "occlusion").fit(images[:400]).explain(shown, y[400:403])

# %%

CaptumExplainer(net, "grad_cam").fit(images[:400]).explain(shown, y[400:403])

# %%
# The shapes are known here, so we can count which share of the strongest pixels lies on or beside the shape.

near = np.array(
    [
        np.any([np.roll(mask, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0)
        for mask in masks
    ]
)
shares = {}
for method in ("occlusion", "integrated_gradients", "grad_cam", "saliency"):
    found = CaptumExplainer(net, method, random_state=0).fit(images[:400]).explain(images[400:440])
    strengths = [np.abs(part).sum(axis=-1).ravel() for part in found.attributions]
    best = [np.argsort(-strength)[:40] for strength in strengths]
    shares[method] = np.mean(
        [mask.ravel()[rows].mean() for mask, rows in zip(near[400:440], best, strict=True)]
    )
shares["chance"] = near[400:440].mean()
figure, ax = plt.subplots(figsize=(6, 2.6))
ax.barh(list(shares), list(shares.values()), color="tab:gray")
ax.set(xlabel="share of the 40 strongest pixels on the shape", xlim=(0, 1))
ax.invert_yaxis()
figure.tight_layout()

# %%
# **For your data:** pass images as an array of shape (n, height, width) or (n, height, width, channels). Objects of some size are found by windows
# of about their size: ``method_params={"window": 5}``.
