/* inflate: compressed bodies, whole and broken. media: what names them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <zlib.h>

#include "common/arena.h"
#include "gateway/ingest/media.h"

enum { GZIP_BITS = 15 + 16, ZLIB_BITS = 15, BARE_BITS = -15, PLENTY = 10 * 1024 * 1024 };

/* Appends text, compressed. */
static void compress_to(struct buf *out, struct slice text, int window_bits)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    size_t room = deflateBound(&stream, text.len) + 64;
    stream.next_in = (Bytef *)text.data;
    stream.avail_in = (uInt)text.len;
    stream.next_out = (Bytef *)buf_reserve(out, room);
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->len += room - stream.avail_out;
    deflateEnd(&stream);
}

static void check(enum coding coding, struct slice body, size_t max, enum err expected,
                  struct slice content)
{
    struct buf out = BUF_EMPTY;
    struct error error = {""};
    /* Exactly as long as the body, so that the sanitizer sees a step too far. */
    char *copy = memory_alloc(body.len);
    memcpy(copy, body.data, body.len);
    enum err err = inflate_body(coding, (struct slice){copy, body.len}, max, &out, &error);
    assert_int_equal(err, expected);
    if (expected == ERR_OK) {
        assert_int_equal(out.len, content.len);
        assert_true(slice_equals(buf_slice(&out), content));
    } else {
        assert_true(error.text[0] != '\0');
    }
    assert_true(out.len <= max + 1);
    buf_finish(&out);
    free(copy);
}

static struct slice big_text(void)
{
    static char text[300000];
    uint32_t number = 1;
    for (size_t i = 0; i < sizeof(text); i++) {
        number = number * 1103515245 + 12345;
        text[i] = (char)('a' + (number >> 16) % 20);
    }
    return (struct slice){text, sizeof(text)};
}

static void every_coding_gives_the_content_back(void **state)
{
    static const struct {
        enum coding coding;
        int window_bits;
    } cases[] = {
        {CODING_GZIP, GZIP_BITS}, {CODING_DEFLATE, ZLIB_BITS}, {CODING_DEFLATE, BARE_BITS}};
    struct slice texts[] = {SLICE_LITERAL("{}"), SLICE_LITERAL(""), big_text()};
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            struct buf body = BUF_EMPTY;
            compress_to(&body, texts[j], cases[i].window_bits);
            check(cases[i].coding, buf_slice(&body), PLENTY, ERR_OK, texts[j]);
            check(cases[i].coding, buf_slice(&body), texts[j].len, ERR_OK, texts[j]);
            buf_finish(&body);
        }
    }
}

static void gzip_may_have_members(void **state)
{
    struct buf body = BUF_EMPTY;
    compress_to(&body, SLICE_LITERAL("{\"trace\""), GZIP_BITS);
    compress_to(&body, SLICE_LITERAL(""), GZIP_BITS);
    compress_to(&body, SLICE_LITERAL(":null}"), GZIP_BITS);
    check(CODING_GZIP, buf_slice(&body), PLENTY, ERR_OK, SLICE_LITERAL("{\"trace\":null}"));
    check(CODING_GZIP, buf_slice(&body), 13, ERR_TOO_LARGE, SLICE_LITERAL(""));
    buf_finish(&body);
}

static void a_bomb_is_stopped_at_the_limit(void **state)
{
    struct slice zeros = {memory_zalloc(PLENTY), PLENTY};
    struct buf body = BUF_EMPTY;
    compress_to(&body, zeros, GZIP_BITS);
    assert_true(body.len < 20000);
    check(CODING_GZIP, buf_slice(&body), 1000, ERR_TOO_LARGE, zeros);
    check(CODING_GZIP, buf_slice(&body), PLENTY - 1, ERR_TOO_LARGE, zeros);
    check(CODING_GZIP, buf_slice(&body), PLENTY, ERR_OK, zeros);
    buf_finish(&body);
    free((char *)zeros.data);
}

static void a_body_cut_off_anywhere_is_refused(void **state)
{
    for (int bits = ZLIB_BITS; bits <= GZIP_BITS; bits += GZIP_BITS - ZLIB_BITS) {
        enum coding coding = bits == GZIP_BITS ? CODING_GZIP : CODING_DEFLATE;
        struct buf body = BUF_EMPTY;
        compress_to(&body, SLICE_LITERAL("{\"observations\":[1,2,3,4]}"), bits);
        for (size_t len = 0; len < body.len; len++) {
            check(coding, (struct slice){body.data, len}, PLENTY, ERR_INVALID, SLICE_LITERAL(""));
        }
        buf_finish(&body);
    }
}

static void corrupt_bodies_are_refused(void **state)
{
    struct buf body = BUF_EMPTY;
    compress_to(&body, big_text(), GZIP_BITS);
    body.data[body.len / 2] ^= 0x55;
    check(CODING_GZIP, buf_slice(&body), PLENTY, ERR_INVALID, SLICE_LITERAL(""));
    body.data[body.len / 2] ^= 0x55;
    body.data[body.len - 1] ^= 1; /* the length */
    check(CODING_GZIP, buf_slice(&body), PLENTY, ERR_INVALID, SLICE_LITERAL(""));
    body.data[body.len - 1] ^= 1;
    buf_append_text(&body, "more");
    check(CODING_GZIP, buf_slice(&body), PLENTY, ERR_INVALID, SLICE_LITERAL(""));
    buf_reset(&body);
    compress_to(&body, SLICE_LITERAL("{}"), ZLIB_BITS);
    buf_append_text(&body, "more");
    check(CODING_DEFLATE, buf_slice(&body), PLENTY, ERR_INVALID, SLICE_LITERAL(""));
    check(CODING_GZIP, SLICE_LITERAL("{\"trace\":null}"), PLENTY, ERR_INVALID, SLICE_LITERAL(""));
    check(CODING_DEFLATE, SLICE_LITERAL("{\"trace\":null}"), PLENTY, ERR_INVALID,
          SLICE_LITERAL(""));
    buf_finish(&body);
}

static void json_media_types_are_recognised(void **state)
{
    static const char *const good[] = {
        "",
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        " application/json ;charset=utf-8",
        "application/vnd.api+json",
        "application/ld+JSON;profile=x",
    };
    static const char *const bad[] = {
        "text/plain",         "application/jsonx", "application/+json", "json",
        "application/json x", "text/x+json",       "; charset=utf-8",   "application/x-protobuf",
        "application",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(media_is_json(slice_from(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(media_is_json(slice_from(bad[i])));
    }
}

static void codings_are_recognised(void **state)
{
    enum coding coding;
    assert_true(media_coding(SLICE_LITERAL(""), &coding) && coding == CODING_IDENTITY);
    assert_true(media_coding((struct slice){NULL, 0}, &coding) && coding == CODING_IDENTITY);
    assert_true(media_coding(SLICE_LITERAL("identity"), &coding) && coding == CODING_IDENTITY);
    assert_true(media_coding(SLICE_LITERAL(" GZip "), &coding) && coding == CODING_GZIP);
    assert_true(media_coding(SLICE_LITERAL("x-gzip"), &coding) && coding == CODING_GZIP);
    assert_true(media_coding(SLICE_LITERAL("deflate"), &coding) && coding == CODING_DEFLATE);
    assert_false(media_coding(SLICE_LITERAL("br"), &coding));
    assert_false(media_coding(SLICE_LITERAL("gzip, gzip"), &coding));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_coding_gives_the_content_back),
        cmocka_unit_test(gzip_may_have_members),
        cmocka_unit_test(a_bomb_is_stopped_at_the_limit),
        cmocka_unit_test(a_body_cut_off_anywhere_is_refused),
        cmocka_unit_test(corrupt_bodies_are_refused),
        cmocka_unit_test(json_media_types_are_recognised),
        cmocka_unit_test(codings_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
