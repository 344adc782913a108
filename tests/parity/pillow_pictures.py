"""Writes small pictures of every kind and what Pillow makes of them.

tests/image/golden/pictures/NAME    the files
tests/image/golden/pictures.txt     NAME width height hash: the RGB that transformers' convert_to_rgb gives after exif_transpose
tests/image/golden/pictures/*.rgb   those bytes themselves where decoders differ (HEIC)
tests/hostile/picture/NAME          files that must be refused, named CODE-what

Made with Pillow 13.0.0, pillow-heif 1.x, transformers 5.23.0 (convert_to_rgb), numpy 2.4.6, xxhash 3.x, and Debian's
libavif-bin 0.11.1 (avifenc, for AVIF of more than 8 bits, which Pillow reads but does not write).
"""

import io
import pathlib
import struct
import subprocess
import tempfile
import zlib

import numpy as np
import pillow_heif
import xxhash
from PIL import Image, ImageOps
from transformers.image_transforms import convert_to_rgb

from pillow_noise import noise

TESTS = pathlib.Path(__file__).parent.parent
WIDTH, HEIGHT = 21, 17

pillow_heif.register_heif_opener()


def saved(picture, kind, **options):
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def some_bytes(count, seed):
    return noise(count, 1, 2 * seed).tobytes()[:count]


def gradient(channels):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [(x * 11 + y * 7 * k) % 256 for k in range(1, channels + 1)]
    return np.stack(planes, -1).astype(np.uint8)


def png_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, bits, color_type, seed, chunks=b"", rows=None):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
    row_bytes = (width * channels * bits + 7) // 8
    if rows is None:
        rows = [some_bytes(row_bytes, seed + y) for y in range(height)]
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + chunks + data + png_chunk(b"IEND", b"")


def tiff(width, height, samples, bits, photometric, seed, extra=(), data=None):
    """Uncompressed, one strip, little-endian; `extra` are (tag, values) of 16 bits."""
    if data is None:
        data = some_bytes(height * ((width * samples * bits + 7) // 8), seed)
    entries = [(256, 3, [width]), (257, 3, [height]), (258, 3, [bits] * samples), (259, 3, [1]), (262, 3, [photometric]),
               (273, 4, [8]), (277, 3, [samples]), (278, 3, [height]), (279, 4, [len(data)])]
    entries = sorted(entries + [(tag, 3, list(values)) for tag, values in extra])
    directory_at = 8 + len(data)
    beyond_at = directory_at + 2 + 12 * len(entries) + 4
    directory, beyond = b"", b""
    for tag, kind, values in entries:
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            place = struct.pack("<I", beyond_at + len(beyond))
            beyond += packed
        else:
            place = packed.ljust(4, b"\0")
        directory += struct.pack("<HHI", tag, kind, len(values)) + place
    return b"II*\0" + struct.pack("<I", directory_at) + data + struct.pack("<H", len(entries)) + directory + b"\0" * 4 + beyond


def bmp(width, height, bits, compression=0, data=None, palette=b"", masks=b"", header_bytes=40, colors=0, top_down=False,
        pixels_at=None, seed=0):
    stride = (width * bits + 31) // 32 * 4
    if data is None:
        data = some_bytes(stride * height, seed)
    if header_bytes == 12:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        header = struct.pack("<IiiHHIIiiII", header_bytes, width, -height if top_down else height, 1, bits, compression, len(data),
                             0, 0, colors, 0)
        if header_bytes > 40:
            header += masks.ljust(header_bytes - 40, b"\0")
            masks = b""
    at = 14 + len(header) + len(masks) + len(palette)
    start = b"BM" + struct.pack("<IHHI", at + len(data), 0, 0, at if pixels_at is None else pixels_at)
    return start + header + masks + palette + data


def good_pictures():
    rgb, rgba = Image.fromarray(gradient(3)), Image.fromarray(gradient(4))
    gray = Image.fromarray(gradient(1)[..., 0])
    noisy = Image.fromarray(noise(WIDTH, HEIGHT, 2))
    gray_alpha = Image.merge("LA", (gray, gray.transpose(Image.Transpose.ROTATE_180)))
    bits, palette = gray.convert("1"), rgb.quantize(40)
    cmyk = Image.merge("CMYK", rgba.split())
    wide = Image.fromarray(gradient(1)[..., 0].astype(np.uint16) * 3)
    modes = dict(rgb=rgb, rgba=rgba, gray=gray, gray_alpha=gray_alpha, bits=bits, palette=palette, wide=wide)

    for name, picture in modes.items():
        yield f"{name}.png", saved(picture, "PNG")
    yield "palette_alphas.png", saved(palette, "PNG", transparency=some_bytes(40, 1))
    yield "palette_transparent.png", saved(palette, "PNG", transparency=3)
    yield "gray_transparent.png", saved(gray, "PNG", transparency=int(np.array(gray)[3, 4]))
    yield "rgb_transparent.png", saved(rgb, "PNG", transparency=tuple(int(v) for v in np.array(rgb)[3, 4]))
    yield "wide_transparent.png", saved(wide, "PNG", transparency=int(np.array(wide)[3, 4]))
    for color_type in (0, 2, 4, 6):
        yield f"16bit_type{color_type}.png", png(9, 5, 16, color_type, color_type)
    for depth in (1, 2, 4):
        colors = png_chunk(b"PLTE", some_bytes(3 << depth, depth))
        yield f"gray_{depth}bit.png", png(9, 5, depth, 0, depth)
        yield f"palette_{depth}bit.png", png(9, 5, depth, 3, depth, colors)
        yield f"palette_{depth}bit_alphas.png", png(9, 5, depth, 3, depth, colors + png_chunk(b"tRNS", some_bytes(2, 7)))
    yield "gamma.png", png(9, 5, 8, 2, 3, png_chunk(b"gAMA", struct.pack(">I", 100000)) + png_chunk(b"sRGB", b"\0"))
    yield "bad_profile.png", png(9, 5, 8, 2, 3, png_chunk(b"iCCP", b"x\0\0" + zlib.compress(b"not a profile")))

    for sampling in ("4:4:4", "4:2:2", "4:2:0", "4:1:1"):
        name = sampling.replace(":", "")
        yield f"baseline_{name}.jpg", saved(rgb, "JPEG", quality=70, subsampling=sampling)
        yield f"progressive_{name}.jpg", saved(noisy, "JPEG", quality=50, subsampling=sampling, progressive=True)
    yield "gray.jpg", saved(gray, "JPEG")
    inverted = saved(cmyk, "JPEG", quality=95)
    yield "cmyk.jpg", inverted
    adobe = inverted.find(b"Adobe")
    yield "ycck.jpg", inverted[:adobe + 11] + b"\2" + inverted[adobe + 12:]
    yield "cmyk_without_adobe.jpg", inverted[:adobe - 4] + inverted[adobe - 2 + inverted[adobe - 1]:]
    yield "rgb.jpg", saved(rgb, "JPEG", keep_rgb=True)
    yield "restarts.jpg", saved(noisy, "JPEG", restart_marker_blocks=1)

    yield "lossy.webp", saved(rgb, "WEBP")
    yield "lossless.webp", saved(noisy, "WEBP", lossless=True)
    yield "alpha.webp", saved(rgba, "WEBP", lossless=True)
    yield "animated.webp", saved(rgba, "WEBP", save_all=True, append_images=[rgba.rotate(90)], lossless=True)

    yield "palette.gif", saved(palette, "GIF")
    yield "gray.gif", saved(gray, "GIF")
    yield "transparent.gif", saved(palette, "GIF", transparency=3)
    yield "interlaced.gif", saved(palette, "GIF", interlace=1)
    yield "animated.gif", saved(palette, "GIF", save_all=True, append_images=[rgb.quantize(11), palette])

    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        for name in ("rgb", "palette", "wide", "bits"):
            yield f"{compression}_{name}.tif", saved(modes[name], "TIFF", compression=compression)
    yield "jpeg.tif", saved(rgb, "TIFF", compression="jpeg")
    yield "group4.tif", saved(bits, "TIFF", compression="group4")
    yield "float.tif", saved(gray.convert("F"), "TIFF")
    yield "two_pages.tif", saved(rgb, "TIFF", save_all=True, append_images=[gray])
    yield "big.tif", saved(rgb, "TIFF", big_tiff=True)
    for depth in (8, 16):
        yield f"gray_{depth}.tif", tiff(9, 5, 1, depth, 1, depth)
        yield f"rgb_{depth}.tif", tiff(9, 5, 3, depth, 2, depth)
        yield f"cmyk_{depth}.tif", tiff(9, 5, 4, depth, 5, depth)
        yield f"extra_unspecified_{depth}.tif", tiff(9, 5, 4, depth, 2, depth, [(338, [0])])
        yield f"alpha_{depth}.tif", tiff(9, 5, 4, depth, 2, depth, [(338, [2])])
    yield "alpha_premultiplied.tif", tiff(9, 5, 4, 8, 2, 4, [(338, [1])])
    yield "white_is_zero.tif", tiff(9, 5, 1, 8, 0, 1)
    yield "white_is_zero_1bit.tif", tiff(9, 5, 1, 1, 0, 1)
    yield "gray_4bit.tif", tiff(9, 5, 1, 4, 1, 1)
    yield "palette_4bit.tif", tiff(9, 5, 1, 4, 3, 1, [(320, [257 * value for value in some_bytes(48, 5)])])
    yield "signed_16.tif", tiff(9, 5, 1, 16, 1, 1, [(339, [2])])
    yield "unsigned_32.tif", tiff(9, 5, 1, 32, 1, 1)

    for depth in (1, 4, 8):
        colors = b"".join(some_bytes(3, i) + b"\0" for i in range(1 << depth))
        yield f"palette_{depth}bit.bmp", bmp(9, 5, depth, palette=colors, seed=depth)
        yield f"palette_{depth}bit_top_down.bmp", bmp(9, 5, depth, palette=colors, top_down=True)
        yield f"palette_{depth}bit_forgotten.bmp", bmp(9, 5, depth, palette=colors, pixels_at=54)
        yield f"palette_{depth}bit_os2.bmp", bmp(9, 5, depth, palette=some_bytes(3 << depth, 2), header_bytes=12)
        yield f"palette_{depth}bit_v5.bmp", bmp(9, 5, depth, palette=colors, header_bytes=124)
    yield "few_colors.bmp", bmp(9, 5, 8, data=bytes(v % 12 for v in some_bytes(60, 1)), palette=some_bytes(40, 3), colors=10)
    yield "plain_16.bmp", bmp(9, 5, 16)
    yield "plain_24.bmp", bmp(9, 5, 24)
    yield "plain_32.bmp", bmp(9, 5, 32)
    layouts = dict(rgb565=(16, 0xF800, 0x7E0, 0x1F), rgb555=(16, 0x7C00, 0x3E0, 0x1F), bgr=(24, 0xFF0000, 0xFF00, 0xFF),
                   bgrx=(32, 0xFF0000, 0xFF00, 0xFF), xbgr=(32, 0xFF000000, 0xFF0000, 0xFF00),
                   bgxr=(32, 0xFF000000, 0xFF00, 0xFF))
    for name, (depth, *masks) in layouts.items():
        yield f"fields_{name}.bmp", bmp(9, 5, depth, 3, masks=struct.pack("<3I", *masks))
        yield f"fields_{name}_v3.bmp", bmp(9, 5, depth, 3, masks=struct.pack("<4I", *masks, 0), header_bytes=56)
    alphas = dict(abgr=(0xFF000000, 0xFF0000, 0xFF00, 0xFF), rgba=(0xFF, 0xFF00, 0xFF0000, 0xFF000000),
                  bgra=(0xFF0000, 0xFF00, 0xFF, 0xFF000000), bgar=(0xFF000000, 0xFF00, 0xFF, 0xFF0000), zero=(0, 0, 0, 0))
    for name, masks in alphas.items():
        yield f"fields_{name}.bmp", bmp(9, 5, 32, 3, masks=struct.pack("<4I", *masks), header_bytes=108)
    colors = b"".join(some_bytes(3, i) + b"\0" for i in range(256))
    runs = bytes([4, 7, 0, 0, 6, 1, 0, 0, 0, 3, 9, 8, 7, 0, 3, 2, 0, 1])
    yield "rle8.bmp", bmp(6, 3, 8, 1, runs, colors)
    yield "rle8_jump.bmp", bmp(6, 3, 8, 1, bytes([2, 7, 0, 2, 1, 1, 3, 5, 0, 0, 6, 1, 0, 1]), colors)
    yield "rle8_no_end.bmp", bmp(6, 2, 8, 1, bytes([6, 7, 0, 0, 6, 1]), colors)
    yield "rle8_too_long.bmp", bmp(6, 2, 8, 1, bytes([9, 7, 0, 0, 6, 1, 0, 1]), colors)
    nibbles = bytes([5, 0x12, 0, 0, 6, 0x34, 0, 0, 0, 5, 0x12, 0x34, 0x50, 0, 1, 0x90, 0, 1])
    yield "rle4.bmp", bmp(6, 3, 4, 2, nibbles, colors[:64])

    for name in ("rgb", "gray", "bits", "wide"):
        yield f"{name}.pnm", saved(modes[name], "PPM")
    yield "plain.ppm", b"P3 2 2 # a comment\n 15\n 1 2 3 4 5 6 7 8 9 10 11 15"
    yield "plain.pgm", b"P2\n3 1\n1000\n0 500 1000\n"
    yield "plain.pbm", b"P1\n3 2\n101\n0 1 0\n"
    yield "wide.ppm", b"P6 2 1 1000\n" + struct.pack(">6H", 0, 1, 500, 999, 1000, 77)
    yield "narrow.pgm", b"P5 3 1 100\n" + bytes([0, 50, 200])

    yield from avif_pictures(rgb, rgba)

    for orientation in range(0, 10):
        exif = Image.Exif()
        exif[0x112] = orientation
        yield f"oriented_{orientation}.jpg", saved(rgb, "JPEG", exif=exif)
        if orientation in (3, 6, 7):
            for kind, ending in (("PNG", "png"), ("WEBP", "webp"), ("TIFF", "tif")):
                yield f"oriented_{orientation}.{ending}", saved(rgb, kind, exif=exif)
    packet = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
              b'<rdf:Description tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>')
    yield "oriented_by_xmp.jpg", saved(rgb, "JPEG", xmp=packet)
    oriented = saved(rgb, "JPEG", exif=exif)
    at = oriented.find(b"MM\0*")
    yield "exif_without_end.jpg", oriented[:at + 8] + b"\xff\xff" + oriented[at + 10:]
    yield "exif_elsewhere.jpg", oriented[:at + 4] + b"\xff\xff\xff\xf0" + oriented[at + 8:]
    yield "exif_is_noise.jpg", oriented[:at] + some_bytes(14, 9) + oriented[at + 14:]


def deep_avif(picture, bits, sampling, *options):
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "a.png"), pathlib.Path(folder, "a.avif")
        picture.save(source)
        subprocess.run(["avifenc", "-s", "8", "--min", "8", "--max", "24", "-d", str(bits), "-y", sampling, *options, source, target],
                       check=True, capture_output=True)
        return target.read_bytes()


def avif_pictures(rgb, rgba):
    for sampling in ("4:4:4", "4:2:2", "4:2:0", "4:0:0"):
        name = sampling.replace(":", "")
        for extent in ("full", "limited"):
            yield f"{extent}_{name}.avif", saved(rgb, "AVIF", subsampling=sampling, range=extent)
    yield "alpha.avif", saved(rgba, "AVIF")
    yield "alpha_premultiplied.avif", saved(rgba, "AVIF", alpha_premultiplied=True)
    yield "animated.avif", saved(rgb, "AVIF", save_all=True, append_images=[rgb.rotate(90)])
    for bits in (10, 12):
        for sampling in ("444", "422", "420", "400"):
            yield f"deep_{bits}_{sampling}.avif", deep_avif(rgb, bits, sampling)
            yield f"deep_{bits}_{sampling}_alpha.avif", deep_avif(rgba, bits, sampling, "-r", "limited")
    yield "deep_bt2020.avif", deep_avif(rgb, 10, "420", "--cicp", "9/16/9")
    yield "deep_ycgco.avif", deep_avif(rgb, 10, "444", "--cicp", "1/13/8")
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        yield f"oriented_{orientation}.avif", saved(rgb, "AVIF", exif=exif)
    exif = Image.Exif()
    exif[0x128] = 6  # a tag that Pillow leaves where it is, unlike the orientation's
    yield "oriented_by_exif_only.avif", saved(rgb, "AVIF", exif=exif).replace(b"\x01\x28\0\x03", b"\x01\x12\0\x03", 1)


def close_pictures():
    """Kinds whose decoders differ from Pillow's by a little."""
    smooth = Image.fromarray(np.clip(gradient(3) // 8 + 100, 0, 255).astype(np.uint8)).resize((48, 32), 3)
    turned = Image.Exif()
    turned[0x112] = 6
    yield "smooth.heic", saved(smooth, "HEIF", quality=90)
    yield "oriented.heic", saved(smooth, "HEIF", quality=90, exif=turned)


def hostile_pictures():
    rgb = Image.fromarray(gradient(3))
    yield "limit_exceeded-png", png(60000, 60000, 8, 2, 0, rows=[b""])
    screen = struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + b"\0" * 6
    yield "limit_exceeded-gif", b"GIF89a" + screen + b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\2\1\0\0;"
    yield "limit_exceeded-bmp", bmp(60000, 60000, 24, data=b"")
    yield "limit_exceeded-tiff", tiff(60000, 60000, 3, 8, 2, 0, data=b"\0" * 30)
    yield "limit_exceeded-ppm", b"P6 60000 60000 255\n"
    gray_jpeg = saved(rgb.convert("L"), "JPEG")
    at = gray_jpeg.find(b"\xff\xc0") + 5
    yield "limit_exceeded-jpeg", gray_jpeg[:at] + struct.pack(">HH", 65000, 65000) + gray_jpeg[at + 4:]
    for kind, name in (("HEIF", "heic"), ("AVIF", "avif")):
        held = saved(rgb, kind)
        at = held.rfind(b"ispe") + 8
        yield f"limit_exceeded-{name}", held[:at] + struct.pack(">II", 60000, 60000) + held[at + 8:]
        yield f"corrupt_data-{name}", held[:len(held) * 3 // 4]
    held = saved(Image.new("RGB", (8000, 8000)), "AVIF", speed=10, quality=10)
    at = held.find(b"ispe") + 8
    yield "corrupt_data-avif_larger_inside", held[:at] + struct.pack(">II", 10, 10) + held[at + 8:]
    webp = saved(rgb, "WEBP", lossless=True)
    at = webp.find(b"VP8L") + 9
    yield "corrupt_data-webp_canvas", webp[:at] + struct.pack("<I", 16383 | 16383 << 14) + webp[at + 4:]
    yield "corrupt_data-png_without_pixels", png(0, 5, 8, 2, 0, rows=[b""])
    yield "corrupt_data-ppm_without_pixels", b"P6 0 5 255\n"
    yield "corrupt_data-bmp_negative", bmp(-5, 5, 24, data=b"\0" * 100)
    yield "corrupt_data-bmp_huge_palette", bmp(4, 4, 8, colors=0x7FFFFFFF)
    yield "corrupt_data-bmp_pixels_beyond", bmp(4, 4, 24, pixels_at=0xFFFFFFF0)
    yield "corrupt_data-bmp_promises", bmp(15000, 15000, 24, data=b"")
    yield "corrupt_data-ppm_promises", b"P5 15000 15000 255\nabc"
    yield "corrupt_data-ppm_digits", b"P5 99999999999999999999 1 255\nabc"
    good = saved(rgb, "PNG")
    at = good.find(b"IEND") - 8
    yield "corrupt_data-png_checksum", good[:at] + bytes([good[at] ^ 1]) + good[at + 1:]
    yield "unsupported-bmp_masks", bmp(4, 4, 32, 3, masks=struct.pack("<3I", 0xF0, 0xF00, 0xF000))
    yield "unsupported-bmp_jpeg", bmp(4, 4, 24, 4)
    yield "unsupported-svg", b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>'
    yield "unsupported-pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"
    yield "unsupported-text", b"BMW is a car. P5 is a tyre. GIF is a kind of picture."
    yield "unsupported-empty", b""


def main():
    goldens = TESTS / "image" / "golden"
    (goldens / "pictures").mkdir(parents=True, exist_ok=True)
    lines = []
    for name, content in good_pictures():
        (goldens / "pictures" / name).write_bytes(content)
        pixels = convert_to_rgb(ImageOps.exif_transpose(Image.open(io.BytesIO(content))), return_numpy=True)
        height, width = pixels.shape[:2]
        lines.append(f"{name} {width} {height} {xxhash.xxh3_128_hexdigest(np.ascontiguousarray(pixels).tobytes())}\n")
    (goldens / "pictures.txt").write_text("".join(lines))
    for name, content in close_pictures():
        (goldens / "pictures" / name).write_bytes(content)
        pixels = convert_to_rgb(ImageOps.exif_transpose(Image.open(io.BytesIO(content))), return_numpy=True)
        (goldens / "pictures" / f"{name}.rgb").write_bytes(struct.pack("<II", *pixels.shape[1::-1]) + pixels.tobytes())
    (TESTS / "hostile" / "picture").mkdir(parents=True, exist_ok=True)
    for name, content in hostile_pictures():
        (TESTS / "hostile" / "picture" / name).write_bytes(content)


if __name__ == "__main__":
    main()
