# phone: SIP phones to measure with. sip.c and sip_call.c alone see libre,
# load_msg.c alone libcrypto.
ROOMS += phone
phone_SRCS := $(filter-out tests/phone/main.c,$(wildcard tests/phone/*.c))
phone_USES := instr base
phone_PKGS := jansson libre libcrypto
# as Debian built libre (/usr/share/re/re.mk): else its bool is another type
phone_CFLAGS := -DHAVE_STDBOOL_H -DHAVE_INTTYPES_H -DHAVE_INET6
PROGRAMS += tandem-phone
tandem-phone_SRCS := tests/phone/main.c
tandem-phone_USES := phone
