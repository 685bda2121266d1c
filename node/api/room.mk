# api: the control socket, its verbs, and the manager of the configuration.
ROOMS += api
api_SRCS := $(wildcard node/api/*.c)
api_USES := route cluster store proto base
# its tests talk to it as tandem(1) does
api_TEST_USES := cli
api_PKGS := libcrypto jansson
