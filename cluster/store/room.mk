# store: the site's configuration and what must outlive the cluster.
ROOMS += store
store_SRCS := $(wildcard cluster/store/*.c)
store_USES := proto base
store_PKGS := libpq sqlite3 yaml-0.1 libcrypto jansson
