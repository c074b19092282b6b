#include "gateway/ingest/otlp_names.h"

#include <string.h>

#define NAME_TEXT(suffix, text) {(text), sizeof(text) - 1},
static const struct slice names[NAME_COUNT] = {OTLP_NAMES(NAME_TEXT)};
#undef NAME_TEXT

#define GROUP_TEXT(suffix, prefix) {(prefix), sizeof(prefix) - 1},
static const struct slice groups[GROUP_COUNT] = {OTLP_GROUPS(GROUP_TEXT)};
#undef GROUP_TEXT

enum otlp_name otlp_name_find(struct slice text)
{
    uint32_t low = 0;
    uint32_t high = NAME_COUNT;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = slice_compare(names[middle], text);
        if (order == 0) {
            return (enum otlp_name)middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NAME_UNKNOWN;
}

static enum otlp_group find_group(struct slice text)
{
    /* Every prefix begins in one of these ways. */
    if (text.len < 6 || (text.data[0] != 'l' && text.data[0] != 'a' && text.data[0] != 'g' &&
                         text.data[0] != 'f')) {
        return GROUP_NONE;
    }
    for (uint32_t i = 0; i < GROUP_COUNT; i++) {
        if (text.len > groups[i].len && memcmp(text.data, groups[i].data, groups[i].len) == 0) {
            return (enum otlp_group)i;
        }
    }
    return GROUP_NONE;
}

void otlp_names_index(struct attributes *attributes, struct otlp_named *named)
{
    memset(named, 0, sizeof(*named));
    for (uint32_t i = 0; i < attributes->count; i++) {
        struct attribute *attribute = &attributes->list[i];
        attribute->used = false;
        attribute->kept = false;
        attribute->name = (uint8_t)otlp_name_find(attribute->key);
        attribute->group = (uint8_t)find_group(attribute->key);
        if (attribute->value.type == ANY_NULL) {
            continue;
        }
        if (attribute->name != NAME_UNKNOWN) {
            named->by_name[attribute->name] = attribute;
        }
        if (attribute->group != GROUP_NONE) {
            named->groups |= UINT32_C(1) << attribute->group;
        }
    }
}

struct slice otlp_group_key(const struct attribute *attribute)
{
    size_t len = groups[attribute->group].len;
    return (struct slice){attribute->key.data + len, attribute->key.len - len};
}
