# ha: who owns what.
ROOMS += ha
ha_SRCS := $(wildcard ha/*.c)
ha_USES := spanlib cluster store proto base
ha_PKGS := jansson libcrypto
