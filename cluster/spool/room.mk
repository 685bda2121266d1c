# spool: records on the node's own disk until they are in the database.
ROOMS += spool
spool_SRCS := $(wildcard cluster/spool/*.c)
spool_USES := cluster proto base
spool_PKGS := jansson
