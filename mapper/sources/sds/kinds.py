"""Which files may be DICOM: by their names first, by their preamble where the name says otherwise."""

from pathlib import Path, PurePosixPath

IMAGES = {
    **dict.fromkeys((".nii", ".nii.gz", ".hdr", ".img"), "NIfTI"),
    **dict.fromkeys((".nrrd", ".nhdr", ".seg.nrrd"), "NRRD"),
    **dict.fromkeys((".mha", ".mhd"), "MetaImage"),
    **dict.fromkeys((".tif", ".tiff", ".ome.tif", ".ome.tiff", ".svs"), "TIFF"),
    **dict.fromkeys((".jpg", ".jpeg"), "JPEG"),
    **dict.fromkeys((".jp2", ".jpx", ".j2k"), "JPEG 2000"),
    **dict.fromkeys((".mnc",), "MINC"),
    **dict.fromkeys((".png",), "PNG"),
    **dict.fromkeys((".czi", ".lif", ".nd2", ".vsi"), "microscope"),
}
"""Suffix -> the format of an image that is no DICOM."""
DICOM = frozenset({"", ".dcm", ".dicom", ".ima", ".dic"})
"""Suffixes under which DICOM files go; so do those that are digits alone."""
TEXTS = frozenset({"readme", "changes", "changelog", "license", "copying", "authors", "makefile"})
"""Names without a suffix that are texts."""
PREAMBLE = 128


def image_format(file: str) -> str | None:
    """Return the format of an image that is no DICOM, as its name says.

    >>> image_format("primary/sub-1/T1.nii.gz"), image_format("a.dcm")
    ('NIfTI', None)
    """
    name = PurePosixPath(file).name.lower()
    suffixes = PurePosixPath(name).suffixes
    return IMAGES.get("".join(suffixes[-2:])) or IMAGES.get("".join(suffixes[-1:]))


def may_be_dicom(path: Path) -> bool:
    """Tell whether it is worth to read a file as DICOM."""
    suffix = path.suffix.lower()
    if (suffix in DICOM or suffix[1:].isdigit()) and path.name.lower() not in TEXTS:
        return True
    try:
        with path.open("rb") as stream:
            stream.seek(PREAMBLE)
            return stream.read(4) == b"DICM"  # PS3.10 section 7.1
    except OSError:
        return False
