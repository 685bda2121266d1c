# isdn: ISDN PRI legs. pri.c alone sees libpri.
ROOMS += isdn
isdn_SRCS := $(wildcard node/isdn/*.c)
isdn_USES := spanlib cluster store proto base
isdn_PKGS := jansson
isdn_LIBS := -lpri
