# cluster: one replicated view.
ROOMS += cluster
cluster_SRCS := $(wildcard cluster/*.c)
cluster_USES := proto base
cluster_PKGS := libcpg libquorum libcmap libcrypto jansson
