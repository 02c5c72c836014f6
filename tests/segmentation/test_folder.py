"""A folder of the user's own, of every kind that is to work with parameters alone."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from domains.segmentation.prepare import folder
from domains.segmentation.prepare.arrays import read_samples, write_samples
from tests.segmentation.cases import discs, groups, params
from tests.segmentation.files import dicom, nifti


def _by_name(samples):
    return {sample.name: sample for sample in samples}


def _stack(kind, patient, shape=(4, 20, 24)):
    """(planes, H, W) images with a disc in each plane, and the masks."""
    mask = discs(shape[1:], (8, 9 + patient, 5))
    noise = np.random.default_rng(patient).random(shape) * 50
    return (noise + 100 * (mask > 0)).astype(kind), np.repeat(mask[None], len(noise), axis=0)


def test_a_folder_is_read_whole_and_split_by_group(data):
    groups(data, [f"{k}.tif,{'abcd'[k // 2]}" for k in range(8)])
    samples = folder.load(params(data))
    assert len(samples) == 8
    assert len({s.mask.shape for s in samples}) == 8
    for group in "abcd":
        assert len({s.split for s in samples if s.group == group}) == 1
    assert {s.split for s in samples} == {"train", "validation", "test"}
    assert all(s.mask.max() == 2 for s in samples)
    assert len(folder.files(params(data))) == 17


def test_splits_can_be_fixed_by_the_user(data):
    splits = ["train"] * 6 + ["validation", "test"]
    groups(data, [f"{k}.tif,{k},{splits[k]}" for k in range(8)], "file,group,split")
    assert [s.split for s in folder.load(params(data))] == splits


def test_photographs_of_mixed_sizes_with_binary_masks(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for k in range(5):
        mask = discs((30 + k, 40 - k), (10, 10, 5)) > 0
        colour = np.random.default_rng(k).integers(0, 255, (*mask.shape, 3), np.uint8)
        suffix = (".jpg", ".JPEG")[k % 2]
        Image.fromarray(colour).save(tmp_path / "images" / f"{k}{suffix}", format="JPEG")
        Image.fromarray(255 * mask.astype(np.uint8)).save(tmp_path / "masks" / f"{k}.png")
    settings = params(tmp_path, labels="binary")
    samples = folder.load(settings)
    assert {s.image.shape for s in samples} == {(30 + k, 40 - k, 3) for k in range(5)}
    for sample in samples:
        np.testing.assert_array_equal(sample.mask, discs(sample.mask.shape, (10, 10, 5)))
    form = folder.form(settings, samples)
    assert (form.channels, form.outputs, form.pixel_size_um) == (3, 2, None)
    write_samples(tmp_path, samples, form)
    back = read_samples(tmp_path, "train", "validation", "test")
    for before, after in zip(samples, back, strict=True):
        np.testing.assert_array_equal(before.image, after.image)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_nifti_volume_of_each_patient(tmp_path, axis):
    zooms = [0.6, 0.6, 0.6]
    zooms[axis] = 3.0
    for patient in range(3):
        images, masks = (np.moveaxis(a, 0, axis) for a in _stack(np.int16, patient))
        nifti(tmp_path / "images" / f"p{patient}.nii.gz", images, zooms)
        nifti(tmp_path / "masks" / f"p{patient}.nii.gz", masks.astype(np.float32), zooms)
    settings = params(tmp_path, labels="binary", slice_axis=axis, pixel_size_um="from_files")
    samples = folder.load(settings)
    assert [s.name for s in samples[:5]] == [*(f"p0-z00{k}" for k in range(4)), "p1-z000"]
    assert {(s.group, s.split) for s in samples} == {(s.group, s.split) for s in samples[::4]}
    for patient in range(3):
        images, masks = _stack(np.int16, patient)
        for k in range(4):
            sample = _by_name(samples)[f"p{patient}-z00{k}"]
            np.testing.assert_array_equal(sample.image[..., 0], images[k])
            np.testing.assert_array_equal(sample.mask, masks[k])
    form = folder.form(settings, samples)
    assert form.pixel_size_um == pytest.approx(600) and form.slice_axis == axis
    about = folder.about(settings, samples, form)
    assert "12 grey images or slices of your own (3 NIfTI files)" in about["description"]
    assert "Pixel size: 600 µm as the files state." in about["notes"]


@pytest.mark.parametrize("subfolders", [False, True])
def test_a_dicom_series_of_each_patient(tmp_path, subfolders):
    for patient in range(3):
        images, masks = _stack(np.uint16, patient)
        for k in range(4):
            name = f"scan{patient}/{k}" if subfolders else f"{patient}_{k}"
            # An anonymiser's one PatientID, or one for each.
            stated = {"PatientID": "anonymous" if subfolders else f"id{patient}"}
            stated |= {"PixelSpacing": [0.5, 0.5], "RescaleIntercept": -1024, "RescaleSlope": 1}
            dicom(tmp_path / "images" / f"{name}.dcm", images[k], **stated)
            path = tmp_path / "masks" / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(masks[k].astype(np.uint8)).save(path)
    settings = params(tmp_path, labels="binary", pixel_size_um="from_files")
    samples = folder.load(settings)
    assert folder.form(settings, samples).pixel_size_um == pytest.approx(500)
    found = _by_name(samples)
    for patient in range(3):
        images, masks = _stack(np.uint16, patient)
        for k in range(4):
            sample = found[f"scan{patient}-{k}" if subfolders else f"{patient}_{k}"]
            assert sample.group == (f"scan{patient}" if subfolders else f"id{patient}")
            np.testing.assert_array_equal(sample.image[..., 0], images[k] - 1024.0)
            np.testing.assert_array_equal(sample.mask, masks[k])


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_multi_page_tiffs_are_one_group_each(tmp_path, kind):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for k in range(3):
        images, masks = _stack(kind, k)
        images[0] = 7  # planes of one value may be alike in two groups
        grey = {"photometric": "minisblack", "bigtiff": True}
        stated = {"resolution": (2e4, 2e4), "resolutionunit": "CENTIMETER"}
        tifffile.imwrite(tmp_path / "images" / f"{k}.tif", images, **grey, **stated)
        tifffile.imwrite(tmp_path / "masks" / f"{k}.tif", masks.astype(np.uint8), **grey)
    settings = params(tmp_path, pixel_size_um="from_files")
    samples = folder.load(settings)
    assert len({s.group for s in samples}) == 3 and len(samples) == 12
    assert folder.form(settings, samples).pixel_size_um == pytest.approx(0.5)
    for k in range(1, 4):
        image = _by_name(samples)[f"2-z00{k}"].image
        np.testing.assert_array_equal(image[..., 0], _stack(kind, 2)[0][k])


def test_groups_name_files_by_their_path_and_links_are_followed(data, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("store")
    for name in ("images", "masks"):
        (data / name / "a").mkdir()
        for k in range(4):
            (data / name / f"{k}.tif").rename(data / name / "a" / f"{k}.tif")
        (data / name / "a").rename(elsewhere / name)
        (data / name / "a").symlink_to(elsewhere / name)
    assert {s.group for s in folder.load(params(data))} == set("a4567")
    lines = [f"a/{k}.tif,{k % 2}" for k in range(4)] + [f"{k}.tif,{k % 2 + 2}" for k in range(4, 8)]
    groups(data, lines)
    found = _by_name(folder.load(params(data)))
    assert set(found) == {"a-0", "a-1", "a-2", "a-3", "4", "5", "6", "7"}
    assert [found[name].group for name in ("a-0", "a-1", "a-2", "4")] == ["0", "1", "0", "2"]
