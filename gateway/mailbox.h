/*
 * mailbox: hands list nodes from any thread to the one that waits on a file descriptor. The nodes
 * stay their owners'; a node is in one list at a time.
 */
#pragma once

#include <pthread.h>

#include <h2o.h>

struct mailbox {
    pthread_mutex_t _mutex;
    h2o_linklist_t _letters;
    int _fd;
};

void mailbox_init(struct mailbox *mailbox);
/* Letters left over are forgotten, not freed. */
void mailbox_finish(struct mailbox *mailbox);

/* Readable while there may be letters; owned by the mailbox. */
int mailbox_fd(const struct mailbox *mailbox);

/* Any thread. */
void mailbox_put(struct mailbox *mailbox, h2o_linklist_t *letter);
/* Makes the descriptor readable without a letter. Any thread. */
void mailbox_wake(struct mailbox *mailbox);

/* Appends all letters to the list, oldest first. Only the waiting thread. */
void mailbox_take(struct mailbox *mailbox, h2o_linklist_t *letters);
