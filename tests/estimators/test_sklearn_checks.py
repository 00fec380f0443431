"""All of scikit-learn's estimator checks, without an expected failure."""

import pytest
import sklearn
import sklearn.utils.estimator_checks as checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

from sklearn_tree import (
    CNNClassifier,
    CNNRegressor,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    SequenceVectorizer,
    ToDevice,
    TreeVectorizer,
)

FEW = {"max_epochs": 10, "lr": 0.02}  # enough for the scores that the checks ask for
ESTIMATORS = [
    RecursiveNetClassifier(random_state=0, **FEW),
    RecursiveNetRegressor("nary_lstm", bidirectional=True, pooling="attention", **FEW),
    RNNClassifier(random_state=0, **FEW),
    RNNRegressor("gru", pooling="attention", random_state=0, **FEW),
    CNNClassifier(random_state=0, **FEW),
    CNNRegressor((3, 4), n_blocks=2, pooling="mean", random_state=0),
    ToDevice(),
]
# scikit-learn does not check transformers of texts, but these checks need no X.
VECTORIZERS = [TreeVectorizer, SequenceVectorizer]
WITHOUT_X = [
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_param_validation",
]
# Checks that check_estimator omits.
EXTRA = [
    "check_param_validation",
    "check_dataframe_column_names_consistency",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_global_output_transform_pandas",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks_pass(estimator, check):
    check(estimator)


def test_tags_skip_no_check():
    names = {
        check.func.__name__
        for _, check in checks.estimator_checks_generator(RecursiveNetClassifier(), legacy=True)
    }
    assert len(names) >= 60
    if parse_version(sklearn.__version__) >= parse_version("1.9"):
        assert "check_array_api_input" in names
    assert {
        "check_sample_weight_equivalence_on_dense_data",
        "check_class_weight_classifiers",
        "check_estimators_partial_fit_n_features",
        "check_decision_proba_consistency",
        "check_methods_sample_order_invariance",
        "check_fit_idempotent",
        "check_transformer_general",
        "check_classifier_multioutput",
    } <= names


# These checks fit on frames and then transform arrays, on purpose.
@pytest.mark.filterwarnings("ignore:X .*feature names:UserWarning")
@pytest.mark.parametrize("name", EXTRA)
def test_checks_that_check_estimator_omits_pass(name):
    for cls in {type(estimator) for estimator in ESTIMATORS}:
        if cls is ToDevice and name.endswith("pandas") and "output" in name:
            continue  # set_output has no effect on it
        quick = {} if cls is ToDevice else {"random_state": 0, "max_epochs": 1}
        getattr(checks, name)(cls.__name__, cls(**quick))


@pytest.mark.parametrize("name", WITHOUT_X)
@pytest.mark.parametrize("cls", VECTORIZERS)
def test_vectorizers_pass_the_checks_that_need_no_table(cls, name):
    if not hasattr(checks, name):
        pytest.skip(f"this scikit-learn has no {name}")
    getattr(checks, name)(cls.__name__, cls())
