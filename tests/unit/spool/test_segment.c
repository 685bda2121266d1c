// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/spool/segment.h"

struct seen {
	unsigned int n;
	char keys[64][TD_SPOOL_KEY_OCTETS + 1];
	size_t octets[64];
};

static void on_frame(void *arg, const struct td_seg_frame *f)
{
	struct seen *s = arg;

	assert_true(s->n < 64);
	memcpy(s->keys[s->n], f->key.octets, f->key.n);
	s->keys[s->n][f->key.n] = '\0';
	s->octets[s->n++] = f->n;
}

static struct td_spool_key key_of(const char *text)
{
	struct td_spool_key k;

	assert_int_equal(td_spool_key_make(1, text, strlen(text), &k), 0);
	return k;
}

static size_t frame(uint8_t *buf, const char *key, const void *data, size_t n)
{
	struct td_spool_key k = key_of(key);

	td_seg_frame_write(TD_SEG_PUT, &k, data, n, buf);
	return td_seg_frame_octets(&k, n);
}

static void the_checksum_is_crc32c(void **state)
{
	uint8_t zeros[32] = { 0 };

	/* RFC 3720 B.4 */
	assert_int_equal(td_seg_crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(td_seg_crc32c(0, zeros, 32), 0x8a9136aa);
	assert_int_equal(td_seg_crc32c(td_seg_crc32c(0, "1234", 4), "56789", 5),
			 0xe3069283);
}

static void a_key_has_a_type_and_some_octets(void **state)
{
	char longest[TD_SPOOL_KEY_OCTETS + 1] = { 1 };
	struct td_spool_key k;

	assert_int_equal(td_spool_key_make(0, "a", 1, &k), -EINVAL);
	assert_int_equal(td_spool_key_make(256, "a", 1, &k), -EINVAL);
	assert_int_equal(td_spool_key_make(1, "a", 0, &k), -EINVAL);
	assert_int_equal(td_spool_key_make(1, longest, sizeof(longest), &k),
			 -EINVAL);
	assert_int_equal(td_spool_key_make(255, longest,
					   sizeof(longest) - 1, &k), 0);
}

static void what_is_written_is_read(void **state)
{
	static uint8_t data[TD_SEG_MAX_DATA], buf[2 * TD_SEG_MAX_FRAME];
	struct td_seg_scan scan;
	struct seen s = { 0 };
	size_t n;

	memset(data, 0xa5, sizeof(data));
	n = frame(buf, "a", "", 0);
	n += frame(buf + n, "bb", data, sizeof(data));
	n += frame(buf + n, "ccc", "xyz", 3);
	td_seg_scan(buf, n, on_frame, &s, &scan);
	assert_int_equal(s.n, 3);
	assert_string_equal(s.keys[0], "a");
	assert_string_equal(s.keys[2], "ccc");
	assert_int_equal(s.octets[1], TD_SEG_MAX_DATA);
	assert_int_equal(s.octets[2], 3);
	assert_int_equal(scan.frames, 3);
	assert_int_equal(scan.torn + scan.bad, 0);
}

static void a_record_torn_at_any_octet_is_none_and_hides_none(void **state)
{
	uint8_t buf[512];
	size_t before = frame(buf, "one", "first", 5), n;

	before += frame(buf + before, "two", "second", 6);
	n = before + frame(buf + before, "three", "the last one", 12);
	for (size_t cut = before; cut < n; cut++) {
		struct td_seg_scan scan;
		struct seen s = { 0 };

		td_seg_scan(buf, cut, on_frame, &s, &scan);
		assert_int_equal(s.n, 2);
		assert_int_equal(scan.torn, cut - before);
		assert_int_equal(scan.bad, 0);
	}
}

/* A power loss may leave the file's length and lose some of what is in it. */
static void a_record_with_a_changed_octet_is_none(void **state)
{
	uint8_t buf[512];
	size_t before = frame(buf, "one", "first", 5), n;

	n = before + frame(buf + before, "two", "second", 6);
	for (size_t at = before; at < n; at++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			struct td_seg_scan scan;
			struct seen s = { 0 };

			buf[at] ^= 1 << bit;
			td_seg_scan(buf, n, on_frame, &s, &scan);
			buf[at] ^= 1 << bit;
			assert_int_equal(s.n, 1);
			assert_int_equal(scan.torn, n - before);
		}
}

static void damage_between_records_is_told_and_passed_over(void **state)
{
	uint8_t buf[512];
	size_t a = frame(buf, "one", "first", 5), b, n;
	struct td_seg_scan scan;
	struct seen s = { 0 };

	b = a + frame(buf + a, "two", "second", 6);
	n = b + frame(buf + b, "three", "third", 5);
	memset(buf + a + 3, 0, 9);
	td_seg_scan(buf, n, on_frame, &s, &scan);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.keys[1], "three");
	assert_int_equal(scan.bad, b - a);
	assert_int_equal(scan.torn, 0);
}

static void rubbish_is_no_record(void **state)
{
	uint8_t buf[4096];
	unsigned int seed = 1;

	for (int round = 0; round < 200; round++) {
		struct td_seg_scan scan;
		struct seen s = { 0 };

		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = rand_r(&seed) >> 8;
		/* a head that promises the world */
		memcpy(buf + round, "TSP1\xff\xff\xff\xff", 8);
		td_seg_scan(buf, sizeof(buf), on_frame, &s, &scan);
		assert_int_equal(s.n, 0);
		assert_int_equal(scan.torn, sizeof(buf));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checksum_is_crc32c),
		cmocka_unit_test(a_key_has_a_type_and_some_octets),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(
			a_record_torn_at_any_octet_is_none_and_hides_none),
		cmocka_unit_test(a_record_with_a_changed_octet_is_none),
		cmocka_unit_test(
			damage_between_records_is_told_and_passed_over),
		cmocka_unit_test(rubbish_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
