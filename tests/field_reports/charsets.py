"""Every defined term of PS3.3 C.12.1.1.2, with a text that it encodes."""

from typing import Any

from mapper.errors import Problem

E = b"\x1b"

ROWS = [  # paragraph (PS3.3 table, PS3.5 section), SpecificCharacterSet, bytes of a text, the text
    # single-byte sets without code extensions: PS3.3 table C.12-2
    ("C.12-2", None, b"Buc^Jerome", "Buc^Jerome"),
    ("C.12-2", "", b"Buc^Jerome", "Buc^Jerome"),
    ("C.12-2 ISO_IR 100", "ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
    ("C.12-2 ISO_IR 101", "ISO_IR 101", b"Wa\xb3\xeasa", "Wałęsa"),
    ("C.12-2 ISO_IR 109", "ISO_IR 109", b"an\xbfel", "anżel"),
    ("C.12-2 ISO_IR 110", "ISO_IR 110", b"\xd3\xe7en", "Ķįen"),
    ("C.12-2 ISO_IR 144", "ISO_IR 144", b"\xbb\xee\xda", "Люк"),
    ("C.12-2 ISO_IR 127", "ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1", "قباني^لنزار"),
    ("C.12-2 ISO_IR 126", "ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
    ("C.12-2 ISO_IR 138", "ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", "שרון^דבורה"),
    ("C.12-2 ISO_IR 148", "ISO_IR 148", b"\xc7avu\xfeo\xf0lu", "Çavuşoğlu"),
    ("C.12-2 ISO_IR 13", "ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3~", "ﾔﾏﾀﾞ^ﾀﾛｳ‾"),
    ("C.12-2 ISO_IR 166", "ISO_IR 166", b"\xb9\xd2\xc1\xca\xa1\xd8\xc5", "นามสกุล"),
    ("C.12-2 ISO_IR 203", "ISO_IR 203", b"\xa6\xbdf\xa4", "Šœf€"),
    # multi-byte sets without code extensions: PS3.3 table C.12-5, PS3.5 annex J
    ("C.12-5, J.1", "ISO_IR 192", b"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1=", "Wang^XiaoDong=王^小東="),
    ("C.12-5, J.3", "GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
    ("C.12-5", "GBK", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
    ("PS3.5 6.1.2.3", "GBK", b"\x81\x5c^\x81\x5e", "乗^乛"),  # halves that look like delimiters
    ("PS3.5 6.1.2.3", "GB18030", b"\x81\x5c\x95\x32\x82\x36", "乗\U00020000"),
    # one term with code extensions: PS3.3 table C.12-3
    ("C.12-3", "ISO 2022 IR 6", b"Doe", "Doe"),
    ("C.12-3", "ISO 2022 IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
    ("C.12-3", "ISO 2022 IR 101", b"Wa\xb3\xeasa", "Wałęsa"),
    ("C.12-3", "ISO 2022 IR 109", b"an\xbfel", "anżel"),
    ("C.12-3", "ISO 2022 IR 110", b"\xd3\xe7en", "Ķįen"),
    ("C.12-3", "ISO 2022 IR 144", b"\xbb\xee\xda", "Люк"),
    ("C.12-3", "ISO 2022 IR 127", b"\xe2\xc8\xc7", "قبا"),
    ("C.12-3", "ISO 2022 IR 126", b"\xc4\xe9\xef", "Διο"),
    ("C.12-3", "ISO 2022 IR 138", b"\xf9\xf8\xe5\xef", "שרון"),
    ("C.12-3", "ISO 2022 IR 148", b"o\xf0lu", "oğlu"),
    ("C.12-3", "ISO 2022 IR 13", b"\xd4\xcf\xc0\xde", "ﾔﾏﾀﾞ"),
    ("C.12-3", "ISO 2022 IR 166", b"\xb9\xd2\xc1", "นาม"),
    ("C.12-3", "ISO 2022 IR 203", b"\xa4", "€"),
    # several: Japanese, PS3.5 annex H
    ("H.3.1", "\\ISO 2022 IR 87",
     b"Yamada^Tarou=" + E + b"$B;3ED" + E + b"(B^" + E + b"$BB@O:" + E + b"(B=" + E + b"$B$d$^$@" + E + b"(B^"
     + E + b"$B$?$m$&" + E + b"(B", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    ("H.3.2", "ISO 2022 IR 13\\ISO 2022 IR 87",
     b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=" + E + b"$B;3ED" + E + b"(J^" + E + b"$BB@O:" + E + b"(J=" + E + b"$B$d$^$@"
     + E + b"(J^" + E + b"$B$?$m$&" + E + b"(J", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
    ("H.3.1", "ISO 2022 IR 6\\ISO 2022 IR 87", b"Yamada=" + E + b"$B;3ED" + E + b"(B", "Yamada=山田"),
    ("6.1.2.5.3", "\\ISO 2022 IR 87", b"Omote=" + E + b"$BI=" + E + b"(B^" + E + b"$BI^" + E + b"(B", "Omote=表^扶"),
    ("C.12-4 159", "\\ISO 2022 IR 87\\ISO 2022 IR 159",
     b"x=" + E + b"$B;3" + E + b"$(D0!" + E + b"(B", "x=山丂"),
    ("C.12-4 87 first", "ISO 2022 IR 87", b"Yamada=" + E + b"$B;3ED" + E + b"(B", "Yamada=山田"),
    # Korean, PS3.5 annex I
    ("I.2", "\\ISO 2022 IR 149",
     b"Hong^Gildong=" + E + b"$)C\xfb\xf3^" + E + b"$)C\xd1\xce\xd4\xd7=" + E + b"$)C\xc8\xab^" + E
     + b"$)C\xb1\xe6\xb5\xbf",
     "Hong^Gildong=洪^吉洞=홍^길동"),
    ("I.2, not designated again", "\\ISO 2022 IR 149",
     E + b"$)C\xc8\xab^\xb1\xe6\xb5\xbf=\xfb\xf3", "홍^길동=洪"),
    ("I.2", "ISO 2022 IR 6\\ISO 2022 IR 149", b"Hong=" + E + b"$)C\xfb\xf3", "Hong=洪"),
    ("C.12-4 149 first", "ISO 2022 IR 149", b"\xc8\xab^\xb1\xe6\xb5\xbf", "홍^길동"),
    # Chinese, PS3.5 annex K
    ("K.1", "\\ISO 2022 IR 58", b"Zhang^XiaoDong=" + E + b"$)A\xd5\xc5^" + E + b"$)A\xd0\xa1\xb6\xab=",
     "Zhang^XiaoDong=张^小东="),
    ("K.1", "ISO 2022 IR 6\\ISO 2022 IR 58", b"Zhang=" + E + b"$)A\xd5\xc5", "Zhang=张"),
    ("C.12-4 58 first", "ISO 2022 IR 58", b"\xd5\xc5^\xd0\xa1\xb6\xab", "张^小东"),
    # sets above 0x80: what is active there stays when the sets below change, and goes at `^`, `=` and at the end
    ("6.1.2.5.3", "ISO 2022 IR 100\\ISO 2022 IR 144",
     b"M\xfcller^Anna=" + E + b"-L\xbb\xee\xda^" + E + b"-L\xd0=M\xfc", "Müller^Anna=Люк^а=Mü"),
    ("6.1.2.5.3", "ISO 2022 IR 6\\ISO 2022 IR 144", E + b"-L\xbb\xee\xda", "Люк"),
    ("6.1.2.5.3", "\\ISO 2022 IR 127", E + b"-G\xe2\xc8\xc7^" + E + b"-G\xe2", "قبا^ق"),
    ("6.1.2.5.3", "ISO 2022 IR 6\\ISO 2022 IR 100", E + b"-AM\xfcller", "Müller"),
    ("6.1.2.5.3", "ISO 2022 IR 101\\ISO 2022 IR 87",
     b"Dvo\xf8\xe1k=" + E + b"$B;3" + E + b"(B\xf8", "Dvořák=山ř"),
    ("6.1.2.5.3", "\\ISO 2022 IR 101\\ISO 2022 IR 109\\ISO 2022 IR 110",
     E + b"-B\xf8" + E + b"-C\xbf" + E + b"-D\xe7", "řżį"),
    ("6.1.2.5.3", "\\ISO 2022 IR 126\\ISO 2022 IR 138\\ISO 2022 IR 148\\ISO 2022 IR 166\\ISO 2022 IR 203",
     E + b"-F\xc4" + E + b"-H\xf9" + E + b"-M\xf0" + E + b"-T\xb9" + E + b"-b\xa4", "Δשğน€"),
    ("6.1.2.5.3", "\\ISO 2022 IR 13\\ISO 2022 IR 58\\ISO 2022 IR 149",
     E + b")I\xd4" + E + b"$)A\xd5\xc5" + E + b"$)C\xfb\xf3", "ﾔ张洪"),
]  # fmt: skip


def of_charset(problems: list[Problem]) -> list[str]:
    return [one.reason for one in problems if one.attribute == "SpecificCharacterSet"]


def shown(names: list[dict[str, Any]]) -> str:
    """Return the names of one person as PN writes them."""
    return "=".join("^".join(filter(None, [one.get("family"), *one.get("given", [])])) for one in names)


ODD = [  # SpecificCharacterSet, bytes, what is written, whether it may be doubted
    # misspelt: the term is recorded always, the text is right
    ("ISO IR 100", b"M\xfcller", "Müller"),
    ("ISO-IR 100", b"M\xfcller", "Müller"),
    ("ISO_IR_100", b"M\xfcller", "Müller"),
    ("ISO_IR100", b"Muller", "Muller"),
    ("iso_ir 100", b"M\xfcller", "Müller"),
    ("ISO 2022 IR 192", b"M\xc3\xbcller", "Müller"),
    ("UTF-8", b"M\xc3\xbcller", "Müller"),
    ("utf8", b"M\xc3\xbcller", "Müller"),
    ("ISO_IR 58", b"\xd5\xc5", "张"),
    ("ISO 2022 GBK", b"\x81\x5c", "乗"),
    ("\\ISO-2022-IR-87", E + b"$B;3" + E + b"(B", "山"),
    ("ISO_IR 100\\ISO 2022 IR 87", b"M\xfcller=" + E + b"$B;3" + E + b"(B", "Müller=山"),
    ("ISO_IR 192\\ISO 2022 IR 87", b"M\xc3\xbcller", "Müller"),
    ("ISO 2022 IR 100\\ISO_IR 192", b"M\xfcller", "Müller"),
    ("ISO_IR 192\\ISO_IR 192", b"M\xc3\xbcller", "Müller"),
    # unknown: what ASCII holds is kept
    ("ISO_IR 999", b"Muller", "Muller"),
    ("ISO_IR 999", b"M\xfcller", "M\ufffdller"),
    ("WINDOWS-1252", b"M\xfcller", "M\ufffdller"),
    ("ISO 2022 IR 100\\ISO 2022 IR 999", b"M\xfcller", "Müller"),
    # no set, or none but ASCII, and text that is more: Latin-1, as archives read it
    (None, b"M\xfcller", "Müller"),
    ("", b"M\xfcller", "Müller"),
    ("ISO_IR 6", b"M\xfcller", "Müller"),
    ("ISO 2022 IR 6", b"M\xfcller", "Müller"),
]
