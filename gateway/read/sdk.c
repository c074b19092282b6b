/*
 * sdk: what older SDKs for Python cannot read.
 */
#include "gateway/read/sdk.h"

/* "3.14.5" -> 3, 14. What is no number is 0. */
static void parse(struct slice version, unsigned numbers[2])
{
    numbers[0] = numbers[1] = 0;
    for (size_t i = 0, k = 0; i < version.len && k < 2; i++) {
        if (version.data[i] == '.') {
            k++;
        } else if (version.data[i] >= '0' && version.data[i] <= '9' && numbers[k] < 1000) {
            numbers[k] = numbers[k] * 10 + (unsigned)(version.data[i] - '0');
        } else {
            return;
        }
    }
}

enum sdk sdk_find(struct slice name, struct slice version)
{
    unsigned numbers[2];

    parse(version, numbers);
    if (!slice_is(name, "python") || numbers[0] < 2 || numbers[0] > 4) {
        return SDK_OTHER;
    }
    if (numbers[0] == 2) {
        return SDK_PYTHON_2;
    }
    /* The first ones that know TEXT are 3.15 and 4.2. */
    return numbers[1] < (numbers[0] == 3 ? 15 : 2) ? SDK_PYTHON_BEFORE_TEXT : SDK_PYTHON_BEFORE_5;
}

enum sdk sdk_of(const struct request *request)
{
    struct slice name;
    struct slice version;

    request_langfuse_header(request, "sdk-name", &name);
    request_langfuse_header(request, "sdk-version", &version);
    return sdk_find(name, version);
}

/* In the order in which SDKs learned them. */
static const char *const types[] = {"NUMERIC", "CATEGORICAL", "BOOLEAN", "TEXT"};

void sdk_bind_listed_types(struct read *read)
{
    enum sdk sdk = sdk_of(read->request);
    bool is_before_text = sdk == SDK_PYTHON_2 || sdk == SDK_PYTHON_BEFORE_TEXT;

    read_bind_texts(read, types, is_before_text ? 3 : 0);
}

void sdk_bind_nested_types(struct read *read)
{
    if (sdk_of(read->request) == SDK_PYTHON_BEFORE_5) {
        read_bind_texts(read, types, 4);
    } else {
        sdk_bind_listed_types(read);
    }
}
