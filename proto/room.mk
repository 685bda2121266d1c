# proto: the messages that rooms, nodes and the CLI share, and their codec.
ROOMS += proto
proto_SRCS := $(wildcard proto/*.c) \
	$(patsubst %.proto,$(B)/%.pb-c.c,$(wildcard proto/*.proto))
proto_USES := base
proto_PKGS := libprotobuf-c
