/* Who is read and who waits, over socket pairs, with a reader that keeps all it gets as h2o does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <h2o.h>

#include "common/arena.h"
#include "gateway/intake.h"

enum { PAIRS = 4, PIECE = 4000, PATIENCE_MS = 5000 };

struct fixture {
    h2o_evloop_t *loop;
    struct intake_gauge gauge;
    struct intake *intake;
    size_t others;
    int64_t now_ms;
    int clients[PAIRS];
    h2o_socket_t *sockets[PAIRS]; /* NULL once closed */
};

static size_t others(void *context)
{
    return ((struct fixture *)context)->others;
}

static void turn_away(void *context, int fd, enum err err, const struct error *error)
{
    assert_int_equal(err, ERR_UNAVAILABLE);
    assert_int_equal(write(fd, "503", 3), 3);
    close(fd);
}

/* h2o's part: a piece that ends in '!' completes a request, after which it does not read. */
static void keep(h2o_socket_t *socket, const char *failed)
{
    struct fixture *f = socket->data;
    if (failed != NULL) {
        for (int i = 0; i < PAIRS; i++) {
            if (f->sockets[i] == socket) {
                f->sockets[i] = NULL;
            }
        }
        h2o_socket_close(socket);
        return;
    }
    if (socket->input->bytes[socket->input->size - 1] == '!') {
        h2o_socket_read_stop(socket);
    }
}

static void answer(struct fixture *f, int i)
{
    h2o_buffer_consume(&f->sockets[i]->input, f->sockets[i]->input->size);
    h2o_socket_read_start(f->sockets[i], keep);
}

static void turns(struct fixture *f)
{
    for (int i = 0; i < 10; i++) {
        h2o_evloop_run(f->loop, 1);
        intake_turn(f->intake, f->now_ms);
    }
}

static void say(struct fixture *f, int i, char last)
{
    char piece[PIECE]; /* of the head of a request */
    memset(piece, 'x', sizeof(piece));
    piece[PIECE - 1] = last;
    assert_int_equal(write(f->clients[i], piece, PIECE), PIECE);
    turns(f);
}

static size_t got(struct fixture *f, int i)
{
    return f->sockets[i]->input->size / PIECE;
}

static int setup(void **state)
{
    struct fixture *f = memory_zalloc(sizeof(*f));
    f->loop = h2o_evloop_create();
    struct intake_limits limits = {
        .budget = 6 * PIECE,
        .reserve = 2 * PIECE,
        .others = others,
        .patience_ms = PATIENCE_MS,
        .turn_away = turn_away,
        .context = f,
    };
    f->now_ms = 1000000;
    f->intake = intake_open(&f->gauge, &limits);
    for (int i = 0; i < PAIRS; i++) {
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        f->clients[i] = fds[0];
        f->sockets[i] = h2o_evloop_socket_create(f->loop, fds[1], 0);
        f->sockets[i]->data = f;
        h2o_socket_read_start(f->sockets[i], keep);
        intake_watch(f->intake, f->sockets[i]);
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    intake_release(f->intake);
    for (int i = 0; i < PAIRS; i++) {
        close(f->clients[i]);
        if (f->sockets[i] != NULL && f->sockets[i]->_cb.read == NULL) {
            h2o_socket_close(f->sockets[i]);
        }
    }
    turns(f);
    assert_int_equal(f->gauge.bytes, 0);
    assert_false(f->gauge.has_leader);
    intake_close(f->intake);
    h2o_evloop_destroy(f->loop);
    free(f);
    return 0;
}

static void what_is_buffered_counts_until_it_is_answered(void **state)
{
    struct fixture *f = *state;
    say(f, 0, 'a');
    say(f, 1, '!');
    assert_int_equal(f->gauge.bytes, 2 * PIECE);
    answer(f, 1);
    turns(f);
    assert_int_equal(f->gauge.bytes, PIECE);
    say(f, 1, '!'); /* the next request of the same connection */
    assert_int_equal(f->gauge.bytes, 2 * PIECE);
}

static void who_is_held_back_for_too_long_is_turned_away_with_an_answer(void **state)
{
    struct fixture *f = *state;
    f->others = 5 * PIECE;
    say(f, 0, 'a');
    say(f, 1, 'a');
    say(f, 0, 'a');
    say(f, 1, 'a');
    f->now_ms += 1000; /* from here on it counts */
    turns(f);
    f->now_ms += PATIENCE_MS - 1;
    turns(f);
    assert_non_null(f->sockets[0]);
    assert_non_null(f->sockets[1]);
    f->now_ms += 1000;
    turns(f);
    char text[8];
    for (int i = 0; i < 2; i++) {
        assert_null(f->sockets[i]);
        assert_int_equal(read(f->clients[i], text, sizeof(text)), 3);
        assert_memory_equal(text, "503", 3);
        assert_int_equal(read(f->clients[i], text, sizeof(text)), 0);
    }
    assert_int_equal(f->gauge.bytes, 0);
}

static void beyond_the_budget_only_the_leader_is_read(void **state)
{
    struct fixture *f = *state;
    for (int piece = 0; piece < 3; piece++) {
        say(f, 0, 'a');
        say(f, 1, 'a');
    }
    say(f, 2, 'a'); /* the first over the budget: it leads */
    say(f, 0, 'a'); /* read once more, then paused */
    say(f, 0, 'a');
    assert_int_equal(got(f, 0), 4);
    say(f, 2, 'a');
    say(f, 2, 'a');
    assert_int_equal(got(f, 2), 3);
    say(f, 0, 'a');
    assert_int_equal(got(f, 0), 4);
}

static void the_paused_go_on_when_there_is_room(void **state)
{
    struct fixture *f = *state;
    for (int piece = 0; piece < 3; piece++) {
        say(f, 0, 'a');
        say(f, 1, 'a');
    }
    say(f, 2, 'a');
    say(f, 0, 'a');
    say(f, 0, 'a');
    assert_int_equal(got(f, 0), 4);
    say(f, 1, '!'); /* complete, and soon answered */
    answer(f, 1);
    turns(f);
    assert_int_equal(got(f, 0), 5);
}

static void a_request_that_comes_in_one_piece_is_never_held_up(void **state)
{
    struct fixture *f = *state;
    for (int piece = 0; piece < 4; piece++) {
        say(f, 0, 'a');
        say(f, 1, 'a');
    }
    say(f, 3, '!');
    assert_int_equal(got(f, 3), 1);
    assert_null(f->sockets[3]->_cb.read);
}

static void the_reserve_is_free_of_what_others_hold(void **state)
{
    struct fixture *f = *state;
    f->others = 100 * PIECE;
    say(f, 0, 'a');
    say(f, 0, 'a');
    assert_int_equal(got(f, 0), 2);
    say(f, 0, 'a'); /* beyond the reserve: paused, and nobody leads while others can make room */
    say(f, 0, 'a');
    assert_int_equal(got(f, 0), 3);
    f->others = 0;
    turns(f);
    assert_int_equal(got(f, 0), 4);
}

static void clients_that_leave_give_their_bytes_back(void **state)
{
    struct fixture *f = *state;
    for (int piece = 0; piece < 4; piece++) {
        say(f, 0, 'a');
        say(f, 1, 'a');
    }
    say(f, 2, 'a');
    say(f, 2, 'a');
    size_t paused = got(f, 2);
    shutdown(f->clients[0], SHUT_RDWR);
    turns(f);
    shutdown(f->clients[1], SHUT_RDWR);
    turns(f);
    assert_null(f->sockets[1]);
    say(f, 2, 'a');
    assert_true(got(f, 2) > paused);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_buffered_counts_until_it_is_answered),
        TEST(who_is_held_back_for_too_long_is_turned_away_with_an_answer),
        TEST(beyond_the_budget_only_the_leader_is_read),
        TEST(the_paused_go_on_when_there_is_room),
        TEST(a_request_that_comes_in_one_piece_is_never_held_up),
        TEST(the_reserve_is_free_of_what_others_hold),
        TEST(clients_that_leave_give_their_bytes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
