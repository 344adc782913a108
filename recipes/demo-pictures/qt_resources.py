"""Reads files out of a Qt binary resource collection (.rcc), the form in which gcompris-qt-data ships its photographs.

Layout (Qt's rcc, format versions 1 to 3): a header of big-endian u32 (magic, version, offsets of tree, data and names),
then a tree of fixed-size nodes. A folder's node holds its children's count and first index; a file's node the offset of
its data, which begins with a u32 length.
"""
import struct
import subprocess
import zlib

FOLDER, ZLIB, ZSTD = 2, 1, 4


def read_files(path):
    """Every file of the collection as {path inside it: bytes}."""
    blob = open(path, "rb").read()
    magic, version, tree, data, names = struct.unpack_from(">4s4I", blob)
    if magic != b"qres":
        raise ValueError(f"cannot read {path}: expected a Qt resource collection, found {magic!r}")
    node_bytes = 14 if version == 1 else 22
    files = {}

    def name_at(offset):
        (length,) = struct.unpack_from(">H", blob, names + offset)
        start = names + offset + 6
        return blob[start : start + 2 * length].decode("utf-16-be")

    def walk(index, parts):
        node = tree + index * node_bytes
        name, flags = struct.unpack_from(">IH", blob, node)
        parts = parts + [name_at(name)] if index else parts
        if flags & FOLDER:
            count, first = struct.unpack_from(">II", blob, node + 6)
            for child in range(first, first + count):
                walk(child, parts)
            return
        (offset,) = struct.unpack_from(">I", blob, node + 10)
        (length,) = struct.unpack_from(">I", blob, data + offset)
        content = blob[data + offset + 4 : data + offset + 4 + length]
        if flags & ZLIB:
            content = zlib.decompress(content[4:])
        elif flags & ZSTD:
            content = subprocess.run(["zstd", "-dc"], input=content, capture_output=True, check=True).stdout
        files["/".join(parts)] = content

    walk(0, [])
    return files
