# spancore: plain C that compiles in the kernel too. spanlib: open, lease, io.
ROOMS += spancore spanlib
spancore_SRCS := $(wildcard spanctl/core/*.c)
spancore_USES :=
spanlib_SRCS := $(wildcard spanctl/lib/*.c)
spanlib_USES := spancore base
