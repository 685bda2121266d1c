// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/cause.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node/sip/parse.h"

struct pair {
	int from, to;
};

/* RFC 3398 7.2.4.1; 16 and 31 there mean "not a failure": an unanswered call
 * that somebody cleared so gets 480. */
static const struct pair status_of[] = {
	{ 1, 404 },  { 2, 404 },  { 3, 404 },	{ 16, 480 }, { 17, 486 },
	{ 18, 408 }, { 19, 480 }, { 20, 480 },	{ 21, 403 }, { 22, 410 },
	{ 23, 410 }, { 26, 404 }, { 27, 502 },	{ 28, 484 }, { 29, 501 },
	{ 31, 480 }, { 34, 503 }, { 38, 503 },	{ 41, 503 }, { 42, 503 },
	{ 44, 503 }, { 47, 503 }, { 49, 503 },	{ 50, 403 }, { 55, 403 },
	{ 57, 403 }, { 58, 503 }, { 63, 503 },	{ 65, 488 }, { 66, 488 },
	{ 69, 501 }, { 70, 488 }, { 79, 501 },	{ 82, 404 }, { 83, 503 },
	{ 87, 403 }, { 88, 488 }, { 95, 400 },	{ 96, 400 }, { 97, 501 },
	{ 99, 400 }, { 100, 400 }, { 102, 504 }, { 111, 500 }, { 127, 500 },
};

/* RFC 3398 8.2.6.1 */
static const struct pair cause_of[] = {
	{ 400, 41 },  { 401, 21 }, { 402, 21 }, { 403, 21 }, { 404, 1 },
	{ 405, 63 },  { 406, 79 }, { 407, 21 }, { 408, 102 }, { 410, 22 },
	{ 413, 127 }, { 414, 127 }, { 415, 79 }, { 416, 127 }, { 420, 127 },
	{ 421, 127 }, { 422, 127 }, { 423, 127 }, { 433, 21 }, { 480, 18 },
	{ 481, 41 },
	{ 482, 25 },  { 483, 25 }, { 484, 28 }, { 485, 1 },  { 486, 17 },
	{ 487, 16 },  { 488, 88 }, { 491, 41 }, { 493, 63 }, { 500, 41 },
	{ 501, 79 },  { 502, 38 }, { 503, 41 }, { 504, 102 }, { 505, 127 },
	{ 513, 127 }, { 580, 47 }, { 600, 17 }, { 603, 21 }, { 604, 1 },
	{ 606, 88 },
};

static int look_up(const struct pair *p, size_t n, int from)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].from == from)
			return p[i].to;
	return 0;
}

int td_sip_status_of_cause(int cause)
{
	int st = look_up(status_of, sizeof(status_of) / sizeof(*status_of),
			 cause);

	return st ? st : 500;
}

int td_sip_cause_of_status(int status)
{
	int c = look_up(cause_of, sizeof(cause_of) / sizeof(*cause_of),
			status);

	if (c)
		return c;
	return status < 400 ? 23 : status < 500 ? 127 : status < 600 ? 41 : 21;
}

const char *td_sip_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} t[] = {
		{ 100, "Trying" }, { 180, "Ringing" },
		{ 183, "Session Progress" }, { 200, "OK" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
		{ 407, "Proxy Authentication Required" },
		{ 408, "Request Timeout" }, { 410, "Gone" },
		{ 413, "Request Entity Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Unsupported URI Scheme" }, { 420, "Bad Extension" },
		{ 422, "Session Interval Too Small" },
		{ 423, "Interval Too Brief" },
		{ 480, "Temporarily Unavailable" },
		{ 481, "Call/Transaction Does Not Exist" },
		{ 482, "Loop Detected" }, { 483, "Too Many Hops" },
		{ 484, "Address Incomplete" }, { 486, "Busy Here" },
		{ 487, "Request Terminated" },
		{ 488, "Not Acceptable Here" }, { 491, "Request Pending" },
		{ 500, "Server Internal Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Server Time-out" }, { 505, "Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		if (t[i].status == status)
			return t[i].phrase;
	return "Unknown";
}

const char *td_sip_cause_text(int cause)
{
	static const struct {
		int cause;
		const char *text;
	} t[] = {
		{ 1, "Unallocated number" }, { 3, "No route to destination" },
		{ 16, "Normal call clearing" }, { 17, "User busy" },
		{ 18, "No user responding" }, { 19, "No answer" },
		{ 20, "Subscriber absent" }, { 21, "Call rejected" },
		{ 22, "Number changed" }, { 26, "Non-selected user clearing" },
		{ 27, "Destination out of order" },
		{ 28, "Invalid number format" }, { 31, "Normal, unspecified" },
		{ 34, "No circuit available" }, { 38, "Network out of order" },
		{ 41, "Temporary failure" }, { 42, "Congestion" },
		{ 44, "Requested channel not available" },
		{ 88, "Incompatible destination" },
		{ 102, "Recovery on timer expiry" }, { 127, "Interworking" },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		if (t[i].cause == cause)
			return t[i].text;
	return "Cause";
}

int td_sip_reason_cause(const char *value)
{
	char buf[256], cause[16];
	int c;

	while (value && td_sip_next(&value, buf, sizeof(buf))) {
		size_t n = strcspn(buf, "; \t");

		if (n != 5 || strncasecmp(buf, "Q.850", 5) ||
		    !td_sip_param(buf + strcspn(buf, ";"), "cause", cause,
				  sizeof(cause)))
			continue;
		c = atoi(cause);
		return c > 0 && c < 128 ? c : 0;
	}
	return 0;
}
