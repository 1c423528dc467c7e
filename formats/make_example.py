#!/usr/bin/env python3
"""Writes the worked example of archive.md: python3 formats/make_example.py

It takes a vector apart as archive.md says, field by field, and prints what stands between the
marks in section 12. example_test.py compares.
"""
import io, pathlib, struct, sys

sys.dont_write_bytecode = True
import reader

VECTOR = "good-gzip.archive.gz"
# Which chunk is shown: the first with documents of an ordinary collection.
SEQUENCE = 4
NAMES = {1: "prelude", 2: "special", 3: "data", 4: "end", 5: "mixed", 7: "index", 8: "trailer"}
HEADER_FIELDS = (
    ("magic", 4), ("version", 1), ("kind", 1), ("codec", 1), ("reserved", 1), ("sequence", 4),
    ("namespace_ordinal", 4), ("stored_bytes", 8), ("raw_bytes", 8), ("documents", 4),
    ("blocks", 4), ("document_bytes", 8), ("document_crc64", 8), ("payload_crc64", 8),
    ("header_crc64", 8),
)  # fmt: skip
TRAILER_FIELDS = (
    ("magic", 8), ("index_offset", 8), ("index_stored_bytes", 8), ("manifest_bytes", 8),
    ("chunks", 8), ("reserved", 8), ("index_sha256", 32),
)  # fmt: skip


def spaced(data):
    return data.hex(" ").upper()


def meaning(name, data):
    """A field's value, as a reader of the table would say it."""
    value = int.from_bytes(data, "little")
    if name == "magic":
        return f'"{data.decode()}"'
    if name == "kind":
        return f"{value}: {NAMES[value]}"
    if name == "codec":
        return f"{value}: {reader.CODECS[value]}"
    if name.endswith("crc64"):
        return f"{value:016X}"
    if name == "index_sha256":
        return "the seal"
    return "none" if name == "namespace_ordinal" and value == reader.NONE else f"{value}"


def rows(fields, data, at):
    """A row of a table for each field."""
    made = []
    for name, size in fields:
        part = data[:size]
        data = data[size:]
        made.append(f"| {at} | `{spaced(part)}` | {name} | {meaning(name, part)} |")
        at += size
    return made


def head_rows(frame, at):
    """The gzip member's header and its extra field, up to the chunk header."""
    length, name, sub = struct.unpack("<H2sH", frame[10:16])
    return [
        f"| {at} | `{spaced(frame[:10])}` | gzip member | deflate, FEXTRA |",
        f"| {at + 10} | `{spaced(frame[10:12])}` | XLEN | {length} |",
        f"| {at + 12} | `{spaced(frame[12:14])}` | subfield | \"{name.decode()}\" |",
        f"| {at + 14} | `{spaced(frame[14:16])}` | its length | {sub} |",
    ]


def frames(data):
    """Offset, header, hidden bytes and bytes of each frame."""
    file, at = io.BytesIO(data), 0
    while at < len(data):
        header, hidden, frame = reader.read_frame(file)
        yield at, header, hidden, frame
        at += len(frame)


def content_rows(raw):
    """The blocks of a chunk: namespace headers, documents, terminators."""
    made, at = [], 0
    is_header = True
    while at < len(raw):
        size = int.from_bytes(raw[at:at + 4], "little")
        if size == reader.NONE:
            made.append(f"| {at} | 4 | TERM |")
            at, is_header = at + 4, True
            continue
        what = "a document"
        if is_header:
            found = reader.fields(raw[at:at + size])
            end = "true" if found["EOF"] == b"\1" else "false"
            what = f"namespace header: {found['db']}.{found['collection']}, EOF {end}"
        made.append(f"| {at} | {size} | {what} |")
        at, is_header = at + size, False
    return made


def text():
    data = (pathlib.Path(__file__).parent / "vectors" / VECTOR).read_bytes()
    every = list(frames(data))
    at, header, _, frame = every[SEQUENCE]
    raw = reader.inflate(frame, header.raw)
    end, _, hidden, trailer = every[-1]
    head = ["| at | bytes | field | value |", "|---|---|---|---|"]
    place = f"begins at byte {at} and has {len(frame)} bytes"
    lines = [f"The chunk with `sequence` {SEQUENCE} {place}:"]
    lines += ["", *head, *head_rows(frame, at), *rows(HEADER_FIELDS, frame[16:88], at + 16)]
    packed = f"deflate stream, CRC-32, ISIZE: {len(frame) - 88} bytes"
    lines += [f"| {at + 88} | `{spaced(frame[88:96])} …` | {packed} | |"]
    lines += ["", f"It decodes to {len(raw)} bytes, which are one block:", ""]
    lines += ["| at | bytes | |", "|---|---|---|", *content_rows(raw)]
    lines += ["", f"The trailer frame is the last {len(trailer)} bytes of the file:", ""]
    lines += [*head, *head_rows(trailer, end), *rows(HEADER_FIELDS, trailer[16:88], end + 16)]
    lines += rows(TRAILER_FIELDS, hidden, end + 88)
    ending = trailer[88 + len(hidden):]
    lines += [f"| {end + 88 + len(hidden)} | `{spaced(ending)}` | nothing, CRC-32, ISIZE | |"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
