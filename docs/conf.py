"""Sphinx configuration; warnings are errors (`make docs`)."""

import os
import re
import sys
from pathlib import Path

import torch
from sklearn.experimental import enable_halving_search_cv  # noqa: F401, for the names in the gallery

import sklearn_tree

torch.set_num_threads(1)  # reproducible examples
os.environ["OMP_NUM_THREADS"] = "1"  # of the kernels that run the notebooks
sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "sklearn_tree"
author = "the sklearn_tree developers"
copyright = "2026, the sklearn_tree developers"
version = release = sklearn_tree.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "mathml",
    "myst_nb",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/*.ipynb"]
templates_path = ["_templates"]
autosummary_generate = True
numpydoc_show_class_members = False
nitpicky = False
html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "sklearn_tree"
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}
html_sidebars = {"index": [], "getting_started": [], "notebooks/index": []}  # pages without sections
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_extra_path = ["../llms.txt"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["amsmath", "dollarmath"]
nb_ipywidgets_js = {}  # no script of another host
nb_execution_mode = "force"
nb_execution_timeout = 600  # seconds per cell, on a busy machine
nb_execution_raise_on_error = True
nb_output_stderr = "error"  # a warning in a notebook fails the build

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "show_memory": False,
    "remove_config_comments": True,
    "capture_repr": ("_repr_html_",),
    "matplotlib_animations": False,
    "image_scrapers": ("matplotlib",),
    "reset_modules": (),
    "thumbnail_size": (200, 140),  # shown 160 wide
    "write_computation_times": False,  # the page would load scripts of other hosts
    "download_all_examples": False,
}
sys.argv = [sys.argv[0]]  # hide Sphinx's arguments from the examples


def drop_unused_files(app, pagename, templatename, context, doctree):
    """Drop the styles and scripts of notebooks and examples from the search page, whose index is large."""
    for kind in ("css_files", "script_files") if pagename == "search" else ():
        unused = re.compile(r"mystnb|sg[_-]|copybutton|clipboard")
        context[kind] = [file for file in context[kind] if not unused.search(str(file.filename or ""))]


def setup(app):
    """Connect the function above."""
    app.connect("html-page-context", drop_unused_files)
