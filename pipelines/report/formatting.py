"""Numbers and names for readers: digits follow the interval, names follow the field."""

import math
import re

DASH = "–"
_LOWER = (
    "error mae mse rmse nrmse mape smape loss hausdorff distance fcd brier ece nll crps wer cer "
    "perplexity variation"
)
_HIGHER = (
    "dice iou jaccard f1 ap auc auroc auprc psnr ssim ndcg r2 precision recall accuracy "
    "sensitivity specificity kappa mcc snn pearson spearman correlation validity valid unique "
    "uniqueness novelty filters enrichment ef bedroc"
)
_SPELT = (
    "IoU F1 AP AUC AUROC AUPRC ROC PR MAE MSE RMSE NRMSE MAPE SMAPE CRPS WER CER PSNR SSIM NDCG "
    "FCD SNN ECE NLL MCC EF BEDROC SMILES QED SA KL GAN CNN SVM "
    "BMI SVR PCA UMAP EM Dice Hausdorff Brier Tanimoto Bayes Otsu BRICS"
)
_SYMBOLS = "years days hours minutes mmHg nm mm px bp Da Hz ms"
LOWER_IS_BETTER = frozenset(_LOWER.split())
HIGHER_IS_BETTER = frozenset(_HIGHER.split())
_WORDS = {
    **{word.lower(): word for word in _SPELT.split()},
    "r2": "R²",
    "logp": "logP",
    "ngram": "n-gram",
    "unet": "U-Net",
    "u-net": "U-Net",
    "lr": "learning rate",
    "val": "validation",
}
_UNITS = {
    **{word.lower(): word for word in _SYMBOLS.split()},
    "um": "µm",
    "percent": "%",
    "degrees": "°",
}
_THRESHOLDED = frozenset({"f1", "ap", "iou", "precision", "recall"})


def direction(metric: str) -> int:
    """+1 if more is better, -1 if less is better, 0 if the name does not tell.

    The last word that tells decides: the first ones may name what is measured.

    >>> direction("fcd_test"), direction("hearing_loss_auc"), direction("logp")
    (-1, 1, 0)
    """
    for word in reversed(metric.lower().split("_")):
        if word in LOWER_IS_BETTER or word in HIGHER_IS_BETTER:
            return -1 if word in LOWER_IS_BETTER else 1
    return 0


def label(name: str, capital: bool = True) -> str:
    """A snake-case name in words.

    >>> label("age_mae"), label("f1_50"), label("ap_50_90"), label("unique_10k")
    ('Age MAE', 'F1@0.50', 'AP@0.50:0.90', 'Unique@10k')
    >>> label("iou_threshold", capital=False), label("pixel_error", capital=False)
    ('IoU threshold', 'pixel error')
    """
    if name == "hausdorff_95":
        return "Hausdorff 95\u00a0%"
    words = name.replace("_", " ").split()
    if words and words[0].lower() in _THRESHOLDED:
        marks = [f"0.{word}" for word in words[1:] if re.fullmatch(r"[1-9]\d", word)]
        if marks and len(marks) == len(words) - 1:
            words = [words[0] + "@" + ":".join(marks)]
    text = " ".join(_word(word) for word in words)
    text = re.sub(r" (\d+k)\b", r"@\1", text)
    return text[:1].upper() + text[1:] if capital else text


def _word(word: str) -> str:
    stem, at, rest = word.partition("@")
    return _WORDS.get(stem.lower(), stem) + at + rest


def axis(name: str) -> str:
    """A column's name as an axis label; a unit at its end goes into brackets.

    >>> axis("age_years"), axis("recall")
    ('Age (years)', 'Recall')
    """
    stem, _, last = name.rpartition("_")
    if stem and last.lower() in _UNITS:
        return f"{label(stem)} ({_UNITS[last.lower()]})"
    return label(name)


def decimals(low: float | None, high: float | None) -> int | None:
    """Decimals worth printing: two digits of the half-width if it starts below 3.55, else one.

    The rounding rule of the Particle Data Group. None without a proper interval.
    """
    if low is None or high is None or not math.isfinite(high - low) or high <= low:
        return None
    half = (high - low) / 2
    exponent = math.floor(math.log10(half))
    digits = 2 if half / 10**exponent < 3.55 else 1
    return max(0, digits - 1 - exponent)


def number(value: object, places: int | None = None, signed: bool = False) -> str:
    """A number as text: `places` decimals, or four significant digits; a dash if there is none.

    >>> number(0.96949, 3), number(1234567), number(float("nan")), number(-0.5, 2, signed=True)
    ('0.969', '1\\u202f234\\u202f567', '–', '−0.50')
    >>> number(-0.001, 2), number(-0.001, 2, signed=True)
    ('0.00', '−0.00')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return DASH
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        text = f"{value:,}"
    elif places is not None:
        text = f"{value:,.{places}f}"
    else:
        text = f"{value:.4g}" if 1e-4 <= abs(value) < 1e4 or value == 0 else _extreme(value)
    text = text.replace(",", "\u202f").replace("-", "−")
    if signed:  # on which side of zero a difference lies stays to be seen
        return "+" + text if value > 0 else text
    return text if re.search("[1-9]", text) else text.removeprefix("−")


def _extreme(value: float) -> str:
    if abs(value) >= 1e4:
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"
    return f"{value:.3g}"


def interval(
    low: float | None, high: float | None, places: int | None = None, signed: bool = False
) -> str:
    """`[0.961, 0.975]`, or a dash."""
    if low is None or high is None or not math.isfinite(high - low):
        return DASH
    return f"[{number(low, places, signed)}, {number(high, places, signed)}]"


def plain(value: object, longest: int = 120) -> str:
    """Any JSON value in one short line, for tables of settings and findings."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        text = ", ".join(plain(item) or '""' for item in value) or DASH
        return text if len(text) <= longest else f"{text[:longest].rstrip(' ,')} … ({len(value)})"
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items()) or DASH
    return number(value)
