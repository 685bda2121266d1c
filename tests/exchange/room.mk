# exchange: a public exchange to measure against. pri.c alone sees libpri.
ROOMS += exchange
exchange_SRCS := $(filter-out tests/exchange/main.c,$(wildcard tests/exchange/*.c))
exchange_USES := instr base
exchange_PKGS := jansson
exchange_LIBS := -lpri
PROGRAMS += tandem-exchange
tandem-exchange_SRCS := tests/exchange/main.c
tandem-exchange_USES := exchange
