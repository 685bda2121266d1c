# tandemd: the node's daemon; wiring only.
PROGRAMS += tandemd
tandemd_SRCS := $(wildcard node/*.c)
tandemd_USES := api call cdr sip isdn media route ha spool store cluster \
	spanlib proto base
tandemd_PKGS := libcrypto jansson
