#include "common/rfc3339.h"

#include <assert.h>

enum { SECONDS_A_DAY = 86400, US_A_SECOND = 1000000 };

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days since 1970-01-01. */
static int64_t days_from_civil(int year, int month, int day)
{
    year -= month <= 2;
    int era = (year >= 0 ? year : year - 399) / 400;
    int year_of_era = year - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int day_of_era = (int)(days - era * 146097);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int shifted = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted + (shifted < 10 ? 3 : -9);
    *year = (int)(year_of_era + era * 400) + (*month <= 2);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes exactly count digits. */
static bool take_digits(struct slice *text, int count, int *out)
{
    if (text->len < (size_t)count) {
        return false;
    }
    *out = 0;
    for (int i = 0; i < count; i++) {
        if (!is_digit(text->data[i])) {
            return false;
        }
        *out = *out * 10 + (text->data[i] - '0');
    }
    text->data += count;
    text->len -= (size_t)count;
    return true;
}

static bool take_char(struct slice *text, char c)
{
    if (text->len == 0 || text->data[0] != c) {
        return false;
    }
    text->data++;
    text->len--;
    return true;
}

/* ".123": microseconds; further digits are cut. False for a point without digits. */
static bool take_fraction(struct slice *text, int *out_us)
{
    *out_us = 0;
    if (!take_char(text, '.')) {
        return true;
    }
    int unit = US_A_SECOND / 10;
    size_t digits = 0;
    while (digits < text->len && is_digit(text->data[digits])) {
        *out_us += (text->data[digits] - '0') * unit;
        unit /= 10;
        digits++;
    }
    text->data += digits;
    text->len -= digits;
    return digits > 0;
}

/* Z or +hh:mm, which must end the text: seconds east of UTC. */
static bool take_offset(struct slice *text, int *out_s)
{
    int hour, minute;
    if (text->len == 0) {
        return false;
    }
    char sign = text->data[0];
    text->data++;
    text->len--;
    if (sign == 'Z' || sign == 'z') {
        *out_s = 0;
        return text->len == 0;
    }
    if ((sign != '+' && sign != '-') || !take_digits(text, 2, &hour) || !take_char(text, ':') ||
        !take_digits(text, 2, &minute) || text->len != 0 || hour > 23 || minute > 59) {
        return false;
    }
    *out_s = (hour * 60 + minute) * 60 * (sign == '-' ? -1 : 1);
    return true;
}

/* hh:mm, hh:mm:ss or hh:mm:ss.fraction */
static bool take_time(struct slice *text, int *hour, int *minute, int *second, int *fraction_us)
{
    *second = 0;
    *fraction_us = 0;
    if (!take_digits(text, 2, hour) || !take_char(text, ':') || !take_digits(text, 2, minute)) {
        return false;
    }
    return !take_char(text, ':') ||
           (take_digits(text, 2, second) && take_fraction(text, fraction_us));
}

bool rfc3339_parse(struct slice text, int64_t *out_us)
{
    int year, month, day, hour, minute, second, fraction_us, offset_s;
    if (!take_digits(&text, 4, &year) || !take_char(&text, '-') || !take_digits(&text, 2, &month) ||
        !take_char(&text, '-') || !take_digits(&text, 2, &day)) {
        return false;
    }
    if (!take_char(&text, 'T') && !take_char(&text, 't') && !take_char(&text, ' ')) {
        return false;
    }
    if (!take_time(&text, &hour, &minute, &second, &fraction_us) ||
        !take_offset(&text, &offset_s)) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
        minute > 59 || second > 60) {
        return false;
    }
    int64_t seconds = days_from_civil(year, month, day) * SECONDS_A_DAY +
                      (hour * 60 + minute) * 60 + second - offset_s;
    int64_t us = seconds * US_A_SECOND + fraction_us;
    if (us < RFC3339_MIN_US || us > RFC3339_MAX_US) {
        return false;
    }
    *out_us = us;
    return true;
}

/* Writes value as digits with leading zeros, then the character that follows. */
static char *put(char *at, int digits, int value, char then)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    at[digits] = then;
    return at + digits + 1;
}

size_t rfc3339_format(int64_t us, char out[RFC3339_SIZE])
{
    assert(us >= RFC3339_MIN_US && us <= RFC3339_MAX_US);
    int64_t seconds = us / US_A_SECOND - (us % US_A_SECOND < 0);
    int64_t days = seconds / SECONDS_A_DAY - (seconds % SECONDS_A_DAY < 0);
    int of_day = (int)(seconds - days * SECONDS_A_DAY);
    int year, month, day;
    civil_from_days(days, &year, &month, &day);

    char *at = put(out, 4, year, '-');
    at = put(at, 2, month, '-');
    at = put(at, 2, day, 'T');
    at = put(at, 2, of_day / 3600, ':');
    at = put(at, 2, of_day / 60 % 60, ':');
    at = put(at, 2, of_day % 60, '.');
    at = put(at, 6, (int)(us - seconds * US_A_SECOND), 'Z');
    *at = '\0';
    return (size_t)(at - out);
}
