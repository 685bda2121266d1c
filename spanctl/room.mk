# spancore: plain C that compiles in the kernel too. spanlib: open, lease, io.
# spand: the user-mode card, a library so that a test can link its parts.
ROOMS += spancore spanlib spand
spancore_SRCS := $(wildcard spanctl/core/*.c)
spancore_USES :=
spanlib_SRCS := $(wildcard spanctl/lib/*.c)
spanlib_USES := spancore base
spanlib_TEST_USES := spand
spand_SRCS := $(filter-out spanctl/spand/main.c,$(wildcard spanctl/spand/*.c))
spand_USES := spancore base

PROGRAMS += tandem-spand
tandem-spand_SRCS := spanctl/spand/main.c
tandem-spand_USES := spand

PROGRAMS += spanctl
spanctl_SRCS := $(wildcard spanctl/tool/*.c)
spanctl_USES := spanlib base
spanctl_PKGS := jansson
