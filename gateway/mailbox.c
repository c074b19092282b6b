#include "gateway/mailbox.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void mailbox_init(struct mailbox *mailbox)
{
    pthread_mutex_init(&mailbox->_mutex, NULL);
    h2o_linklist_init_anchor(&mailbox->_letters);
    mailbox->_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->_fd < 0) {
        perror("eventfd");
        abort();
    }
}

void mailbox_finish(struct mailbox *mailbox)
{
    close(mailbox->_fd);
    pthread_mutex_destroy(&mailbox->_mutex);
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->_fd;
}

void mailbox_put(struct mailbox *mailbox, h2o_linklist_t *letter)
{
    pthread_mutex_lock(&mailbox->_mutex);
    /* Whoever put the first letter woke the reader, who takes them all. */
    bool first = h2o_linklist_is_empty(&mailbox->_letters);
    h2o_linklist_insert(&mailbox->_letters, letter);
    pthread_mutex_unlock(&mailbox->_mutex);
    if (first) {
        mailbox_wake(mailbox);
    }
}

void mailbox_wake(struct mailbox *mailbox)
{
    eventfd_write(mailbox->_fd, 1);
}

void mailbox_take(struct mailbox *mailbox, h2o_linklist_t *letters)
{
    eventfd_t count;
    eventfd_read(mailbox->_fd, &count); /* before the letters: a later one wakes again */
    pthread_mutex_lock(&mailbox->_mutex);
    h2o_linklist_insert_list(letters, &mailbox->_letters);
    pthread_mutex_unlock(&mailbox->_mutex);
}
