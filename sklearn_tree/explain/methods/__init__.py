"""Methods of attribution: one record each, in a registry."""

from sklearn_tree.explain.methods import (
    grad_cam,
    gradients,
    integrated_gradients,
    noise,
    refused,
    removal,
    rows,
    shapley,
    subtrees,
    surrogates,
)
from sklearn_tree.explain.methods.base import (
    Method,
    check_params,
    find_method,
    method_names,
    refused_method,
    register_method,
    register_wrapper,
)

__all__ = [
    "Method",
    "check_params",
    "find_method",
    "grad_cam",
    "gradients",
    "integrated_gradients",
    "method_names",
    "noise",
    "refused",
    "refused_method",
    "register_method",
    "register_wrapper",
    "removal",
    "rows",
    "shapley",
    "subtrees",
    "surrogates",
]
