# sip: registrar and SIP legs. nta*.c alone see sofia-sip.
ROOMS += sip
sip_SRCS := $(wildcard node/sip/*.c)
sip_USES := cluster store proto base
sip_PKGS := sofia-sip-ua libcrypto
