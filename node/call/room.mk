# call: the call state machine; sees every leg through leg.h, the media room
# through voice.h.
ROOMS += call
call_SRCS := $(wildcard node/call/*.c)
call_USES := route cluster store proto base
call_PKGS := jansson
