// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/cli/cli.h"
#include "cluster/cli/text.h"
#include "node/api/control.h"
#include "tests/unit/api/rig.h"

/* tandem(1) in a thread, a control socket of the real kind in the loop. */
struct fix {
	struct td_loop *loop;
	struct td_control *control;
	char dir[64], path[100];
	/* one run */
	const char *argv[16];
	int argc, status;
	char *out, *err;
	bool done;
	/* what the server got */
	char args[128], body[4096];
	bool served;
};

static void *run_thread(void *arg)
{
	struct fix *f = arg;
	size_t n, m;
	FILE *out = open_memstream(&f->out, &n);
	FILE *err = open_memstream(&f->err, &m);

	f->status = td_cli_main(f->argc, (char *const *)f->argv, out, err);
	fclose(out);
	fclose(err);
	__atomic_store_n(&f->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool run_done(void *arg)
{
	return __atomic_load_n(&((struct fix *)arg)->done, __ATOMIC_ACQUIRE);
}

/* `line` by its blanks; @PATH stands for the socket */
static int run(struct fix *f, const char *line)
{
	char *copy = strdup(line), *save = NULL;
	pthread_t t;

	free(f->out);
	free(f->err);
	f->argc = 0;
	f->argv[f->argc++] = "tandem";
	f->argv[f->argc++] = "--socket";
	f->argv[f->argc++] = f->path;
	for (char *w = strtok_r(copy, " ", &save); w;
	     w = strtok_r(NULL, " ", &save))
		f->argv[f->argc++] = w;
	f->done = false;
	pthread_create(&t, NULL, run_thread, f);
	wait_for(f->loop, run_done, f);
	pthread_join(t, NULL);
	free(copy);
	return f->status;
}

static void on_json(void *arg, struct td_control_req *req)
{
	json_t *j = json_loads(arg, 0, NULL);

	assert_non_null(j);
	td_control_reply_json(req, j);
}

static void serve(struct fix *f, const char *verb, const char *json)
{
	assert_int_equal(td_control_register(f->control, verb, on_json,
					     (void *)json), 0);
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	unsetenv("TANDEM_SOCKET");
	strcpy(f->dir, "/tmp/td-cli-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/control.sock", f->dir);
	assert_int_equal(td_loop_new(&f->loop), 0);
	assert_int_equal(td_control_new(f->loop, f->path, NULL, &f->control),
			 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	td_control_free(f->control);
	td_loop_free(f->loop);
	free(f->out);
	free(f->err);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void lists_are_tables_with_aligned_columns(void **state)
{
	struct fix *f = *state;

	serve(f, "registration list",
	      "[{\"user\":\"1000\",\"contacts\":["
	      "{\"uri\":\"sip:1000@10.77.0.101:5070\",\"transport\":\"udp\","
	      "\"address\":\"a1\",\"node\":\"n1\",\"expires_s\":3540},"
	      "{\"uri\":\"sip:x@10.0.0.1\",\"transport\":\"tcp\","
	      "\"address\":\"a2\",\"node\":\"n2\",\"expires_s\":59}]},"
	      "{\"user\":\"J\xc3\xb6rg\",\"contacts\":[]}]");
	assert_int_equal(run(f, "registration list"), 0);
	assert_string_equal(f->out,
		"USER  CONTACT                    OVER  ADDRESS  NODE  "
		"EXPIRES\n"
		"1000  sip:1000@10.77.0.101:5070  udp   a1       n1    "
		"59m 00s\n"
		"      sip:x@10.0.0.1             tcp   a2       n2        "
		"59s\n"
		"J\xc3\xb6rg  -                          -     -        -     "
		"      -\n");
	assert_string_equal(f->err, "");
}

static void numbers_stand_to_the_right_and_flags_in_words(void **state)
{
	struct fix *f = *state;

	serve(f, "span list",
	      "[{\"span\":\"s1\",\"node\":\"n1\",\"owner\":true,"
	      "\"layer1\":true,\"dchannel\":false,\"busy\":7,\"free\":23,"
	      "\"alarms\":[]},{\"span\":\"s2\",\"node\":\"n1\","
	      "\"owner\":false,\"layer1\":false,\"dchannel\":false,"
	      "\"busy\":0,\"free\":0,\"alarms\":[\"LOS\",\"RAI\"]}]");
	assert_int_equal(run(f, "span list"), 0);
	assert_string_equal(f->out,
		"SPAN  NODE  OWNER  LAYER1  DCHANNEL  BUSY  FREE  ALARMS\n"
		"s1    n1    yes    up      down         7    23\n"
		"s2    n1    no     down    down         0     0  LOS,RAI\n");
}

static void status_is_a_screen_to_read(void **state)
{
	struct fix *f = *state;

	serve(f, "status",
	      "{\"cluster\":\"lab\",\"generation\":3,\"quorate\":true,"
	      "\"nodes\":[{\"name\":\"n1\",\"state\":\"up\",\"calls\":12,"
	      "\"since\":null,\"version\":\"0.1\"}],"
	      "\"units\":[{\"name\":\"s1\",\"kind\":\"span\",\"owner\":\"n1\","
	      "\"epoch\":1,\"health\":\"up\"},{\"name\":\"a2\","
	      "\"kind\":\"address\",\"owner\":null,\"epoch\":0,"
	      "\"health\":\"unowned\"}],"
	      "\"calls\":12,\"registrations\":1,\"crossing_ratio\":0.125}");
	assert_int_equal(run(f, "status"), 0);
	assert_string_equal(f->out,
		"Cluster lab: quorate, generation 3\n"
		"12 calls, 1 registered user, 12.5 % of voice crosses nodes\n"
		"\n"
		"NODE  STATE  CALLS  SINCE  VERSION\n"
		"n1    up        12  -      0.1\n"
		"\n"
		"UNIT  KIND     OWNER  EPOCH  HEALTH\n"
		"s1    span     n1         1  up\n"
		"a2    address  -          0  unowned\n");
}

static void json_is_passed_on_as_it_is(void **state)
{
	struct fix *f = *state;
	json_t *j;

	serve(f, "call list", "[{\"id\":\"1\",\"legs\":[],\"since_ms\":5}]");
	assert_int_equal(run(f, "call list --json"), 0);
	j = json_loads(f->out, 0, NULL);
	assert_int_equal(json_array_size(j), 1);
	json_decref(j);
	assert_int_equal(run(f, "--json call list"), 0);
}

static void what_peers_sent_cannot_move_the_cursor(void **state)
{
	struct fix *f = *state;

	serve(f, "call show", "{\"peer\":\"a\\u001b[2Jb\\u009bc\\nd\","
			      "\"legs\":[{\"kind\":\"sip\",\"since_ms\":61000}"
			      ",{\"kind\":\"isdn\",\"span\":null}],"
			      "\"voice\":{\"jitter_ms\":60.5}}");
	assert_int_equal(run(f, "call show 12"), 0);
	assert_string_equal(f->out,
		"peer: a?[2Jb??c?d\n"
		"legs:\n"
		"  kind:     sip\n"
		"  since_ms: 1m 01s\n"
		"\n"
		"  kind: isdn\n"
		"  span: -\n"
		"voice:\n"
		"  jitter_ms: 60.5\n");
}

static void on_import(void *arg, struct td_control_req *req)
{
	struct td_problems p = { 0 };
	const Td__Request *r = td_control_request(req);
	struct fix *f = arg;

	snprintf(f->args, sizeof(f->args), "%s|%s", td_control_arg(req, 0),
		 td_control_option(req, "comment") ?
			 td_control_option(req, "comment") : "");
	snprintf(f->body, sizeof(f->body), "%.*s", (int)r->body.len,
		 r->body.data);
	if (!strncmp(f->body, "good", 4)) {
		td_control_reply_json(req, json_pack("{s:i}", "generation", 4));
		return;
	}
	td_problems_add(&p, "site.yaml:3", "unknown key \"x\"");
	td_problems_add(&p, "site.yaml:9", "overlap");
	td_control_reply_problems(req, &p);
	td_problems_free(&p);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

static void an_import_sends_the_file_and_lists_all_problems(void **state)
{
	struct fix *f = *state;
	char path[128], line[256], want[256];

	td_control_register(f->control, "config import", on_import, f);
	snprintf(path, sizeof(path), "%s/site.yaml", f->dir);
	snprintf(line, sizeof(line), "config import %s --comment=why", path);
	write_file(path, "good text");
	assert_int_equal(run(f, line), 0);
	assert_string_equal(f->out, "Generation 4 is running\n");
	assert_string_equal(f->body, "good text");
	snprintf(want, sizeof(want), "%s|why", path);
	assert_string_equal(f->args, want);
	write_file(path, "bad");
	assert_int_equal(run(f, line), 1);
	assert_string_equal(f->out, "");
	assert_string_equal(f->err,
			    "site.yaml:3: unknown key \"x\"\n"
			    "site.yaml:9: overlap\n"
			    "tandem: 2 problems, nothing was changed\n");
	snprintf(line, sizeof(line), "config import %s --json", path);
	assert_int_equal(run(f, line), 1);
	assert_non_null(strstr(f->out, "\"where\": \"site.yaml:9\""));
	unlink(path);
	assert_int_equal(run(f, line), 1);
	assert_non_null(strstr(f->err, "No such file"));
	assert_non_null(strstr(f->out, "\"error\": "));
}

static void on_export(void *arg, struct td_control_req *req)
{
	td_control_reply_body(req, "site: {}\n", 9);
}

static void an_export_is_the_document_itself(void **state)
{
	struct fix *f = *state;

	td_control_register(f->control, "config export", on_export, f);
	assert_int_equal(run(f, "config export"), 0);
	assert_string_equal(f->out, "site: {}\n");
	assert_int_equal(run(f, "config export --json"), 0);
	assert_string_equal(f->out,
			    "{\n  \"document\": \"site: {}\\n\"\n}\n");
}

static void changes_end_with_a_sentence(void **state)
{
	struct fix *f = *state;

	serve(f, "extension add", "{\"extension\":\"2000\",\"password\":\"s3\","
				  "\"generation\":5}");
	serve(f, "config check", "{\"ok\":true,\"nodes\":2,\"lines\":4,"
				 "\"addresses\":2,\"extensions\":1999,"
				 "\"routes\":1}");
	assert_int_equal(run(f, "extension add 2000"), 0);
	assert_string_equal(f->out, "Extension 2000 added, generation 5\n"
				    "password: s3\n");
	assert_int_equal(run(f, "config check /dev/null"), 0);
	assert_string_equal(f->out, "No problem: 2 nodes, 4 lines, 2 addresses,"
				    " 1999 extensions, 1 routes\n");
}

static void wrong_command_lines_are_told_without_a_daemon(void **state)
{
	static const struct {
		const char *line, *err;
	} t[] = {
		{ "dance", "tandem: no command `dance'" },
		{ "call", "tandem: `call' needs a second word" },
		{ "call show", "tandem call show: missing: CALL" },
		{ "status now", "tandem status: too many words: now" },
		{ "status --fast", "tandem status: unknown option --fast" },
		{ "status -f", "tandem status: unknown option -f" },
		{ "--fast status", "tandem: unknown option --fast" },
		{ "status --watch=1", "tandem status: no value is taken by" },
		{ "extension add 1 --count", "tandem extension add: a value is "
					     "missing after --count" },
		{ "extension add 1 --count 1 --count 2",
		  "tandem extension add: given twice: --count" },
		{ "help dance", "tandem: no command `dance'" },
		{ "help call dance", "tandem: no command `call dance'" },
		{ "", "Usage: tandem COMMAND" },
	};
	struct fix *f = *state;

	td_control_free(f->control);
	f->control = NULL;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(run(f, t[i].line), 2);
		assert_string_equal(f->out, "");
		if (strncmp(f->err, t[i].err, strlen(t[i].err)))
			fail_msg("%s: %s", t[i].line, f->err);
	}
	assert_int_equal(run(f, "status"), 1);
	assert_non_null(strstr(f->err, "tandem: no daemon answers at "));
	assert_non_null(strstr(f->err, ": is tandemd running?\n"));
}

static void every_command_explains_itself(void **state)
{
	struct fix *f = *state;
	char line[128];

	for (const struct td_verb *v = td_verbs; v->name; v++) {
		snprintf(line, sizeof(line), "%s --help", v->name);
		assert_int_equal(run(f, line), 0);
		assert_non_null(strstr(f->out, v->help));
		snprintf(line, sizeof(line), "help %s", v->name);
		assert_int_equal(run(f, line), 0);
		assert_int_equal(run(f, "help"), 0);
		assert_non_null(strstr(f->out, v->help));
		assert_int_equal(run(f, "help --man"), 0);
		snprintf(line, sizeof(line), ".SS \"%s", v->name);
		assert_non_null(strstr(f->out, line));
	}
	assert_int_equal(run(f, "help call"), 0);
	assert_int_equal(run(f, "call --help"), 0);
	assert_int_equal(run(f, "help --completion"), 0);
	assert_non_null(strstr(f->out, "complete -F _tandem tandem"));
}

static void durations_are_short(void **state)
{
	static const struct {
		long long ms;
		const char *text;
	} t[] = {
		{ -5, "0s" }, { 999, "0s" }, { 59999, "59s" },
		{ 60000, "1m 00s" }, { 3661000, "1h 01m" },
		{ 90000000, "1d 01h" },
	};
	char buf[32];

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_string_equal(text_duration(t[i].ms, buf, sizeof(buf)),
				    t[i].text);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lists_are_tables_with_aligned_columns),
		CASE(numbers_stand_to_the_right_and_flags_in_words),
		CASE(status_is_a_screen_to_read),
		CASE(json_is_passed_on_as_it_is),
		CASE(what_peers_sent_cannot_move_the_cursor),
		CASE(an_import_sends_the_file_and_lists_all_problems),
		CASE(an_export_is_the_document_itself),
		CASE(changes_end_with_a_sentence),
		CASE(wrong_command_lines_are_told_without_a_daemon),
		CASE(every_command_explains_itself),
		cmocka_unit_test(durations_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
