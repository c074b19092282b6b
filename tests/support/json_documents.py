"""JSON documents, right, wrong and in between: hand-picked ones and any number of generated ones."""

import random

DEPTH = 128  # json_verdict.c

NUMBERS = [
    "0", "-0", "1", "-1", "10", "0.5", "-0.0", "1e0", "1E+2", "1e-2", "1.5e10", "1e1000", "1e-1000", "0e1000",
    "1e0001", "9007199254740993", "1234567890123456789012345678901234567890", "1e308", "1e309", "1e-400",
    "01", "-01", "00", "-", "--1", "+1", ".5", "-.5", "1.", "1.e1", "1e", "1e+", "1e1.5", "0x10", "1_0", "1a", "1 2",
    "NaN", "Infinity", "-Infinity", "1e1001", "1e-1001", "1e99999999999", "0e1001", "1" * 400, "1" * 401,
    "0." + "0" * 398, "0." + "0" * 399, "1e131071", "1e131072", "1e-16383", "1e-16384", "\uff11", "\u0661",
]

STRINGS = [
    rb'""', rb'"a"', rb'"\"\\\/\b\f\n\r\t"', rb'"\u0041\u00e9\u4e2d"', rb'"\ud83d\ude00"', rb'"\uD83D\uDE00"',
    rb'"\u0000"', rb'"a\u0000b"', rb'"\\u0000"', rb'"\\\u0000"', rb'"\u0001"', rb'"\uffff"', rb'"\ufffe"',
    rb'"\ud800"', rb'"\udbff"', rb'"\udc00"', rb'"\udfff"', rb'"\ud83dx"', rb'"\ud83d\n"', rb'"\ud83d\u0041"',
    rb'"\ud83d\ud83d"', rb'"\ud83d\ud83d\ude00"', rb'"\ude00\ud83d"', rb'"\ud83d\\ude00"', rb'"\ud83d\u0000"',
    rb'"\u"', rb'"\u00"', rb'"\u00g0"', rb'"\U0041"', rb'"\x41"', rb'"\a"', rb'"\'"', rb'"\u 041"', b'"\\', b'"\\"',
    rb'"\ud83d\ude0"', rb'"\ud83d\u"', b'"', b'"a', b"'a'", b'"\t"', b'"\n"', b'"\x1f"', b'"\x7f"', b'"\x00"',
    b'"\xc3\xa9"', b'"\xe4\xb8\xad"', b'"\xf0\x9f\x98\x80"', b'"\xc2\x80"', b'"\xed\x9f\xbf"', b'"\xee\x80\x80"',
    b'"\xf4\x8f\xbf\xbf"', b'"\xef\xbf\xbf"', b'"\x80"', b'"\xc0\x80"', b'"\xc1\xbf"', b'"\xc3"', b'"\xc3(',
    b'"\xe0\x80\x80"', b'"\xe0\x9f\xbf"', b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"', b'"\xf0\x80\x80\x80"',
    b'"\xf0\x8f\xbf\xbf"', b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"', b'"\xf8\x88\x80\x80\x80"', b'"\xff"',
    b'"\xed\xa0\xbd\xed\xb8\x80"', b'"0123456789abcde\xc3\xa9"', b'"0123456789abcdef\x01"',
]

STRUCTURES = [
    b"", b" ", b"[]", b"[ ]", b"{}", b"{ }", b"[", b"]", b"{", b"}", b"[1", b"[1,", b"[1,]", b"[,1]", b"[,]", b"[1 2]",
    b"[1,,2]", b"[1}", b"{]", b"[}", b"{\"a\":1]", b"{\"a\"", b"{\"a\":", b"{\"a\":1", b"{\"a\":1,", b"{\"a\":1,}",
    b"{,\"a\":1}", b"{\"a\" 1}", b"{\"a\"::1}", b"{\"a\":1 \"b\":2}", b"{a:1}", b"{'a':1}", b"{1:1}", b"{\"a\"}",
    b"{null:1}", b"{[]:1}", b"{\"a\":1,\"a\":2}", b"{\"\":0}", b"{\"\\u0000\":0}", b"{\"\\ud800\":0}", b"[]]", b"[][]",
    b"1 2", b"[1]//x", b"/**/1", b"\xef\xbb\xbf{}", b"\xff\xfe", b"\x0c1", b"\x0b1", b"\xc2\xa01", b"1\x00", b"\x001",
    b"\t\r\n 1 \n\r\t", b"null", b"nul", b"nulll", b"Null", b"true", b"tru", b"truex", b"false", b"falsey", b"TRUE",
    b"undefined", b"[true,false,null]", b"[truefalse]", b"true false", b"\"a\":1", b"\"a\"\"b\"", b"[\"a\"\"b\"]",
    b"#", b"[#]", b"\\", b"\\u0031", b"[\\n]", b"*", b"{\"a\":1}#", b"[1;2]", b"(1)", b"<1>", b"`1`",
]


def hand_picked():
    documents = list(STRUCTURES) + list(STRINGS)
    for number in NUMBERS:
        documents += [number.encode(), b"[%s]" % number.encode(), b'{"n":%s}' % number.encode(), b"%s " % number.encode()]
    for string in STRINGS:
        documents += [b"[" + string + b"]", b"{" + string + b":1}", b'{"a":' + string + b"}"]
    for depth in (1, DEPTH - 1, DEPTH, DEPTH + 1, 1000):
        documents += [b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b"[" * depth,
                      b'[{"a":' * (depth // 2) + b"[]" + b"}]" * (depth // 2)]
    # Each byte alone, in a string, as an escape and between values.
    for byte in range(256):
        one = bytes([byte])
        documents += [one, b'"' + one + b'"', b'"\\' + one + b'"', b"[1" + one + b"2]", b"[" + one + b"1]"]
    return documents


class Maker:
    """The same documents for the same seed."""

    pieces = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u", b"\\u0000", b"\\ud83d", b"\\ude00", b"\\n", b"\\\"",
              b"null", b"true", b"false", b"0", b"1", b"-", b".", b"e", b"E+", b" ", b"\n", b"\t", b"\x00", b"\x1f",
              b"\x80", b"\xc3\xa9", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xff", b'"a":', b'"a"', b"[]", b"{}", b"1e5"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def blank(self):
        return "".join(self.random.choices(" \n\r\t", k=self.random.choice([0, 0, 0, 0, 1, 3])))

    def character(self):
        kind = self.random.random()
        if kind < 0.6:
            return self.random.choice("abcXYZ 0129_-/.,:;{}[]'")
        if kind < 0.75:
            return chr(self.random.choice([0xe9, 0x4e2d, 0x7ff, 0x800, 0xffff, 0x1f600, 0x10ffff, 0x80, 0x7f, 0xfeff]))
        if kind < 0.9:
            return self.random.choice(["\\n", "\\t", '\\"', "\\\\", "\\/", "\\b", "\\f", "\\r"])
        unit = self.random.choice([0, 1, 0x41, 0xe9, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfffd,
                                   self.random.randrange(0x10000)])
        return "\\u" + self.random.choice(["%04x", "%04X"]) % unit

    def string(self):
        return '"' + "".join(self.character() for _ in range(self.random.choice([0, 1, 3, 8, 15, 16, 17, 40]))) + '"'

    def number(self):
        text = self.random.choice(["", "-"])
        text += self.random.choice(["0", str(self.random.randrange(1, 10 ** self.random.randrange(1, 45)))])
        if self.random.random() < 0.4:
            text += "." + "".join(self.random.choices("0123456789", k=self.random.randrange(1, 20)))
        if self.random.random() < 0.3:
            text += self.random.choice("eE") + self.random.choice(["", "+", "-"]) + str(self.random.randrange(1020))
        return text

    def value(self, depth):
        kind = self.random.random()
        if depth == 0 or kind < 0.4:
            return self.random.choice([self.string, self.number, lambda: self.random.choice(["null", "true", "false"])])()
        count = self.random.choice([0, 1, 2, 3])
        if kind < 0.7:
            return "[" + ",".join(self.padded(depth) for _ in range(count)) + self.blank() + "]"
        members = (self.blank() + self.string() + self.blank() + ":" + self.padded(depth) for _ in range(count))
        return "{" + ",".join(members) + self.blank() + "}"

    def padded(self, depth):
        return self.blank() + self.value(depth - 1) + self.blank()

    def valid(self):
        return (self.blank() + self.value(self.random.choice([0, 1, 2, 3, 5])) + self.blank()).encode()

    def broken(self):
        """A valid document with a few bytes added, removed, changed or moved."""
        text = bytearray(self.valid())
        for _ in range(self.random.choice([1, 1, 1, 2, 4])):
            at = self.random.randrange(len(text) + 1)
            to = min(len(text), at + self.random.choice([1, 1, 2, 5]))
            how = self.random.random()
            if how < 0.3:
                del text[at:to]
            elif how < 0.6:
                text[at:at] = self.random.choice(self.pieces)
            elif how < 0.8:
                text[at:to] = self.random.choice(self.pieces)
            elif how < 0.9:
                text[at:at] = text[at:to]
            elif at < len(text):
                text[at] = self.random.randrange(256)
        return bytes(text)

    def soup(self):
        return b"".join(self.random.choices(self.pieces, k=self.random.randrange(1, 8)))


def generated(count, seed):
    maker = Maker(seed)
    kinds = (maker.valid, maker.broken, maker.broken, maker.soup)
    return [kinds[i % len(kinds)]() for i in range(count)]
