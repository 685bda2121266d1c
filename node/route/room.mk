# route: where a call goes; pure.
ROOMS += route
route_SRCS := $(wildcard node/route/*.c)
route_USES := cluster store proto base
route_PKGS := jansson
