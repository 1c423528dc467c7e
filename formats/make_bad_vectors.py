#!/usr/bin/env python3
"""Makes the bad vectors and expected.json: python3 formats/make_bad_vectors.py

Takes good-gzip apart and puts it together again with exactly one defect, every checksum that is not
the defect itself made right again. What is written never changes once a version is released; the
script is kept to show what each defect is. The codes are those of `ArchiveError`, read by index and
as a stream.
"""
import hashlib, io, json, pathlib, struct, zlib

import reader

FOLDER = pathlib.Path(__file__).parent / "vectors"
GOOD = FOLDER / "good-gzip.archive.gz"
TERM, GZIP_START = b"\xff" * 4, b"\x1f\x8b\x08" + bytes(7)
# Chunks of good-gzip: 0 prelude, 1 to 3 special, 4 to 6 shop.orders, 7 its end, 8 the odd name, 9
# its end, 10 mixed. The chunk that is damaged is the second of shop.orders.
USERS, ORDERS, ORDERS_END, ODD_END, MIXED = 1, 5, 7, 9, 10


def sealed_header(header, **changes):
    """A chunk header's bytes, its own CRC-64 made right."""
    data = reader.HEADER.pack(*header._replace(**changes))[:64]
    return data + struct.pack("<Q", reader.crc64(data))


def frame(header, hidden, body, **changes):
    """A gzip frame; `changes` are made to its header when everything else has been made right."""
    payload = hidden + body
    header = header._replace(stored=88 + len(payload), payload_crc=reader.crc64(payload))
    length = 72 + len(hidden)
    prefix = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H2sH", length + 4, b"CN", length)
    return prefix + sealed_header(header, **changes) + payload


def deflated(raw):
    """A gzip member's body with one stored block: the same bytes whatever zlib there is."""
    block = b"\x01" + struct.pack("<2H", len(raw), len(raw) ^ 0xFFFF) + raw
    return block + struct.pack("<2I", zlib.crc32(raw), len(raw))


class Chunk:
    """A chunk, to be changed: its header, its compressed body, its keys as the row has them."""

    def __init__(self, header, body, keys):
        self.header, self.body, self.keys = header, body, keys
        self.after, self.row, self.prefix, self.gap = {}, {}, {}, b""

    @property
    def raw(self):
        return reader.inflate(GZIP_START + self.body, self.header.raw)

    @raw.setter
    def raw(self, raw):
        self.body, self.header = deflated(raw), self.header._replace(raw=len(raw))

    def stored(self):
        data = bytearray(frame(self.header, b"", self.body, **self.after))
        for at, value in self.prefix.items():
            data[at] = value
        return bytes(data)


def manifest(walk):
    """The manifest's bytes, out of an archive that was read."""
    return bytes(walk.index[:len(walk.index) - len(walk.rows) * reader.ROW.size])


def summary(path):
    """What is in a good archive, as expected.json has it."""
    walk = reader.Walk()
    with open(path, "rb") as file:
        walk.run(file)
    found = reader.fields(manifest(walk))
    entries = [reader.fields(entry) for entry in reader.fields(found["namespaces"]).values()]
    names = [dict({key: entry[key] for key in ("db", "collection", "documents", "bytes")},
                  crc64=f"{entry['crc64']:016x}", fingerprint=entry["fingerprint"][5:].hex())
             for entry in entries]
    return {"codec": found["codec"], "chunks": len(walk.rows), "documents": found["documents"],
            "bytes": found["document_bytes"], "seal": hashlib.sha256(walk.index).hexdigest(),
            "namespaces": names}


class Archive:
    """good-gzip taken apart."""

    def __init__(self):
        file, walk = io.BytesIO(GOOD.read_bytes()), reader.Walk()
        walk.run(io.BytesIO(GOOD.read_bytes()))
        self.manifest, self.chunks = manifest(walk), []
        for row in reader.ROW.iter_unpack(walk.index[len(self.manifest):]):
            header, _, frame = reader.read_frame(file)
            self.chunks.append(Chunk(header, frame[88:], row[8:10] + row[12:14]))
        self.trailer, self.sha256 = {}, None

    def set_number(self, name, ordinal, value):
        """Overwrites an int64 of a namespace of the manifest."""
        at = -1
        for _ in range(ordinal + 1):
            at = self.manifest.index(b"\x12" + name.encode() + b"\0", at + 1)
        at += len(name) + 2
        self.manifest = self.manifest[:at] + struct.pack("<Q", value) + self.manifest[at + 8:]

    def replace(self, old, new):
        """Replaces bytes of the manifest by as many others."""
        assert len(old) == len(new) and self.manifest.count(old) == 1, old
        self.manifest = self.manifest.replace(old, new)

    def row(self, chunk, offset, stored):
        header, keys = chunk.header, chunk.keys
        row = dict(offset=offset, stored=len(stored), raw=header.raw, bytes=header.bytes,
                   documents=header.documents, blocks=header.blocks, ordinal=header.ordinal,
                   kind=header.kind, small=keys[0], large=keys[1], reserved=0, crc=header.crc,
                   smallest=keys[2], largest=keys[3], sha256=hashlib.sha256(stored).digest(),
                   zero=0)
        return reader.ROW.pack(*dict(row, **chunk.row).values())

    def bytes(self):
        """The whole file, with index and trailer made for it."""
        data, rows = b"", b""
        for number, chunk in enumerate(self.chunks):
            chunk.header = chunk.header._replace(sequence=number)
            data += chunk.gap
            stored = chunk.stored()
            rows, data = rows + self.row(chunk, len(data), stored), data + stored
        index, empty = self.manifest + rows, b"\x03" + bytes(9)
        header = reader.Header(b"CRNC", 1, 7, 1, 0, len(self.chunks), reader.NONE, *[0] * 8)
        frames = frame(header, index, empty)
        fields = dict(magic=b"CAIRNEND", offset=len(data), stored=len(frames),
                      manifest=len(self.manifest), chunks=len(self.chunks), reserved=0,
                      sha256=hashlib.sha256(index).digest())
        hidden = struct.pack("<8s5Q32s", *dict(fields, **self.trailer).values())
        trailer = frame(header._replace(kind=8, sequence=len(self.chunks) + 1), hidden, empty)
        return data + frames + trailer

    def offset(self, number):
        """Where a chunk starts while nothing is changed; the index frame follows the last."""
        return sum(len(chunk.stored()) for chunk in self.chunks[:number])


BAD = {}


def bad(index, stream=None, **also):
    """Registers a defect: a function that changes an archive, or returns a whole file's bytes."""
    def register(function):
        codes = dict(index=index, stream=stream or index, **also)
        BAD[function.__name__.replace("_", "-")] = (function, codes)
        return function
    return register


def flipped(archive, at):
    data = bytearray(archive.bytes())
    data[at] ^= 1
    return bytes(data)


# Files that are no archive, cut ones, and ones with a bit flipped.

@bad("truncated")
def empty_file(archive):
    return b""


@bad("not_an_archive")
def not_an_archive(archive):
    return b"This is a text about archives. " * 20


@bad("truncated")
def truncated_trailer(archive):
    return archive.bytes()[:-1]


@bad("truncated")
def truncated_chunk(archive):
    return archive.bytes()[:archive.offset(ORDERS) + 100]


@bad("truncated")
def missing_index(archive):
    return archive.bytes()[:archive.offset(len(archive.chunks))]


@bad("truncated")
def missing_trailer(archive):
    return archive.bytes()[:-178]


@bad("truncated", "malformed")
def trailing_byte(archive):
    return archive.bytes() + b"\0"


@bad("checksum_mismatch")
def header_crc(archive):
    return flipped(archive, archive.offset(ORDERS) + 16 + 64)


@bad("checksum_mismatch")
def payload_flip(archive):
    return flipped(archive, archive.offset(ORDERS) + 100)


@bad("checksum_mismatch")
def index_flip(archive):
    return flipped(archive, archive.offset(len(archive.chunks)) + 500)


# Frames and chunk headers.

@bad("malformed")
def prefix_time(archive):
    archive.chunks[ORDERS].prefix[4] = 1


@bad("unsupported_version")
def version(archive):
    archive.chunks[ORDERS].after["version"] = 2


@bad("unsupported_version")
def kind(archive):
    archive.chunks[ORDERS].after["kind"] = 6


@bad("unsupported_version")
def codec(archive):
    archive.chunks[ORDERS].after["codec"] = 9


@bad("unsupported_version")
def reserved_byte(archive):
    archive.chunks[ORDERS].after["reserved"] = 1


@bad("malformed")
def sequence(archive):
    archive.chunks[ORDERS].after["sequence"] = 7


@bad("length_out_of_bounds")
def huge_length(archive):
    archive.chunks[ORDERS].after["stored"] = (1 << 63) - 1


@bad("length_out_of_bounds")
def huge_raw_length(archive):
    archive.chunks[ORDERS].after["raw"] = (1 << 63) - 1


def recount(archive, **changes):
    """Changes fields of a chunk header and, so that they agree, of its row."""
    archive.chunks[ORDERS].header = archive.chunks[ORDERS].header._replace(**changes)


@bad("codec_failed")
def raw_length(archive):
    recount(archive, raw=archive.chunks[ORDERS].header.raw + 1)


@bad("checksum_mismatch")
def gzip_crc32(archive):
    chunk = archive.chunks[ORDERS]
    chunk.body = chunk.body[:-8] + bytes([chunk.body[-8] ^ 1]) + chunk.body[-7:]


@bad("checksum_mismatch")
def gzip_length(archive):
    chunk = archive.chunks[ORDERS]
    chunk.body = chunk.body[:-4] + bytes([chunk.body[-4] ^ 1]) + chunk.body[-3:]


@bad("checksum_mismatch")
def documents_count(archive):
    recount(archive, documents=archive.chunks[ORDERS].header.documents + 1)


@bad("checksum_mismatch")
def blocks_count(archive):
    recount(archive, blocks=archive.chunks[ORDERS].header.blocks + 1)


@bad("checksum_mismatch")
def document_crc(archive):
    recount(archive, crc=archive.chunks[ORDERS].header.crc ^ 1)


@bad("malformed")
def ordinal(archive):
    recount(archive, ordinal=3)


@bad("malformed")
def gap(archive):
    archive.chunks[ORDERS].gap = bytes(10)


# Content.

@bad("checksum_mismatch")
def eof_crc(archive):
    chunk = archive.chunks[ORDERS_END]
    chunk.raw = chunk.raw[:-6] + bytes([chunk.raw[-6] ^ 1]) + chunk.raw[-5:]


@bad("truncated")
def missing_chunk(archive):
    """The last chunk is gone, and with it all of three namespaces."""
    archive.chunks.pop()


@bad("malformed")
def missing_eof(archive):
    del archive.chunks[ODD_END]
    archive.set_number("last_chunk", 3, ODD_END - 1)
    for ordinal in (4, 5, 6):
        archive.set_number("first_chunk", ordinal, MIXED - 1)
        archive.set_number("last_chunk", ordinal, MIXED - 1)


@bad("malformed")
def unknown_namespace(archive):
    chunk = archive.chunks[ORDERS]
    chunk.raw = chunk.raw.replace(b"orders", b"0rders", 1)


@bad("malformed")
def after_end(archive):
    """The end of shop.orders, right for the chunks before it, comes before its last data chunk."""
    end = archive.chunks.pop(ORDERS_END)
    end.raw = end_block(end.raw, archive.chunks[ORDERS - 1:ORDERS + 1])
    archive.chunks.insert(ORDERS + 1, end)


def end_block(raw, chunks):
    """An end block with the CRC-64 of the documents of these chunks."""
    crc = 0
    for chunk in chunks:
        at = reader.number(chunk.raw[:4])
        crc = reader.crc64(chunk.raw[at:-4], crc)
    return raw[:-13] + struct.pack("<Q", crc) + raw[-5:]


@bad("malformed")
def end_with_documents(archive):
    chunk, document = archive.chunks[ORDERS_END], b"\x05\0\0\0\0"
    chunk.raw = chunk.raw[:-4] + document + TERM
    chunk.header = chunk.header._replace(documents=1, bytes=5, crc=reader.crc64(document))


@bad("malformed")
def document_length(archive):
    chunk = archive.chunks[ORDERS]
    at = reader.number(chunk.raw[:4])
    chunk.raw = chunk.raw[:at] + struct.pack("<I", 4) + chunk.raw[at + 4:]


@bad("malformed")
def missing_terminator(archive):
    chunk = archive.chunks[ORDERS]
    chunk.raw = chunk.raw[:-4]


@bad("malformed")
def prelude_tail(archive):
    archive.chunks[0].raw += b"\x05\0\0\0\0" + TERM


@bad("malformed")
def interleaved(archive):
    """The end of shop.orders comes after the next namespace has begun."""
    archive.chunks.insert(ORDERS_END + 1, archive.chunks.pop(ORDERS_END))
    archive.set_number("last_chunk", 2, ORDERS_END + 1)
    archive.set_number("first_chunk", 3, ORDERS_END)


@bad("malformed")
def special_after_data(archive):
    archive.chunks.insert(MIXED - 1, archive.chunks.pop(USERS))
    for ordinal, (first, last) in enumerate([(9, 9), (1, 2), (3, 6), (7, 8)]):
        archive.set_number("first_chunk", ordinal, first)
        archive.set_number("last_chunk", ordinal, last)


@bad("malformed")
def late_prelude(archive):
    chunk = Chunk(archive.chunks[0].header, b"", archive.chunks[0].keys)
    chunk.raw = b"what no mongodump archive ends with"
    archive.chunks.append(chunk)


# Index and trailer.

@bad("checksum_mismatch")
def sha_of_row(archive):
    archive.chunks[ORDERS].row["sha256"] = bytes(32)


@bad("malformed")
def row_offset(archive):
    archive.chunks[ORDERS].row["offset"] = 1


@bad("checksum_mismatch")
def row_documents(archive):
    archive.chunks[ORDERS].row["documents"] = 1


@bad("length_out_of_bounds")
def row_key_length(archive):
    archive.chunks[ORDERS].row["small"] = 33


@bad("malformed")
def row_key_order(archive):
    small, large, smallest, largest = archive.chunks[ORDERS].keys
    archive.chunks[ORDERS].keys = (large, small, largest, smallest)


@bad("malformed")
def row_reserved(archive):
    archive.chunks[ORDERS].row["zero"] = 1


@bad("checksum_mismatch")
def trailer_sha(archive):
    archive.trailer["sha256"] = bytes(32)


@bad("malformed")
def trailer_offset(archive):
    archive.trailer["offset"] = archive.offset(len(archive.chunks)) + 1


@bad("length_out_of_bounds")
def trailer_chunks(archive):
    archive.trailer["chunks"] = (1 << 63) - 1


@bad("unsupported_version")
def manifest_version(archive):
    archive.replace(b"\x10format_version\0\1", b"\x10format_version\0\2")


@bad("malformed")
def manifest_prelude_mismatch(archive):
    archive.replace(b"strict\0", b"strich\0")


@bad("malformed")
def manifest_namespace_missing(archive):
    """The last namespace, which has no documents, is cut off the end of manifest and array."""
    array = archive.manifest.index(b"\x04namespaces\0") + 12
    last = archive.manifest.rindex(b"\x036\0")
    inner = archive.manifest[array + 4:last] + b"\0"
    outer = archive.manifest[4:array] + struct.pack("<I", len(inner) + 4) + inner + b"\0"
    archive.manifest = struct.pack("<I", len(outer) + 4) + outer


@bad("checksum_mismatch")
def manifest_documents(archive):
    archive.set_number("documents", 3, 13)
    archive.set_number("documents", 0, 21)


@bad("checksum_mismatch")
def manifest_huge_counts(archive):
    """Three namespaces of 2^63 - 1 documents each: their sum does not fit into 64 bits."""
    for ordinal in (1, 2, 3):
        archive.set_number("documents", ordinal, (1 << 63) - 1)


@bad("checksum_mismatch")
def manifest_total(archive):
    archive.set_number("documents", 0, 21)


@bad("checksum_mismatch")
def manifest_crc(archive):
    archive.set_number("crc64", 2, 1)


@bad("checksum_mismatch")
def manifest_first_chunk(archive):
    archive.set_number("first_chunk", 2, ORDERS)


@bad("checksum_mismatch", second_reader="accepts")
def fingerprint(archive):
    at = archive.manifest.index(b"\x05fingerprint\0") + 18
    archive.manifest = archive.manifest[:at] + b"fingerprint 0123" + archive.manifest[at + 16:]


def made(defect):
    """The bytes of the bad archive that a defect makes."""
    archive = Archive()
    data = defect(archive)
    return archive.bytes() if data is None else data


def main():
    assert Archive().bytes() == GOOD.read_bytes(), "an unchanged archive is made again as it was"
    expected = {"good": {}, "bad": {}}
    for path in sorted(FOLDER.glob("good-*")):
        expected["good"][path.name] = summary(path)
    for name, (defect, codes) in BAD.items():
        file = f"bad-{name}.archive.gz"
        (FOLDER / file).write_bytes(made(defect))
        expected["bad"][file] = codes
    text = json.dumps(expected, indent=1, ensure_ascii=False)
    (FOLDER / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
