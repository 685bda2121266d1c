# tandem-replicate: what the replicated view costs, over a real corosync.
PROGRAMS += tandem-replicate
tandem-replicate_SRCS := tests/bench/replicate.c tests/bench/local.c
tandem-replicate_USES := cluster proto base
