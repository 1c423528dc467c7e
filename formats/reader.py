#!/usr/bin/env python3
"""Checks a Cairn archive: python3 formats/reader.py FILE [--json]

Written from archive.md alone, with nothing but the standard library of Python 3.9. Walks the file
from frame to frame, checks all that section 8 asks of a reader that wants to be sure, and prints
what is in it. Exits 0 when the archive is whole, otherwise 1 with one sentence: what and where.
"""
import functools, hashlib, json, struct, sys, zlib
from collections import namedtuple
try:
    import xxhash
except ImportError:
    xxhash = None

DOCUMENT_MAX, RAW_MAX, STORED_MAX, SLICE_MAX = 16 << 20, 64 << 20, 65 << 20, 65459
MANIFEST_MAX, CHUNKS_MAX, NAMESPACES_MAX, INDEX_MAX = 1 << 30, 1 << 28, 1 << 24, 64 << 30
PRELUDE, SPECIAL, DATA, END, MIXED, INDEX, TRAILER = 1, 2, 3, 4, 5, 7, 8
STAGES = {PRELUDE: 0, SPECIAL: 1, DATA: 2, END: 2, MIXED: 2, INDEX: 3, TRAILER: 4}
CODECS, NONE, TERM, MASK = ("", "gzip", "zstd", "lz4"), 0xFFFFFFFF, b"\xff" * 4, (1 << 64) - 1
HEADER, ROW = struct.Struct("<4s4B2I2Q2I4Q"), struct.Struct("<4Q3I4BQ32s32s32sQ")
Header = namedtuple("Header", "magic version kind codec reserved sequence ordinal stored raw "
                    "documents blocks bytes crc payload_crc header_crc")
SPECIALS = [("admin", "system.users"), ("admin", "system.roles"), ("admin", "system.version")]
SAME = ("db", "collection", "type", "data_collection", "options", "indexes", "uuid")
COUNTED = ("documents", "bytes", "crc64", "first_chunk", "last_chunk")


class Damaged(Exception):
    """The file is not a whole archive; says why."""


def require(condition, what):
    if not condition:
        raise Damaged(what)


CRC_TABLE = [functools.reduce(lambda value, _: value >> 1 ^ 0xC96C5795D7870F42 * (value & 1),
                              range(8), byte) for byte in range(256)]


@functools.lru_cache(maxsize=64)
def crc64(data, before=0):
    """CRC-64/XZ of bytes that follow others, whose CRC-64 is `before`."""
    value = before ^ MASK
    for byte in data:
        value = CRC_TABLE[(value ^ byte) & 255] ^ value >> 8
    return value ^ MASK


def document_at(data, at, size_max=DOCUMENT_MAX):
    """The bytes of the BSON document at an offset."""
    size = int.from_bytes(data[at:at + 4], "little")
    require(5 <= size <= min(size_max, len(data) - at), "a document's length is wrong")
    require(data[at + size - 1] == 0, "a document does not end in 0")
    return data[at:at + size]


def fields(document):
    """A document's fields by name: strings, booleans and integers as such, the rest as bytes."""
    found, at = {}, 4
    sizes = {0x01: 8, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8}
    decoders = {0x02: lambda value: value[4:-1].decode(), 0x08: lambda value: value != b"\0",
                0x10: lambda value: int.from_bytes(value, "little"),
                0x12: lambda value: int.from_bytes(value, "little")}
    try:
        while document[at]:
            kind, start = document[at], document.index(0, at + 1) + 1
            length = int.from_bytes(document[start:start + 4], "little")
            size = {0x02: length + 4, 0x03: length, 0x04: length, 0x05: length + 5}.get(kind)
            end = start + (sizes[kind] if size is None else size)
            name, value = document[at + 1:start - 1].decode(), document[start:end]
            found[name], at = decoders.get(kind, bytes)(value), end
        require(at == len(document) - 1, "the fields of a document do not fill it")
    except (IndexError, KeyError, ValueError):
        raise Damaged("a document of the format cannot be read") from None
    return found


def read_exactly(file, count):
    data = file.read(count)
    require(len(data) == count, "the file ends before its trailer frame does")
    return data


def read_header(file):
    """Section 4: what can be said of a chunk header by itself."""
    data = read_exactly(file, HEADER.size)
    header = Header._make(HEADER.unpack(data))
    require(header.magic == b"CRNC", "there is no chunk header")
    require(crc64(data[:64]) == header.header_crc, "the header's CRC-64 does not match")
    require(header.version == 1, f"version {header.version} is unknown")
    require(header.kind in STAGES, f"kind {header.kind} is unknown")
    require(header.codec in (1, 2, 3), f"codec {header.codec} is unknown")
    empty, one = header.kind in (INDEX, TRAILER), header.kind in (SPECIAL, DATA, END)
    require(header.raw <= RAW_MAX and (header.raw == 0) == empty, "raw_bytes is beyond its limits")
    require((header.ordinal != NONE) == one and not header.reserved, "the header is contradictory")
    require(header.stored <= STORED_MAX, "stored_bytes is beyond its limits")
    return header, data


def read_frame(file):
    """Section 3: the next frame's header, hidden bytes, stored content, and all its bytes."""
    prefix = read_exactly(file, 8)
    prefix += read_exactly(file, 8) if prefix[:2] == b"\x1f\x8b" else b""
    known = prefix[:4] in (b"\x1f\x8b\x08\x04", b"\x5c\x2a\x4d\x18")
    require(known, "no frame of an archive starts here")
    header, data = read_header(file)
    empty = header.kind in (INDEX, TRAILER)
    ending = b"\x03" + bytes(9) if empty and header.codec == 1 else b""
    size = header.stored - len(prefix + data)
    require(size >= len(ending), "stored_bytes is beyond its limits")
    payload = read_exactly(file, size)
    require(crc64(payload) == header.payload_crc, "the payload's CRC-64 does not match")
    hidden = payload[:size - len(ending)] if empty else b""
    require(not empty or payload == hidden + ending, "a frame without content has some")
    require(len(hidden) <= SLICE_MAX, "an index slice is too long")
    length = HEADER.size + len(hidden)
    start = b"\x5c\x2a\x4d\x18" + struct.pack("<I", length)
    if header.codec == 1:
        start = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H2sH", length + 4, b"CN", length)
    require(prefix == start, "the bytes in front of the chunk header do not follow from it")
    return header, hidden, payload, prefix + data + payload


def inflate(payload, raw_bytes):
    """A gzip chunk's content; zlib checks CRC-32 and ISIZE, here behind a header without FEXTRA."""
    decoder = zlib.decompressobj(31)
    try:
        raw = decoder.decompress(b"\x1f\x8b\x08" + bytes(7) + payload, raw_bytes + 1)
    except zlib.error as error:
        raise Damaged(f"the chunk cannot be decoded: {error}") from None
    whole = decoder.eof and not decoder.unused_data and len(raw) == raw_bytes
    require(whole, "the stored bytes do not decode to raw_bytes")
    return raw


class Content:
    """Section 5: the mongodump archive inside, and what was read of each namespace."""

    def __init__(self):
        self.namespaces, self.ordinals, self.open, self.special = [], {}, None, 0
        self.started = self.complete = False

    def read_prelude(self, data):
        """A piece of the prelude: magic and header document, then namespaces, at last TERM."""
        at = 0
        if not self.started:
            require(data[:4] == b"\x6d\xe2\x99\x81", "the content is not a mongodump archive")
            at, self.started = 4 + len(document_at(data, 4)), True
        while at < len(data):
            require(not self.complete, "something follows the end of the prelude")
            self.complete = data[at:at + 4] == TERM
            at += 4 if self.complete else self.add(document_at(data, at))

    def add(self, document):
        entry = fields(document)
        entry.update(fields(entry.get("cairn", bytes(5))), ended=False, fingerprint=0,
                     documents=0, bytes=0, crc64=0, first_chunk=None, last_chunk=None)
        strings = all(isinstance(entry.get(name), str) for name in SAME[:4])
        require(strings and len(self.namespaces) < NAMESPACES_MAX, "the prelude is wrong")
        self.ordinals.setdefault((entry["db"], entry["data_collection"]), len(self.namespaces))
        self.namespaces.append(entry)
        return len(document)

    def begin(self, head, header):
        """Section 5.4: the namespace of a block, and whether this is its end."""
        found = fields(head)
        types = [(name, type(value)) for name, value in found.items()]
        require(types == [("db", str), ("collection", str), ("EOF", bool), ("CRC", int)],
                "a block's header is wrong")
        name, is_end = (found["db"], found["collection"]), found["EOF"]
        require(name in self.ordinals, f"{'.'.join(name)} is not in the prelude")
        ordinal = self.ordinals[name]
        namespace = self.namespaces[ordinal]
        kind_fits = header.kind == MIXED or is_end == (header.kind == END) or header.kind == SPECIAL
        require(kind_fits and header.ordinal in (ordinal, NONE), "a block is in the wrong chunk")
        require((name in SPECIALS) == (header.kind == SPECIAL), "a block is in the wrong chunk")
        if header.kind == SPECIAL:
            require(SPECIALS.index(name) >= self.special, "special namespaces are out of order")
            self.special = SPECIALS.index(name)
        in_turn = self.open in (ordinal, None) and not namespace["ended"]
        require(in_turn, "a namespace begins before another ends, or again")
        crc = namespace["crc64"] if is_end else 0
        require(found["CRC"] == crc, f"the CRC-64 of {'.'.join(name)} does not match")
        self.open, namespace["ended"] = None if is_end else ordinal, is_end
        first = namespace["first_chunk"]
        namespace["first_chunk"] = header.sequence if first is None else first
        namespace["last_chunk"] = header.sequence
        return namespace

    def read_blocks(self, data, header):
        """A chunk's blocks; their totals must be those of the chunk header."""
        at, documents, blocks, size, crc = 0, 0, 0, 0, 0
        while at < len(data):
            head = document_at(data, at)
            namespace = self.begin(head, header)
            start = at = at + len(head)
            while data[at:at + 4] != TERM:
                document = document_at(data, at)
                at, documents = at + len(document), documents + 1
                namespace["documents"] += 1
                if xxhash:
                    namespace["fingerprint"] += xxhash.xxh3_128_intdigest(document)
            require(not namespace["ended"] or at == start, "an end block has documents")
            block, blocks, size, at = data[start:at], blocks + 1, size + at - start, at + 4
            crc, namespace["crc64"] = crc64(block, crc), crc64(block, namespace["crc64"])
            namespace["bytes"] += len(block)
        require(header.kind != MIXED or self.open is None, "a mixed chunk leaves a namespace open")
        require((documents, blocks, size, crc) == header[9:13], "the chunk's totals do not match")


class Walk:
    """One pass over a file, and where it is: at frame `sequence`, which starts at `offset`."""

    def __init__(self, file):
        self.file, self.content, self.rows, self.index = file, Content(), [], b""
        self.codec = self.trailer = self.manifest = None
        self.sequence = self.offset = self.stage = self.documents = self.bytes = 0

    def run(self):
        while self.trailer is None:
            header, hidden, payload, frame = read_frame(self.file)
            self.codec = self.codec or header.codec
            in_turn = header.codec == self.codec and header.sequence == self.sequence
            in_turn = in_turn and (self.rows or header.kind == PRELUDE)
            require(in_turn and STAGES[header.kind] >= self.stage, "the frame is out of order")
            self.stage = STAGES[header.kind]
            if header.kind == TRAILER:
                self.read_trailer(hidden)
            elif header.kind == INDEX:
                self.index += hidden
                require(len(self.index) <= INDEX_MAX, "the index is too long")
            else:
                self.read_chunk(header, payload, frame)
            self.sequence, self.offset = self.sequence + 1, self.offset + header.stored
        require(not self.file.read(1), "something follows the trailer frame")
        self.check_rows()
        self.check_manifest()

    def read_chunk(self, header, payload, frame):
        """Reads the content of a gzip chunk, and keeps what the row of any chunk must say."""
        self.rows.append((self.offset, header.stored, header.raw, header.bytes, header.documents,
                          header.blocks, header.ordinal, header.kind, 0, header.crc,
                          hashlib.sha256(frame).digest(), 0))
        require(len(self.rows) <= CHUNKS_MAX, "there are too many chunks")
        self.documents, self.bytes = self.documents + header.documents, self.bytes + header.bytes
        if header.kind == PRELUDE:
            require(not any(header[9:13]), "a prelude chunk has blocks")
        if self.codec == 1 and header.kind == PRELUDE:
            self.content.read_prelude(inflate(payload, header.raw))
        elif self.codec == 1:
            require(self.content.complete, "the prelude does not end")
            self.content.read_blocks(inflate(payload, header.raw), header)

    def read_trailer(self, hidden):
        """Section 6.4: the trailer tells where the index is that has just gone by."""
        require(len(hidden) == 80, "the trailer has the wrong length")
        self.trailer, start = struct.unpack("<8s5Q32s", hidden), sum(row[1] for row in self.rows)
        place = (b"CAIRNEND", start, self.offset - start)
        require(self.trailer[:3] == place and not self.trailer[5], "the trailer points elsewhere")

    def check_rows(self):
        """Sections 6.2 and 6.3: the index has its SHA-256, and a row for every chunk."""
        manifest_bytes, chunks, _, sha256 = self.trailer[3:]
        require(hashlib.sha256(self.index).digest() == sha256, "the index's SHA-256 does not match")
        fits = manifest_bytes <= MANIFEST_MAX and chunks == len(self.rows)
        fits = fits and len(self.index) == manifest_bytes + chunks * ROW.size
        require(fits, "the index does not have its stated length")
        for n, row in enumerate(ROW.iter_unpack(self.index[manifest_bytes:])):
            same = row[:8] + row[10:12] + row[14:] == self.rows[n]
            require(same, f"row {n} does not match its chunk")
            keys = list(zip(row[8:10], row[12:14]))
            padded = all(size <= 32 and not any(key[size:]) for size, key in keys)
            in_order = bool(row[8]) == bool(row[9]) and keys[0][1] <= keys[1][1]
            require(padded and in_order, f"the keys of row {n} are wrong")
        self.manifest = fields(document_at(self.index[:manifest_bytes], 0, MANIFEST_MAX))

    def check_manifest(self):
        """The manifest against everything that was read."""
        manifest, read = self.manifest, self.content.namespaces
        ours = (1, CODECS[self.codec], self.documents, self.bytes)
        theirs = map(manifest.get, ("format_version", "codec", "documents", "document_bytes"))
        require(tuple(theirs) == ours, "the manifest does not match the chunks")
        array = fields(manifest.get("namespaces", bytes(5)))
        self.manifest["namespaces"] = entries = [fields(entry) for entry in array.values()]
        same = self.codec != 1 or self.content.complete and len(read) == len(entries)
        require(same, "the manifest does not have the prelude's namespaces")
        for entry, namespace in zip(entries, read):
            name, found = f"{namespace['db']}.{namespace['collection']}", namespace["fingerprint"]
            same = [entry.get(key) for key in SAME] == [namespace.get(key) for key in SAME]
            require(same, f"{name} is not the same in the manifest and in the prelude")
            require(namespace["ended"], f"{name} has no end block")
            same = [entry.get(key) for key in COUNTED] == [namespace[key] for key in COUNTED]
            require(same, f"the totals of {name} in the manifest do not match")
            same = entry["fingerprint"][5:] == (found % (1 << 128)).to_bytes(16, "little")
            require(same or not xxhash, f"the fingerprint of {name} does not match")


def summary(walk):
    """What is in the archive, in the terms of formats/vectors/expected.json."""
    names = [dict({key: entry[key] for key in ("db", "collection", "documents", "bytes")},
                  crc64=f"{entry['crc64']:016x}", fingerprint=entry["fingerprint"][5:].hex())
             for entry in walk.manifest["namespaces"]]
    return {"codec": CODECS[walk.codec], "chunks": len(walk.rows), "documents": walk.documents,
            "bytes": walk.bytes, "seal": walk.trailer[6].hex(), "namespaces": names}


def main(path, as_json):
    """Prints what is in the archive, or what is wrong with it; returns the exit code."""
    walk, at = None, ""
    try:
        with open(path, "rb") as file:
            walk = Walk(file)
            walk.run()
    except (Damaged, OSError) as error:
        at = f" (chunk {walk.sequence}, offset {walk.offset})" if walk else ""
        print(f"{path}: {error}{at}", file=sys.stderr)
        return 1
    found = summary(walk)
    if as_json:
        print(json.dumps(found, indent=1))
        return 0
    lines = [f"{path}: whole"]
    lines += [f"{name} {value}" for name, value in list(found.items())[:-1]]
    for entry in found["namespaces"]:
        lines.append("  ".join(json.dumps(value).strip('"') for value in entry.values()))
    if walk.codec != 1:
        lines.append(f"content not read: {found['codec']} needs a codec, the rest was checked")
    elif not xxhash:
        lines.append("fingerprints not checked: the module xxhash is not there")
    print("\n  ".join(lines))
    return 0


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--json"]
    sys.exit(main(arguments[0], "--json" in sys.argv) if len(arguments) == 1 else __doc__)
