"""`apply`: the user's own files, by the same code path as `predict`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.cli.apply import _files
from pipelines.core.artifacts import read_csv
from pipelines.core.errors import UserError
from tests.workspace import ROOT, Workspace, one_line_error

GENERATOR = '''"""`scistage apply spectra`: new spectra, flat ones."""

import sys

from pipelines.core.errors import UserError


def add_options(parser):
    parser.add_argument("--n", type=int, default=3, help="how many spectra")
    parser.add_argument("--like", metavar="NAME", help="what they are to be like")


def generate(inputs, options, out):
    assert (inputs.train / "weights.safetensors").is_file() and "out" not in vars(options)
    out.write_text("".join(f"{options.like},{row}\\n" for row in range(options.n)))
    if options.n == 13:
        raise UserError("--n: found 13; give a luckier number")
    print("torch" in sys.modules)
'''


def spectra_of(workspace: Workspace, split: str) -> pd.DataFrame:
    """The spectra of a split as a user's table: a column a wavelength."""
    prepared = workspace.path / "outputs" / "spectra" / "prepare"
    rows = read_csv(prepared / "samples.csv")["split"] == split
    return pd.DataFrame(np.load(prepared / "spectra.npy")[rows]).rename(columns="w{}".format)


def tables(spectra: pd.DataFrame, folder: Path) -> dict[str, Path]:
    """The spectra as they should be, and with a mistake each; `nm.csv` has wavelengths as names."""
    names = ["good.csv", "narrow.csv", "text.csv", "gap.csv", "bare.csv", "nm.csv"]
    files = {name: folder / name for name in names}
    spectra.to_csv(files["good.csv"], index=False)
    spectra.iloc[:, :3].to_csv(files["narrow.csv"], index=False)
    third = np.broadcast_to(np.arange(len(spectra))[:, None] == 2, spectra.shape)
    spectra.astype(object).mask(third, "many").to_csv(files["text.csv"], index=False)
    spectra.mask(third).to_csv(files["gap.csv"], index=False)
    spectra.to_csv(files["bare.csv"], index=False, header=False, float_format="%.2f")
    spectra.set_axis(np.linspace(400, 700, 64), axis=1).to_csv(files["nm.csv"], index=False)
    return files


def test_apply_says_what_predict_said_and_one_line_for_each_mistake(
    finished_spectra: Workspace, tmp_path: Path
) -> None:
    files = tables(spectra_of(finished_spectra, "test"), tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "in.csv").write_bytes(files["good.csv"].read_bytes())
    (folder / "notes.txt").write_text("mine")
    (folder / "more").mkdir()
    out = tmp_path / "out"
    calls = [[files["good.csv"], folder], *([files[n]] for n in files if n != "good.csv")]
    runs = finished_spectra.run_many(
        *[
            ["apply", "spectra", *map(str, call), "-o", str(out / str(i))]
            for i, call in enumerate(calls)
        ]
    )
    assert runs[0].stdout.splitlines() == [
        f"{folder}: not read: more/, notes.txt",
        f"2 files read, 1 written to {out / '0'}",
    ]
    found = read_csv(out / "0" / "predictions.csv")
    said = read_csv(finished_spectra.path / "outputs/spectra/predict/predictions.csv")
    expected = said.query("split == 'test'")["predicted"]
    assert found["file"].unique().tolist() == ["good.csv", "in.csv"]
    assert found["row"].tolist() == [*range(1, 41)] * 2
    assert found["concentration"].tolist() == pytest.approx([*expected, *expected], rel=1e-5)
    assert "narrow.csv: found 3 columns; 64 are needed" in one_line_error(runs[1])
    assert "text.csv: " in one_line_error(runs[2]) and "'many'" in one_line_error(runs[2])
    assert "gap.csv: row 3, column w0: no finite number" in one_line_error(runs[3])
    assert "bare.csv: line 1 is a spectrum; put the names" in one_line_error(runs[4])
    written = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert written == ["0/predictions.csv", "5/predictions.csv"]
    assert not list(out.rglob(".partial-*"))


def test_apply_refuses_before_it_loads_a_model(spectra: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "a.csv").write_text("a\n1\n")
    out = ["-o", str(tmp_path / "out")]
    missing, empty, taken, nothing = spectra.run_many(
        ["apply", "spectra", str(tmp_path / "none.csv"), *out],
        ["apply", "spectra", str(tmp_path / "empty"), *out],
        ["apply", "spectra", str(tmp_path / "a.csv"), "-o", str(tmp_path / "file")],
        ["apply", "nothing", str(tmp_path / "a.csv"), *out],
    )
    (spectra.path / "outputs/spectra/train/weights.safetensors").unlink()
    untrained = spectra.run("apply", "spectra", str(tmp_path / "a.csv"), *out)
    (spectra.path / "domains/spectra/predict/apply.py").unlink()
    unable = spectra.run("apply", "spectra", str(tmp_path / "a.csv"), *out)
    assert "none.csv: not found; name a file or folder" in one_line_error(missing)
    assert "empty: holds no file of type .csv" in one_line_error(empty)
    assert "file: is a file; name a folder to write to" in one_line_error(taken)
    assert "no domain 'nothing'" in one_line_error(nothing)
    assert "train/weights.safetensors: not found; run `scistage repro" in one_line_error(untrained)
    assert "spectra: cannot be applied to files" in one_line_error(unable)
    assert (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / "out").exists()


def test_apply_never_overwrites_its_table(spectra: Workspace, tmp_path: Path) -> None:
    """It may be that of an earlier call, or what is read."""
    mine = tmp_path / "predictions.csv"
    mine.write_text("\n".join(",".join(["0"] * 64) for _ in range(2)) + "\n")
    before = mine.read_bytes()
    run = spectra.run("apply", "spectra", str(tmp_path), "-o", str(tmp_path))
    assert "predictions.csv: is there already; name another -o folder" in one_line_error(run)
    assert mine.read_bytes() == before
    assert [path.name for path in tmp_path.glob("*.csv")] == ["predictions.csv"]


def test_nothing_is_left_of_what_is_ended(tmp_path: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path\n"
        "from pipelines.cli.trained import partial_folder\n"
        "with partial_folder(Path('out')): os.kill(os.getpid(), signal.SIGTERM)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment)
    assert run.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_searched_for_suffixes_of_two_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("b.nii.gz", "A.NII.GZ", "c.gz", ".d.nii.gz", *(f"{k:02}.txt" for k in range(12))):
        (tmp_path / name).write_text("")
    (tmp_path / "out").mkdir()
    found = _files([tmp_path], (".nii.gz", ".tif"), tmp_path / "out")
    assert [file.name for file in found] == ["A.NII.GZ", "b.nii.gz"]
    line = capsys.readouterr().out
    assert line.startswith(f"{tmp_path}: not read: 00.txt, 01.txt, ")
    assert line.endswith("09.txt and 3 more\n")


@pytest.mark.parametrize(
    ("names", "stem"),
    [(("x/a.tif", "y/a.tif"), "a"), (("a.nii.gz", "a.TIF"), "a"), (("a.nii.gz", "a.nii.tif"), "")],
)
def test_files_of_one_stem_are_refused(tmp_path: Path, names: tuple[str, str], stem: str) -> None:
    files = [tmp_path / name for name in names]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text("")
    if not stem:
        assert _files(files, (".nii.gz", ".tif"), tmp_path / "out") == files
        return
    with pytest.raises(UserError, match=f"{files[1].name}: .* has the stem {stem} too"):
        _files(files, (".nii.gz", ".tif"), tmp_path / "out")


@pytest.fixture
def generator(spectra: Workspace) -> Workspace:
    """A workspace whose domain writes new data and reads no files."""
    (spectra.path / "domains/spectra/predict/apply.py").write_text(GENERATOR)
    return spectra


def test_a_generator_takes_its_own_options_and_writes_one_file(
    generator: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "out.csv"
    first = generator.run("apply", "spectra", "--n", "2", "--like", "C-[x]", "-o", str(out))
    assert first.stdout.splitlines() == ["False", f"{out} written"], first.stderr
    assert out.read_text() == "C-[x],0\nC-[x],1\n"
    before = generator.run("apply", "-o", str(out), "spectra", "--n=1")  # -o anywhere
    assert before.returncode == 0, before.stderr
    assert out.read_text() == "None,0\n"
    failed = generator.run("apply", "spectra", "--n", "13", "-o", str(out))
    assert one_line_error(failed) == "scistage: --n: found 13; give a luckier number"
    assert out.read_text() == "None,0\n"
    assert list(out.parent.iterdir()) == [out]


def test_a_generator_names_each_mistake_in_one_line(generator: Workspace, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("mine")
    out = ["-o", str(tmp_path / "out.csv")]
    said = "see `scistage apply spectra --help`"
    expected: dict[str, list[str]] = {
        "apply spectra: 'mine.csv' is not understood: it takes options and no files": [
            "mine.csv",
            *out,
        ],
        f"'--m' is not understood: it takes options and no files; {said}": ["--m", "3", *out],
        f"apply spectra: argument --n: invalid int value: 'many'; {said}": ["--n", "many", *out],
        f"argument --like: expected one argument; {said}": [*out, "--like"],
        f"the following arguments are required: -o/--out; {said}": ["--n", "3"],
        "folder.csv: is a folder; name a file": ["-o", str(tmp_path / "folder.csv")],
        "out.txt: a CSV file is written; give it a name": ["-o", str(tmp_path / "out.txt")],
        "file: cannot be written to (File exists)": ["-o", str(tmp_path / "file" / "out.csv")],
        "cannot be written to (Not a directory)": ["-o", str(tmp_path / "file" / "a" / "out.csv")],
    }
    runs = generator.run_many(*[["apply", "spectra", *call] for call in expected.values()])
    for run, message in zip(runs, expected, strict=True):
        assert message in one_line_error(run)
        assert len(run.stderr.splitlines()) == 1, run.stderr
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["folder.csv"]
    (generator.path / "outputs/spectra/train/weights.safetensors").unlink()
    untrained = generator.run("apply", "spectra", *out)
    assert "train/weights.safetensors: not found; run `scistage repro" in one_line_error(untrained)


TRANSFORMER = '''"""`scistage apply spectra`: a table with one more column."""


def add_options(parser):
    parser.add_argument("--called", default="new", help="name of the column")


def transform(inputs, options, out):
    assert (inputs.train / "weights.safetensors").is_file() and "out" not in vars(options)
    header, *rows = options.table.read_text().splitlines()
    lines = [f"{header},{options.called}", *(f"{row},1" for row in rows)]
    out.write_text("\\n".join(lines))
'''


def test_a_domain_that_transforms_reads_one_table_and_writes_another(
    spectra: Workspace, tmp_path: Path
) -> None:
    (spectra.path / "domains/spectra/predict/apply.py").write_text(TRANSFORMER)
    mine, out = tmp_path / "mine.csv", tmp_path / "sub" / "out.csv"
    mine.write_text("a\n5\n")
    call = ["apply", "spectra", str(mine)]
    good, itself, folder, two, nothing = spectra.run_many(
        [*call, "--called", "b", "-o", str(out)],
        [*call, "-o", str(tmp_path / "sub" / ".." / "mine.csv")],
        [*call, "-o", str(tmp_path)],
        [*call, str(mine), "-o", str(out)],
        ["apply", "spectra", "-o", str(out)],
    )
    usage = spectra.run("apply", "spectra", "--help", COLUMNS="80")
    assert good.stdout == f"{out} written\n" and out.read_text() == "a,b\n5,1"
    assert "mine.csv: is what is read; name another file to write" in one_line_error(itself)
    assert "is a folder; name a file to write" in one_line_error(folder)
    assert "is not understood: it takes one table and options" in one_line_error(two)
    assert "arguments are required: TABLE; see" in one_line_error(nothing)
    assert "usage: scistage apply spectra [-h] [--called CALLED] -o OUT TABLE" in usage.stdout
    assert "example: scistage apply spectra mine.csv -o out.csv" in usage.stdout
    assert mine.read_text() == "a\n5\n"


def test_a_domain_that_reads_files_takes_no_options(spectra: Workspace, tmp_path: Path) -> None:
    file, out = str(tmp_path / "a.csv"), ["-o", str(tmp_path / "out")]
    kind = "it takes files and no options but -o; see `scistage apply spectra --help`"
    option, number, nothing, no_out = spectra.run_many(
        ["apply", "spectra", file, "--seed=1", *out],
        ["apply", "spectra", "--n", "1000", *out],
        ["apply", "spectra", *out],
        ["apply", "spectra", file],
    )
    assert f"apply spectra: '--seed=1' is not understood: {kind}" in one_line_error(option)
    assert f"'--n' is not understood: {kind}" in one_line_error(number)
    assert "arguments are required: FILE|FOLDER; see" in one_line_error(nothing)
    assert "arguments are required: -o/--out; see" in one_line_error(no_out)
    assert not (tmp_path / "out").exists()


def test_the_help_of_a_domain_shows_its_options_and_an_example(generator: Workspace) -> None:
    (generator.path / "outputs/spectra/train/weights.safetensors").unlink()  # not needed for it
    run = generator.run("apply", "spectra", "--help", COLUMNS="80")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("usage: scistage apply spectra [-h] [--n N] [--like NAME] -o OUT")
    for part in ("new spectra, flat ones", "how many spectra", "CSV file to write"):
        assert part in run.stdout
    assert "example: scistage apply spectra -o new.csv" in run.stdout
    assert len(run.stdout.splitlines()) <= 24


def test_paths_are_relative_to_where_the_user_is(generator: Workspace) -> None:
    folder = generator.path / "domains" / "spectra"
    command = [sys.executable, "-m", "pipelines", "apply", "spectra", "-o", "here.csv"]
    environment = generator.environment(PYTHONPATH=str(generator.path))
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    assert (folder / "here.csv").read_text().startswith("None,0\n")
