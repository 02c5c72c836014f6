"""What the report says in numbers, names and charts."""

import doctest
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipelines.core.artifacts import write_csv
from pipelines.core.contract import SCORE_COLUMNS
from pipelines.report import formatting
from pipelines.report.charts import curve_chart
from pipelines.report.formatting import DASH, decimals, direction, interval, label, number
from pipelines.report.scores import Headline, Score, headline, read_scores, verdict
from pipelines.report.tables import score_tables, subgroup_tables

# --- scores


def score(row: str, value: float | None, low=None, high=None, source="this run") -> Score:
    return Score(row, "dice", "all", value, low, high, 9, source)


@pytest.mark.parametrize(
    ("row", "source", "kind"),
    [
        ("model", "this run", "model"),
        ("model_rejection", "this run", "model"),
        ("otsu", "this run", "baseline"),
        ("model - otsu", "this run", "difference"),
        ("bayes_optimal", "this run", "bound"),
        ("bayesian_ridge", "this run", "baseline"),
        ("oracle, regression on true anatomy", "this run", "bound"),
        ("U-Net", "arXiv 1505.04597", "published"),
        ("Tiwari 2026 - MPNN", "a paper", "published"),
    ],
)
def test_kind_of_row(row, source, kind):
    assert score(row, 0.5, source=source).kind == kind


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.01, 0.2, "better"),
        (-0.1, 0.2, "unclear"),
        (-0.2, -0.1, "worse"),
        (None, None, "untested"),
    ],
)
def test_outcome_follows_the_paired_interval_of_the_best_baseline(low, high, outcome):
    rows = [score("model", 0.8), score("weak", 0.1), score("strong", 0.7)]
    rows += [score("model - strong", 0.1, low, high), score("model - weak", 0.7, 0.6, 0.8)]
    found = headline(rows, "dice", "")
    assert isinstance(found, Headline)
    assert found.best is not None and found.best.score.row == "strong"
    assert found.outcome == outcome


def test_less_is_better_for_errors():
    rows = [replace(s, metric="age_mae") for s in (score("model", 3.0), score("mean", 7.0))]
    rows += [replace(score("svr", 5.0), metric="age_mae")]
    rows += [replace(score("model - svr", -2.0, -2.5, -1.5), metric="age_mae")]
    found = headline(rows, "age_mae", "years")
    assert found is not None and found.best is not None
    assert (found.best.score.row, found.outcome) == ("svr", "better")


def test_a_metric_of_unknown_direction_ranks_nobody():
    rows = [replace(s, metric="logp") for s in (score("model", 3.0), score("mean", 7.0))]
    found = headline(rows, "logp", "")
    assert found is not None and found.outcome == "unranked"
    assert "unranked" not in verdict([found])


def test_digits_follow_the_models_interval(tmp_path):
    lines = [
        ("model", "dice", "all", 0.9691, 0.9612, 0.9752, 83, "this run"),
        ("otsu", "dice", "all", 0.90123, 0.88, 0.92, 83, "this run"),
        ("model - otsu", "dice", "all", 0.0679, 0.05, 0.08, 83, "this run"),
        ("model - svm", "dice", "all", -0.02, -0.04, -0.00012, 83, "this run"),
        ("model - rf", "dice", "all", -0.0003, -0.0021, 0.0018, 83, "this run"),
        ("StarDist", "dice", "all", 0.9203, None, None, None, "Schmidt et al. 2018"),
    ]
    write_csv(tmp_path / "scores.csv", pd.DataFrame(lines, columns=SCORE_COLUMNS))
    texts = [(s.text, s.interval, s.n) for s in read_scores(tmp_path / "scores.csv")]
    assert texts == [
        ("0.969", "[0.961, 0.975]", 83),
        ("0.901", "[0.880, 0.920]", 83),
        ("+0.068", "[+0.050, +0.080]", 83),
        ("−0.0200", "[−0.0400, −0.0001]", 83),  # on which side of zero is seen
        ("−0.0003", "[−0.0021, +0.0018]", 83),  # narrower than the model's
        ("0.9203", DASH, None),  # as published
    ]


def test_tables_have_at_most_five_metrics_and_lose_none():
    rows = [replace(score("model", 0.5), metric=f"m{k}") for k in range(13)]
    tables = score_tables(rows, ["m12"])
    assert all(len(table.metrics) <= 5 for table in tables)
    metrics = [metric for table in tables for metric in table.metrics]
    assert metrics[0] == "m12" and sorted(metrics) == sorted(s.metric for s in rows)


def test_a_source_that_all_published_rows_share_is_said_once():
    ours, one = score("model", 0.5), score("U-Net", 0.4, source="a paper")
    other = replace(one, row="FCN")
    (table,) = score_tables([ours, one, other], ["dice"])
    published = table.sections[1]
    assert (published.note, [row.note for row in published.rows]) == ("a paper", ["", ""])
    (table,) = score_tables([ours, one, replace(other, source="another")], ["dice"])
    published = table.sections[1]
    assert (published.note, [row.note for row in published.rows]) == ("", ["a paper", "another"])


def test_subgroups_of_one_row_share_a_section_headed_by_the_whole():
    groups = [replace(score("model", 0.5), group=group) for group in ("small", "all", "large")]
    (table,) = subgroup_tables([*groups, score("otsu", 0.4)], ["dice"])
    (section,) = table.sections
    assert section.heading == "Model" and [row.name for row in section.rows] == [
        "All",
        "Small",
        "Large",
    ]


# --- numbers, names, charts


def test_docstrings_run():
    assert doctest.testmod(formatting).failed == 0


@pytest.mark.parametrize(
    ("low", "high", "places"),
    [(0.961, 0.975, 3), (0.5, 0.5, None), (None, 1.0, None), (90.0, 310.0, 0), (13.2, 14.8, 1)],
)
def test_decimals(low, high, places):
    assert decimals(low, high) == places


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_no_number_is_a_dash(value):
    assert number(value) == DASH
    assert interval(value, 1.0) == DASH


@pytest.mark.parametrize(
    ("metric", "sign"),
    [
        ("fcd_test_scaffolds", -1),
        ("variation_of_information", -1),
        ("roc_auc", 1),
        ("logp", 0),
        ("hearing_loss_auc", 1),  # a user's own target
        ("refractive_error_r2", 1),
        ("accuracy_of_aim_mae", -1),
    ],
)
def test_direction(metric, sign):
    assert direction(metric) == sign


def test_label_keeps_the_fields_spelling():
    assert label("systolic_r2") == "Systolic R²"
    assert label("validity") == "Validity"


@pytest.mark.parametrize(
    ("name", "columns", "axis"),
    [
        ("precision_recall", ["recall", "model", "otsu"], "Precision against Recall"),
        ("error_by_age", ["age_years", "mae_model", "mae_mean"], "MAE against Age (years)"),
        ("calibration", ["predicted", "observed", "ideal"], "Observed against Predicted"),
        ("cost", ["n", r"$\frac$"], r"$\frac$ against N"),  # no formula: a name with dollars,
    ],
)
def test_axes_are_named_after_columns(name, columns, axis):
    table = pd.DataFrame({column: [0.1, np.nan, 0.9] for column in columns})
    image, alt = curve_chart(name, table.assign(**{columns[0]: [0, 1, 2]}))
    assert image.startswith(b"\x89PNG") and axis in alt


def test_curve_over_names_and_with_a_band():
    table = pd.DataFrame({"class": ["a", "b"], "f1": [0.2, 0.4], "f1_low": [0.1, 0.3]})
    assert curve_chart("f1_by_class", table.assign(f1_high=[0.3, 0.5]))[1].endswith("interval.")
