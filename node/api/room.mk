# api: the control socket, its verbs, and the manager of the configuration.
ROOMS += api
api_SRCS := $(wildcard node/api/*.c)
api_USES := route cluster store proto base
api_PKGS := libcrypto jansson
