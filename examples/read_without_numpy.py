"""Read a compact model with the standard library alone, from the format page: no numpy, no skcompress."""

import lzma
import struct
import sys
import zlib
from pathlib import Path

LZMA = [{"id": lzma.FILTER_LZMA1, "dict_size": 2**20, "lc": 0, "lp": 0, "pb": 0}]


def read(data):
    """Return inputs, weights (outputs x terms), intercepts, offsets, divisors and the number of the link."""
    if data[:5] not in (b"SKCL\1", b"SKCL\2") or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise ValueError("these bytes are no undamaged compact model of version 1 or 2")
    rest = iter(data[21:])

    def uint(value=0, shift=0):
        byte = next(rest)
        value |= (byte & 127) << shift
        return value if byte < 128 else uint(value, shift + 7)

    def symbols(count, width):
        length, coder = divmod(uint(), 4)
        coded = bytes(next(rest) for _ in range(length))
        if coder == 2:
            return range_decode(coded, count, width)
        plain = lzma.decompress(coded, lzma.FORMAT_RAW, filters=LZMA) if coder == 1 else coded
        plain = zlib.decompress(coded, -15) if coder == 3 else plain
        return [byte >> place & (1 << width) - 1 for byte in plain for place in range(0, 8, width)][:count]

    def ints(count):
        least, span = (uint(), uint()) if count else (0, 0)
        values = [-(least + 1) // 2 if least % 2 else least // 2] * count
        for place in range(0, span, 8):
            part = symbols(count, min(width for width in (1, 2, 4, 8) if width >= min(8, span - place)))
            values = [value + (more << place) for value, more in zip(values, part, strict=True)]
        return values

    def floats(count, size=8, palette=True):
        if palette and count >= 32 and (distinct := uint()):
            values = floats(distinct, size, palette=False)
            return [values[place] for place in ints(count)]
        streams = [count] * size if count >= 32 else [count * size] * (count > 0)
        flat = bytes(byte for length in streams for byte in symbols(length, 8))
        return [struct.unpack("<d" if size == 8 else "<f", flat[j::count])[0] for j in range(count)]

    def mask(count):
        gaps = uint()
        bits = [] if gaps else symbols(count, 1)
        for gap in symbols(gaps - 1, 8) if gaps else []:
            bits += [0] * gap + [1] * (gap < 255)
        return bits + [0] * (count - len(bits))

    def strings(count):
        form = uint() if data[4] == 2 else 0
        if form:
            uint()
            return string_decode([next(rest) for _ in range(form // 2)], count, form % 2)
        lengths = ints(count)
        text = iter(symbols(sum(lengths), 8))
        return [bytes(next(text) for _ in range(length)).decode() for length in lengths]

    def spread(layout, array):
        return [array[(0, t // p, t % p, t, t // p)[layout]] for t in range(m * p)]

    flags, link, m, p, _, k, n, n_blocks, n_classes = (uint() for _ in range(9))
    if n_blocks or n_classes or flags & 4:
        raise ValueError("this reader is for regressors that use their inputs as they are")
    places = range(n) if flags & 2 else [place for place, used in enumerate(mask(n)) if used]
    offset = floats(p) if flags & 8 else [0.0] * p
    divisor = floats(p) if flags & 16 else [1.0] * p
    (kind, single), kept = divmod(uint(), 2), mask(m * p) if uint() else [1] * (m * p)
    if kind == 0:
        values = iter(floats(sum(kept), 4 if single else 8))
        flat = [next(values) if used else 0.0 for used in kept]
    else:
        _, layout = uint(), uint()
        scale = spread(layout, floats((1, m, p, m * p, m)[layout]))
        powers = spread(2, ints(p)) if layout == 4 else [0] * (m * p)
        zeros = spread(layout := uint(), ints((1, m, p, m * p)[layout]))
        rows, count = (uint(), uint()) if kind == 2 else (0, 0)
        levels, codes, flat = floats(rows * count), iter(ints(sum(kept))), []
        for t, used in enumerate(kept):
            step = next(codes) - zeros[t] if used else 0
            step = levels[(t // p if rows > 1 else 0) * count + step] if levels and used else step
            flat.append(step * (scale[t] * 2.0 ** powers[t]))
    intercept = floats(m)
    names = strings(k) if flags & 32 else []
    weights = [flat[i * p : (i + 1) * p] for i in range(m)]
    return names or [f"x{place}" for place in places], weights, intercept, offset, divisor, link


def range_decode(coded, count, width):
    """Return symbols from the adaptive binary range coder."""
    seen, symbols, rest = [[1, 1] for _ in range(2**width)], [], iter(coded[4:])
    code, span = int.from_bytes(coded[:4].ljust(4, b"\0"), "big"), 2**32 - 1
    for _ in range(count):
        node = 1
        while node < 2**width:
            bound = span * seen[node][0] // sum(seen[node])
            bit = code >= bound
            code, span = (code - bound, span - bound) if bit else (code, bound)
            seen[node][bit] += 2
            node = 2 * node + bit
            while span < 2**24:
                code, span = code << 8 | next(rest, 0), span << 8
        symbols.append(node - 2**width)
    return symbols


def string_decode(coded, count, ascending):
    """Return strings from the range coder with their own contexts."""
    seen, texts, rest = {}, [], iter(coded[4:])
    code, span, above = int.from_bytes(bytes(coded[:4]).ljust(4, b"\0"), "big"), 2**32 - 1, b""
    for _ in range(count):
        text = b""
        while text[-1:] != b"\0":
            value, along = 0, above[len(text)] if above[:-1].startswith(text) and len(text) < len(above) else None
            for place in range(7, -1, -1):
                at = place, value
                keys = [(b"\0\0\0" + text)[len(text) + 3 - k :] for k in range(4)]
                counts = [(seen.setdefault((key, at), [0, 0]), (1, 8, 64, 256)[k]) for k, key in enumerate(keys)]
                if along is not None:
                    counts.append((seen.setdefault((min(len(text), 3), place), [0, 0]), 64))
                bit = 1
                if not ascending or along is None or not along >> place & 1:
                    zeros, ones = (1 + sum(weight * count[bit] for count, weight in counts) for bit in (0, 1))
                    bound = span * zeros // (zeros + ones)
                    bit = int(code >= bound)
                    code, span = (code - bound, span - bound) if bit else (code, bound)
                    for context, _ in counts:
                        context[bit] += 1
                    while span < 2**24:
                        code, span = code << 8 | next(rest, 0), span << 8
                along = along if along is not None and along >> place & 1 == bit else None
                value = 2 * value + bit
            text += bytes([value])
        texts.append(text[:-1].decode())
        above = text
    return texts


if __name__ == "__main__":
    path = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "data" / "diabetes_4_bits.skcl"
    with open(path, "rb") as file:
        inputs, weights, intercept, offset, divisor, link = read(file.read())
    print("inputs", *inputs)
    for row, constant in zip(weights, intercept, strict=True):
        print("intercept", constant, "weights", *row)
