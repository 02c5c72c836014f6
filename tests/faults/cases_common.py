"""What any domain must refuse alike: parameters, and where to write."""

from __future__ import annotations

from pathlib import Path

from tests.faults.spoil import Case, linked, nothing, param, replaced, written

# A good call of `apply`.
APPLY = {
    "segmentation": "apply segmentation data/images/0.tif -o out",
    "molecules": "apply molecules --n 5 -o out/new.csv",
    "retina": "apply retina data/000_left.png -o out",
    "screening": "apply screening data/library.csv -o out/new.csv",
}
# What `predict` leaves, and `apply` reads.
LEFT = {
    "segmentation": "predict/postprocess.json",
    "molecules": "predict/draws.json",
    "retina": "predict/calibration.json",
    "screening": "predict/calibration.json",
}


def common(domain: str) -> dict[str, Case]:
    """Mistakes in params.yaml and in what is written."""
    return {**_values(domain), **_texts(domain), **_places(domain)}


def _values(domain: str) -> dict[str, Case]:
    key, check = f"{domain}.prepare", f"check {domain}"
    return {
        "misspelt key": Case(
            replaced("params.yaml", "    shares:", "    share:"),
            check,
            ("params.yaml:", f"{key}.share: unknown key; did you mean 'shares'?"),
        ),
        "wrong type": Case(
            param(f"{key}.seed", "x\ny\x1b"), check, (f"{key}.seed: found 'x\\ny\\x1b'",)
        ),
        "not finite": Case(
            param(f"{key}.shares", [float("nan"), 1.0, 1.0, 1.0]), check, (f"{key}.shares",)
        ),
        "huge value": Case(param(f"{key}.seed", "9" * 10**5), check, (f"{key}.seed: found '999",)),
        "no section": Case(
            replaced("params.yaml", "\n  train:", "\n  trai:"), check, ("train: miss",)
        ),
        "a domain that leaves its folder": Case(
            param("domains", [f"../domains/{domain}"]), check, ("params.yaml: domains: '../domain",)
        ),
        "a domain twice": Case(
            param("domains", [domain] * 2), check, (f"params.yaml: domains: {domain!r} is listed",)
        ),
    }


def _texts(domain: str) -> dict[str, Case]:
    def whole(text: str) -> Case:
        said = ("params.yaml: not valid YAML",)
        return Case(written("params.yaml", text), f"check {domain}", said)

    return {
        "no YAML": whole("a: [\n"),
        "bad date": whole("a: 2001-99-99\n"),
        "deep YAML": whole("[" * 400),
        "aliases of aliases": Case(
            _aliases, f"check {domain}", ("params.yaml: more than 100,000 values",)
        ),
    }


def _places(domain: str) -> dict[str, Case]:
    apply = APPLY[domain]
    one = apply.replace("out/new.csv", "out.csv")  # a file, or a folder
    below = apply if "out/" in apply else apply.replace("out", "out/more")
    return {
        "a preset that leaves its folder": Case(
            nothing, f"preset {domain} ../../../params", ("no preset '../../../params'",)
        ),
        "a file to write into": Case(
            written("dir", ""), one.replace("out", "dir/out"), ("dir", "cannot be written to")
        ),
        "a link to itself to write into": Case(
            linked("out", "out"), below, ("out", "cannot be written to")
        ),
        "what predict left is damaged": Case(
            written(f"outputs/{domain}/{LEFT[domain]}", "{"), apply, (LEFT[domain], "not JSON")
        ),
    }


def _aliases(project: Path) -> None:
    """Ten lines, of which each stands for ten times the one before."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 10)]
    with (project / "params.yaml").open("a") as stream:
        stream.write("\n".join(lines) + "\n")
