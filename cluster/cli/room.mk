# cli: tandem(1). Knows the daemon only by proto.
ROOMS += cli
cli_SRCS := $(filter-out cluster/cli/main.c,$(wildcard cluster/cli/*.c))
cli_USES := proto base
cli_PKGS := jansson
# its tests have a control socket of the real kind at the other end
cli_TEST_USES := api

PROGRAMS += tandem
tandem_SRCS := cluster/cli/main.c
tandem_USES := cli proto base
tandem_PKGS := jansson
