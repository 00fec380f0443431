"""
A recurrent policy from the cross-entropy method
================================================

A cart balances a pole, but the policy sees positions only: which way the pole is falling must be read from the last frames. The
cross-entropy method trains such a policy with ``partial_fit``: play episodes, keep the best ones, and learn to act as in them.
"""

# %%
# ``CartPole-v1`` of Gymnasium observes four numbers. The policy gets two of them, the position of the cart and the angle of the pole, in
# a window of the last frames; the two velocities are hidden. 150 episodes are played side by side, so one call of ``predict_proba`` is
# enough for a step of all of them. Actions are sampled from the probabilities. An episode ends after 200 steps at the latest.

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np

from sklearn_tree import RNNClassifier

N_EPISODES, N_STEPS, N_ROUNDS = 150, 200, 12


def play(policy, n_frames, seed):
    """Return the windows, the actions and the lengths of some episodes."""
    rng = np.random.default_rng(seed)
    env = gym.make_vec("CartPole-v1", N_EPISODES, vectorization_mode="vector_entry_point")
    frames = env.reset(seed=seed)[0][:, [0, 2]]
    window = np.repeat(frames[:, None], n_frames, axis=1)
    windows, actions = [], []
    alive, lengths = np.ones(N_EPISODES, bool), np.zeros(N_EPISODES, int)
    while alive.any() and len(actions) < N_STEPS:
        right = np.full(N_EPISODES, 0.5)
        if policy is not None:
            right[alive] = policy.predict_proba(window[alive])[:, 1]
        action = (rng.random(N_EPISODES) < right).astype(int)
        windows.append(window)
        actions.append(action)
        lengths += alive
        frames, _, ended, _, _ = env.step(action)
        alive &= ~ended
        window = np.concatenate([window[:, 1:], frames[:, None, [0, 2]]], axis=1)
    env.close()
    return np.stack(windows, axis=1), np.stack(actions, axis=1), lengths


# %%
# The first round acts at random. After each round, the policy learns from at most 1,000 steps of the ten longest episodes, in ten calls
# of ``partial_fit``, each of which is one epoch. ``bidirectional=False`` reads the window forwards only.


def learn(n_frames):
    """Return the lengths of the episodes of each round, shape (n_rounds, n_episodes)."""
    rng = np.random.default_rng(0)
    net = RNNClassifier("gru", hidden_size=32, bidirectional=False, lr=0.02, batch_size=128, random_state=0)
    policy, lengths = None, []
    for seed in range(N_ROUNDS):
        windows, actions, length = play(policy, n_frames, seed)
        best = np.argsort(-length)[:10]
        X = np.concatenate([windows[i, : length[i]] for i in best])
        y = np.concatenate([actions[i, : length[i]] for i in best])
        chosen = rng.permutation(len(X))[:1000]
        for _ in range(10):
            policy = net.partial_fit(X[chosen], y[chosen], classes=[0, 1])
        lengths.append(length)
    return np.array(lengths)


lengths = {"4 frames": learn(4), "1 frame": learn(1)}
for name, rounds in lengths.items():
    print(
        f"{name}: median length {np.median(rounds[0]):.0f} at random, {np.median(rounds[-1]):.0f} in the last round"
    )

# %%
# Four frames show the velocities: the median episode becomes several times as long. With one frame, the same net plays and learns as
# often and stays at a small part of the limit: it can push against the angle, but cannot see whether the pole rises or falls. The bands
# hold the middle half of the episodes. The curves are one run of one seed; other seeds need some rounds more or fewer.

figure, ax = plt.subplots(figsize=(7, 3))
for name, rounds in lengths.items():
    low, median, high = np.quantile(rounds, [0.25, 0.5, 0.75], axis=1)
    ax.plot(median, marker="o", label=name)
    ax.fill_between(range(N_ROUNDS), low, high, alpha=0.2)
ax.axhline(N_STEPS, color="gray", linewidth=0.8)
ax.set(xlabel="round", ylabel="steps until the pole falls")
ax.legend(frameon=False)
figure.tight_layout()

# %%
# **For your data:** replace ``play`` by your simulator or by logged sequences with a score. The window must be long enough to show what a
# single observation hides; for windows of different lengths, pass a list of arrays. More episodes per round make the best tenth better,
# and cost as much. Repeat the run with several seeds before you compare settings.
