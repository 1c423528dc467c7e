#!/usr/bin/env python3
"""Checks a Cairn archive: python3 formats/reader.py FILE

Written from archive.md alone. Exits 0, or 1 with one sentence that says what is wrong, and where.
"""
import functools, hashlib, struct, sys, zlib
from collections import namedtuple

DOCUMENT_MAX, RAW_MAX, STORED_MAX, SLICE_MAX = 16 << 20, 64 << 20, 65 << 20, 65459
MANIFEST_MAX, CHUNKS_MAX, NONE, ONES = 1 << 30, 1 << 28, (1 << 32) - 1, (1 << 64) - 1
PRELUDE, SPECIAL, DATA, END, MIXED, INDEX, TRAILER = 1, 2, 3, 4, 5, 7, 8
STAGES = {PRELUDE: 0, SPECIAL: 1, DATA: 2, END: 2, MIXED: 2, INDEX: 3, TRAILER: 4}
CODECS = {1: "gzip", 2: "zstd", 3: "lz4"}
SPECIALS = [("admin", "system.users"), ("admin", "system.roles"), ("admin", "system.version")]
HEADER, ROW = struct.Struct("<4s4B2I2Q2I4Q"), struct.Struct("<4Q3I4BQ32s32s32sQ")
Header = namedtuple("Header", "magic version kind codec reserved sequence ordinal stored raw "
                    "documents blocks bytes crc payload_crc header_crc")
BSON_SIZES = {2: 4, 3: 0, 4: 0, 5: 5, 8: 1, 9: 8, 16: 4, 18: 8}  # 2 to 5: and the stated length
number = functools.partial(int.from_bytes, byteorder="little")
DECODERS = {2: lambda text: text[4:-1].decode(), 16: number, 18: number}
CRC_TABLE = list(range(256))
for _ in range(8):
    CRC_TABLE = [value >> 1 ^ 0xC96C5795D7870F42 * (value & 1) for value in CRC_TABLE]

def require(condition, what):
    if not condition:
        raise ValueError(what)

def crc64(data, before=0):
    """CRC-64/XZ of bytes that follow others, whose CRC-64 is `before`."""
    value = before ^ ONES
    for byte in data:
        value = CRC_TABLE[(value ^ byte) & 255] ^ value >> 8
    return value ^ ONES

def fields(document):
    """A document's fields by name: strings, int32 and int64 as such, all else as bytes."""
    found, at = {}, 4
    while document[at]:
        kind, start = document[at], document.index(0, at + 1) + 1
        stated = number(document[start:start + 4]) if kind <= 5 else 0
        name, at = document[at + 1:start - 1].decode(), start + BSON_SIZES[kind] + stated
        found[name] = DECODERS.get(kind, bytes)(document[start:at])
    require(at + 1 == len(document) == number(document[:4]), "a document's fields do not fill it")
    return found

def runs(data):
    """Section 5: the documents before each TERM, and at last those behind all of them."""
    found, at = [[]], 0
    while at < len(data):
        size = number(data[at:at + 4])
        document, at = data[at:at + size], at + (4 if size == NONE else size)
        if size == NONE:
            found.append([])
        else:
            whole = 5 <= size == len(document) <= DOCUMENT_MAX and document[-1] == 0
            require(whole, "a document has a wrong length, or does not end in 0")
            found[-1].append(document)
    return found

def read_frame(file):
    """Sections 3 and 4: a frame's header, hidden bytes (of a frame without content), all bytes."""
    start = file.read(80)
    start += file.read(8) if start[:1] == b"\x1f" else b""
    require(len(start) >= 80, "the file ends before its trailer frame does")
    header = Header._make(HEADER.unpack(start[-72:]))
    magic, version, kind, codec, reserved = header[:5]
    require((magic, version, reserved) == (b"CRNC", 1, 0), "no frame of version 1 starts here")
    require(crc64(start[-72:-8]) == header.header_crc, "the header's CRC-64 does not match")
    require(kind in STAGES and codec in CODECS, f"kind {kind} or codec {codec} is unknown")
    shape = header.ordinal != NONE, any(header[9:13]), header.raw != 0
    right = kind in (SPECIAL, DATA, END), PRELUDE < kind < INDEX, kind < INDEX
    fits = header.raw <= RAW_MAX and len(start) <= header.stored <= STORED_MAX
    require(shape == right and fits, "the header contradicts itself or a limit")
    payload = file.read(header.stored - len(start))
    require(len(start + payload) == header.stored, "the file ends before its trailer frame does")
    require(crc64(payload) == header.payload_crc, "the payload's CRC-64 does not match")
    ending = b"\x03" + bytes(9) if codec == 1 and not header.raw else b""
    hidden = b"" if header.raw else payload[:len(payload) - len(ending)]
    length = 72 + min(len(hidden), SLICE_MAX)
    gzip = b"\x1f\x8b\x08\4\0\0\0\0\0\xff" + struct.pack("<H2sH", length + 4, b"CN", length)
    prefix = gzip if codec == 1 else b"\x5c\x2a\x4d\x18" + struct.pack("<I", length)
    require(start[:-72] == prefix and payload.endswith(ending), "the prefix or ending is wrong")
    return header, hidden, start + payload

def inflate(frame, size):
    decoder = zlib.decompressobj(31)  # gzip, with CRC-32 and ISIZE
    raw = decoder.decompress(frame, size + 1)
    require((decoder.eof, decoder.unused_data, len(raw)) == (True, b"", size), "raw_bytes is wrong")
    return raw

class Walk:
    """One pass over a file, and where it is: at frame `sequence`, which starts at `offset`."""

    def __init__(self):
        self.sequence = self.offset = self.stage = self.codec = 0
        self.rows, self.index, self.namespaces, self.open = [], bytearray(), {}, PRELUDE

    def run(self, file):
        while self.stage < STAGES[TRAILER]:
            header, hidden, frame = read_frame(file)
            self.codec, stage = self.codec or header.codec, STAGES[header.kind]
            right = self.codec, self.sequence, max(stage, self.stage) if self.rows else 0
            require((header.codec, header.sequence, stage) == right, "the frame is out of order")
            self.stage = stage
            if header.kind == TRAILER:
                require(not file.read(1), "something follows the trailer frame")
                self.check_index(hidden)
            self.index += hidden if header.kind == INDEX else b""
            if header.raw:
                if self.codec == 1:
                    read = self.read_blocks if stage else self.read_prelude
                    read(header, inflate(frame, header.raw))
                self.rows.append((self.offset, *header[7:9], header.bytes, *header[9:11],
                                  header.ordinal, header.kind, 0, header.crc,
                                  hashlib.sha256(frame).digest(), 0))
            self.sequence, self.offset = self.sequence + 1, self.offset + header.stored

    def read_prelude(self, header, data):
        """A piece of the prelude: magic and header document, then namespaces, at last TERM."""
        first = header.sequence == 0
        require(not first or data[:4] == b"\x6d\xe2\x99\x81", "this is no mongodump archive")
        documents, *rest = runs(data[4 * first:])
        require(self.open == PRELUDE and rest in ([], [[]]), "the prelude ends too early")
        self.open = None if rest else PRELUDE
        for entry in map(fields, documents[first:]):
            read = {"uuid": None, "ordinal": len(self.namespaces), **fields(entry["cairn"])}
            read.update((name, entry[name]) for name in ("db", "collection", "type"))
            read.update(documents=0, bytes=0, crc64=0, first_chunk=None)
            self.namespaces[read["db"], read["data_collection"]] = read

    def read_blocks(self, header, data):
        """A chunk's blocks; their totals must be those of the chunk header."""
        *blocks, rest = runs(data)
        content = b"".join(document for _, *documents in blocks for document in documents)
        totals = sum(map(len, blocks)) - len(blocks), len(blocks), len(content), crc64(content)
        require(totals == header[9:13] and not rest, "the chunk's totals do not match")
        for head, *documents in blocks:
            self.add_block(header, head, documents, b"".join(documents))
        require(header.kind != MIXED or not self.open, "a mixed chunk leaves a namespace open")

    def add_block(self, header, head, documents, content):
        """Section 5.4: a block must have the right header, be in turn and in the right chunk."""
        found = fields(head)
        name, is_end = (found.get("db"), found.get("collection")), found.get("EOF") == b"\1"
        require(name in self.namespaces, f"the namespace {name} is not in the prelude")
        namespace = self.namespaces[name]
        right = [*name, bytes([is_end]), namespace["crc64"] if is_end else 0]
        right = list(found.items()) == list(zip(("db", "collection", "EOF", "CRC"), right))
        right = right and len(head) == 50 + len("".join(name).encode())
        require(right, f"the CRC-64 of {name} does not match, or its block's header is wrong")
        kinds = (SPECIAL,) if name in SPECIALS else (MIXED, END if is_end else DATA)
        fits = header.kind in kinds and header.ordinal in (namespace["ordinal"], NONE)
        require(fits and not (is_end and documents), f"a block of {name} is in the wrong chunk")
        if self.open is None and namespace["first_chunk"] is None:
            self.open, namespace["first_chunk"] = namespace, header.sequence
        require(self.open is namespace, f"{name} begins before another ends, or again")
        self.open, namespace["last_chunk"] = None if is_end else namespace, header.sequence
        namespace["documents"] += len(documents)
        namespace["bytes"] += len(content)
        namespace["crc64"] = crc64(content, namespace["crc64"])

    def check_index(self, trailer):
        """Section 6: trailer, rows and manifest must follow from the chunks that went by."""
        end, size, docs = (sum(row[column] for row in self.rows) for column in (1, 3, 4))
        at, chunks = len(self.index) - len(self.rows) * ROW.size, len(self.rows)
        require(5 <= at <= MANIFEST_MAX and chunks <= CHUNKS_MAX, "the index has a wrong length")
        sha256 = hashlib.sha256(self.index).digest()
        right = struct.pack("<8s5Q32s", b"CAIRNEND", end, self.offset - end, at, chunks, 0, sha256)
        require(trailer == right, "the trailer does not follow from what is before it")
        for n, row in enumerate(ROW.iter_unpack(self.index[at:])):
            require(row[:8] + row[10:12] + row[14:] == self.rows[n], f"row {n} does not match")
            fits = all(size <= 32 and not any(key[size:]) for size, key in zip(row[8:10], row[12:]))
            fits = fits and bool(row[8]) == bool(row[9]) and row[12] <= row[13]
            require(fits and (row[7] == DATA or not row[8]), f"the keys of row {n} are wrong")
        manifest = fields(bytes(self.index[:at]))
        array = fields(manifest["namespaces"])
        stated = [{"uuid": None, "ordinal": int(n), **fields(array[n])} for n in array]
        whole = self.open is None and len(self.namespaces) == len(stated) or self.codec != 1
        require(whole, "a namespace is not in the manifest or the prelude, or does not end")
        seen = dict(format_version=1, codec=CODECS[self.codec], documents=docs, document_bytes=size)
        for said, read in zip([manifest, *stated], [seen, *self.namespaces.values()]):
            wrong = sorted(dict(read.items() - said.items()))
            require(not wrong, f"{wrong} in the manifest ({said.get('collection')!r}) do not match")
        firsts = [self.namespaces[n]["first_chunk"] for n in SPECIALS if n in self.namespaces]
        require(firsts == sorted(firsts), "the special namespaces are out of order")

def main(path):
    walk = Walk()
    try:
        with open(path, "rb") as file:
            walk.run(file)
    except (OSError, LookupError, TypeError, ValueError, zlib.error) as error:
        what = error if type(error) is ValueError else f"it cannot be read: {error}"
        sys.exit(f"{path}: {what} (chunk {walk.sequence}, offset {walk.offset})")
    unread = "" if walk.codec == 1 else f"content, which needs {CODECS[walk.codec]}, and "
    print(f"{path}: whole, {len(walk.rows)} chunks. Not checked: {unread}fingerprints")

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else __doc__)
