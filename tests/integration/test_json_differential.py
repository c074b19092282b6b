"""The JSON reader against PostgreSQL's own verdict, on thousands of documents.

What the reader takes, PostgreSQL must take as json and as jsonb, after the reader's repairs; what the
reader repairs, jsonb would have refused. What the reader refuses and PostgreSQL takes is one of LIMITS; a lenient
reader, which looks at no bounds, refuses nothing that PostgreSQL takes as json, and takes nothing that it refuses.
"""

import os
import random

import psycopg
import pytest

from support import json_documents
from support.framed import ask

LIMITS = ("nested too deeply", "number too long", "exponent out of range")

COUNT = 200000 if os.environ.get("XTRACE_LONG") == "1" else 20000

# As one character each: j for json, b for jsonb.
SQL_FUNCTION = """
CREATE FUNCTION pg_temp.takes(document bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    words text;
    taken text := '';
BEGIN
    BEGIN
        words := convert_from(document, 'UTF8');
    EXCEPTION WHEN data_exception THEN
        RETURN '';
    END;
    BEGIN
        PERFORM words::json;
        taken := taken || 'j';
    EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    END;
    BEGIN
        PERFORM words::jsonb;
        taken := taken || 'b';
    EXCEPTION WHEN data_exception OR program_limit_exceeded OR untranslatable_character THEN
    END;
    RETURN taken;
END $$
"""
SQL_TAKES = """
SELECT pg_temp.takes(document) FROM unnest(%b::bytea[]) WITH ORDINALITY AS list (document, n) ORDER BY n
"""


@pytest.fixture(scope="module")
def connection(postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as made:
        made.execute(SQL_FUNCTION)
        yield made


def verdicts(documents):
    answers = ask("json_verdict", documents)
    assert len(answers) == 3 * len(documents)
    return [(refusal.decode(), text, lenient.decode())
            for refusal, text, lenient in zip(answers[0::3], answers[1::3], answers[2::3])]


def disagreements(connection, documents):
    ours = verdicts(documents)
    takes = [row[0] for row in connection.execute(SQL_TAKES, (documents,))]
    takes_repaired = [row[0] for row in connection.execute(SQL_TAKES, ([text for _, text, _ in ours],))]
    found = []
    for document, (refusal, text, lenient), before, after in zip(documents, ours, takes, takes_repaired):
        if refusal and "j" in before and not refusal.endswith(LIMITS):
            found.append(f"PostgreSQL takes {document!r}, we refuse it: {refusal}")
        if lenient and "j" in before:
            found.append(f"PostgreSQL takes {document!r}, a lenient reader refuses it: {lenient}")
        if not lenient and "j" not in after:
            found.append(f"a lenient reader takes {document!r}, PostgreSQL does not after repair: {text!r}")
        if not refusal and after != "jb":
            found.append(f"we take {document!r}, PostgreSQL only as {after!r} after repair: {text!r}")
        if not refusal and text != document and "b" in before:
            found.append(f"{document!r} was repaired into {text!r} without need")
    return found


def report(found):
    assert not found, f"{len(found)} disagreements\n" + "\n".join(found[:20])


def test_hand_picked_documents(connection):
    report(disagreements(connection, json_documents.hand_picked()))


def test_generated_documents(connection):
    seed = int(os.environ.get("XTRACE_SEED", "1"))
    documents = json_documents.generated(COUNT, seed)
    report(disagreements(connection, documents))
    # The generator reaches both sides of the line.
    refused = sum(1 for refusal, _, _ in verdicts(documents) if refusal)
    assert COUNT / 10 < refused < COUNT * 9 / 10


def test_repaired_text_is_taken_unchanged(connection):
    texts = [text for refusal, text, _ in verdicts(json_documents.hand_picked()) if not refusal]
    assert verdicts(texts) == [("", text, "") for text in texts]


def test_decimals_are_the_bytes_that_postgresql_sends(connection):
    maker = json_documents.Maker(2)
    numbers = [maker.number().encode() for _ in range(5000)] + [b"0", b"-0", b"0.00", b"0e5", b"0e-3", b"1e29", b"1e-60"]
    # Few of the above are within the bounds.
    chance = random.Random(3)
    for _ in range(5000):
        digits = str(chance.randrange(10 ** chance.randrange(1, 25)))
        point = chance.randrange(len(digits) + 1)
        plain = (digits[:point].lstrip("0") or "0") + ("." + digits[point:] if point < len(digits) else "")
        numbers.append((chance.choice(["", "-"]) + plain + chance.choice(["", "", f"e{chance.randrange(-20, 5)}"])).encode())
    ours = ask("decimal_verdict", numbers)
    theirs = [row[0] for row in connection.execute(
        "SELECT numeric_send(number::numeric) FROM unnest(%s::text[]) WITH ORDINALITY AS list (number, n) ORDER BY n",
        ([number.decode() for number in numbers],))]
    compared = 0
    for number, mine, sent in zip(numbers, ours, theirs, strict=True):
        if mine and int.from_bytes(sent[6:8], "big") <= 60:
            assert mine == sent, number
            compared += 1
    assert compared > 4000
