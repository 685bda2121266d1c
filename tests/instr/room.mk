# instr: what the measuring instruments share. No code of node/ or spanctl/.
ROOMS += instr
instr_SRCS := $(wildcard tests/instr/*.c)
instr_USES := base
instr_PKGS := jansson
instr_LIBS := -lm
