# cdr: call detail records, from the rows of the calls to the database.
ROOMS += cdr
cdr_SRCS := $(wildcard node/cdr/*.c)
cdr_USES := spool store cluster proto base
cdr_PKGS := jansson
