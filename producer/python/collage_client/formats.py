"""The names of image formats by the first bytes of a file, as imaging/format.h has them in C++."""

import re

# What a file has, where, and the format that it then is of; the first row that fits decides.
MAGICS = (
    (b"\xff\xd8\xff", 0, "JPEG"), (b"\x89PNG\r\n\x1a\n", 0, "PNG"), (b"GIF8", 0, "GIF"),
    (b"WEBP", 8, "WebP"),
    (b"CR\x02", 8, "camera raw"), (b"FUJIFILMCCD-RAW", 0, "camera raw"),
    (b"IIU\0", 0, "camera raw"), (b"IIRO", 0, "camera raw"), (b"IIRS", 0, "camera raw"),
    (b"MMOR", 0, "camera raw"),
    (b"II*\0", 0, "TIFF"), (b"MM\0*", 0, "TIFF"), (b"II+\0", 0, "BigTIFF"),
    (b"MM\0+", 0, "BigTIFF"), (b"II\xbc\x01", 0, "JPEG XR"),
    (b"%PDF", 0, "PDF"), (b"%!PS", 0, "PostScript"), (b"\xc5\xd0\xd3\xc6", 0, "PostScript"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", 0, "JPEG 2000"), (b"\xff\x4f\xff\x51", 0, "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", 0, "JPEG XL"), (b"\xff\x0a", 0, "JPEG XL"),
    (b"8BPS", 0, "PSD"), (b"DDS ", 0, "DDS"), (b"qoif", 0, "QOI"),
    (b"\x76\x2f\x31\x01", 0, "OpenEXR"),
    (b"#?RADIANCE", 0, "Radiance"), (b"#?RGBE", 0, "Radiance"), (b"SIMPLE  =", 0, "FITS"),
    (b"AT&TFORM", 0, "DjVu"), (b"icns", 0, "ICNS"), (b"\xabKTX ", 0, "KTX"),
    (b"\x8aMNG\r\n\x1a\n", 0, "MNG"), (b"\x8bJNG\r\n\x1a\n", 0, "MNG"),
    (b"\xd7\xcd\xc6\x9a", 0, "WMF"), (b" EMF", 40, "WMF"), (b"gimp xcf", 0, "XCF"),
)
AVIF = (b"avif", b"avis")
HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # Sizes of the second header.
PROLOG_MAX = 64 * 1024  # Bytes of an XML file before its root.


def format_of(image: bytes) -> str:
    """The name that people use, "JPEG 2000"; "unknown" for all that is no image that we know."""
    for magic, at, name in MAGICS:
        if image.startswith(magic, at):
            if name == "WebP" and not image.startswith(b"RIFF"):
                return "unknown"
            return "Apple CgBI" if name == "PNG" and image.startswith(b"CgBI", 12) else name
    if image.startswith(b"ftyp", 4):
        return _format_of_boxes(image)
    return _format_of_header(image[:18]) or ("SVG" if _is_svg(image[:PROLOG_MAX]) else "unknown")


def _format_of_boxes(image: bytes) -> str:
    """A file of boxes: its first box, ftyp, names the brands that the file obeys."""
    size = min(len(image), 256, image[2] * 256 + image[3])
    brands = [image[at:at + 4] for at in (8, *range(16, size, 4)) if at + 4 <= size]
    if any(brand in AVIF for brand in brands):
        return "AVIF"
    if any(brand in HEIC for brand in brands):
        return "HEIC"
    return "camera raw" if b"crx " in brands else "MP4 or another file of boxes"


def _format_of_header(header: bytes) -> str:
    """Of formats with so short a magic that more of the header must fit; empty if it is none."""
    byte = [*header] + [256] * (18 - len(header))  # 256: what is not there fits nothing.
    if header.startswith(b"BM") and byte[14] in BMP_HEADERS and byte[15:18] == [0, 0, 0]:
        return "BMP"
    # Icons (1) and cursors (2): at least one picture, and the reserved byte of the first is zero.
    if header.startswith((b"\0\0\1\0", b"\0\0\2\0")) and byte[4] + byte[5] > 0 and byte[9] == 0:
        return "ICO"
    if byte[0] == 0x0a and byte[1] in (0, 2, 3, 4, 5) and byte[2] == 1 and byte[3] in (1, 2, 4, 8):
        return "PCX"
    if (header.startswith(b"\x01\xda") and byte[2] in (0, 1) and byte[3] in (1, 2)
            and byte[4] == 0 and byte[5] in (1, 2, 3)):
        return "SGI"
    if byte[0] == ord("P") and byte[1] in [*b"1234567Ff"] and byte[2] in [*b"\n \r\t"]:
        return "Netpbm"
    return ""


def _is_svg(text: bytes) -> bool:
    # In UTF-16, every second byte is zero.  No other format with such a beginning is text.
    if text.startswith((b"\xff\xfe<\0", b"\xfe\xff\0<")):
        return True
    text = text.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    while text.startswith((b"<!--", b"<?")):
        end = b"-->" if text.startswith(b"<!--") else b"?>"
        text = text.partition(end)[2].lstrip(b" \t\r\n")
    if text.startswith(b"<!DOCTYPE"):
        return text.startswith(b"<!DOCTYPE svg")
    root = re.match(rb"<([^ \t\r\n/>]*)", text)
    return root is not None and (root[1] == b"svg" or root[1].endswith(b":svg"))
