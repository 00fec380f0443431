"""scikit-learn's own checks, all of them, with no expected failure."""

import pytest
import sklearn
import sklearn.utils.estimator_checks as checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.fixes import parse_version

from sklearn_tree import (
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    RNNClassifier,
    RNNRegressor,
    TreeVectorizer,
)

ESTIMATORS = [
    RecursiveNetClassifier(random_state=0),
    RecursiveNetClassifier("nary_lstm", pooling="mean"),
    RecursiveNetRegressor(random_state=0),
    RNNClassifier(random_state=0),
    RNNRegressor("gru", pooling="attention", random_state=0),
]
# Checks that check_estimator leaves out.
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


def test_no_check_is_skipped_by_a_tag():
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
def test_checks_that_check_estimator_leaves_out_pass(name):
    for cls in (RecursiveNetClassifier, RecursiveNetRegressor, RNNClassifier, RNNRegressor):
        getattr(checks, name)(cls.__name__, cls(random_state=0))


def test_the_vectorizers_parameters_are_validated():
    checks.check_no_attributes_set_in_init("TreeVectorizer", TreeVectorizer())
    checks.check_parameters_default_constructible("TreeVectorizer", TreeVectorizer())
    checks.check_estimator_cloneable("TreeVectorizer", TreeVectorizer())
    checks.check_get_params_invariance("TreeVectorizer", TreeVectorizer())
