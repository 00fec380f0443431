"""Sphinx configuration; warnings are errors (`make docs`)."""

import sys

import torch

import sklearn_tree

torch.set_num_threads(1)  # reproducible examples

project = "sklearn_tree"
author = "the sklearn_tree developers"
copyright = "2026, the sklearn_tree developers"
version = release = sklearn_tree.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/*.ipynb"]
templates_path = ["_templates"]
autosummary_generate = True
numpydoc_show_class_members = False
nitpicky = False
html_theme = "pydata_sphinx_theme"
html_title = "sklearn_tree"
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}
html_sidebars = {  # pages without sections of their own, for which the sidebar would be empty
    "index": [],
    "getting_started": [],
    "choosing": [],
    "tuning": [],
    "coming_from": [],
    "works_with": [],
    "extending": [],
    "theory": [],
    "glossary": [],
}
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_extra_path = ["../llms.txt"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
suppress_warnings = ["config.cache"]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "abort_on_example_error": True,
    "show_memory": False,
    "remove_config_comments": True,
    "capture_repr": ("_repr_html_",),
    "matplotlib_animations": False,
    "image_scrapers": ("matplotlib",),
    "reset_modules": (),
    "min_reported_time": 0,
    "download_all_examples": False,
}
sys.argv = [sys.argv[0]]  # hide Sphinx's arguments from the examples
